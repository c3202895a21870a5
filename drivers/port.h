/*
 * port.h - picking free ports of this host.
 *
 * As upstream does: a listener on port 0 shows a free port and holds it until
 * the container is about to be made. Between that and the engine's own bind
 * somebody may take it; then the start fails, and the next round picks anew.
 */
#ifndef DRIVERS_PORT_H
#define DRIVERS_PORT_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/* Listening sockets that keep picked ports from being picked twice; {0} at first. */
struct port_hold {
    int sockets[64];
    size_t count;
};

/* Picks a port on address, an IPv4 or IPv6 literal. */
int port_pick(struct port_hold *hold, const char *address, int32_t *port, struct error **err);

/* Whose ports they are: this host's, or those of another one where the engine is. */
enum port_host { PORT_HOST_THIS, PORT_HOST_OTHER };

/*
 * From the port that a mapping asks for to the one that the engine is told:
 * PORT_PICK becomes a number, PORT_ENGINE_PICKS 0, any other stays.
 *
 * Another host's ports cannot be tried, and its addresses are not ours to
 * listen on. A number that is free here is guessed there: nearly always well,
 * and where not, the start fails and the next round guesses anew. The engine's
 * own pick would change with each start of the node, and the cluster's
 * endpoint with it.
 */
int port_settle(struct port_hold *hold, enum port_host host, const char *address, int32_t *port,
                struct error **err);

/* Closes all; they are free for the engine to bind. */
void port_release(struct port_hold *hold);

#endif
