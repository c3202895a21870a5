/*
 * fake_connection.h - one HTTP exchange of the fake server, between libmicrohttpd and the world.
 *
 * All on the server's thread. An exchange that has to wait (a delayed reply, a
 * stream with nothing to say) suspends its connection and is asked again by
 * fake_connections_wake.
 */
#ifndef DRIVERS_FAKE_CONNECTION_H
#define DRIVERS_FAKE_CONNECTION_H

#include "drivers/fake_world.h"
#include <microhttpd.h>
#include <stdio.h>

struct fake_exchange;

/* What the exchanges of a server share. */
struct fake_hub {
    struct fake_world *world;
    FILE *log;                     /* or NULL */
    struct fake_exchange *waiting; /* suspended ones */
    uint64_t seen_version;         /* of the world, when streams were last woken */
};

/* A daemon's context: its hub, and the container whose API it serves (NULL: the engine). */
struct fake_site {
    struct fake_hub *hub;
    char *api_of;
};

/* The callbacks of a daemon, whose context is a struct fake_site. */
enum MHD_Result fake_connection_handle(void *site, struct MHD_Connection *connection,
                                       const char *url, const char *method, const char *version,
                                       const char *upload, size_t *upload_length, void **context);
void fake_connection_completed(void *site, struct MHD_Connection *connection, void **context,
                               enum MHD_RequestTerminationCode code);
/* Keeps the target as it was sent: query included, still encoded. */
void *fake_connection_started(void *site, const char *target, struct MHD_Connection *connection);

/*
 * Resumes what is due. Returns the milliseconds until the next is, -1 if none
 * waits, and 0 after resuming something: the daemons must be run then.
 */
int fake_connections_wake(struct fake_hub *hub, uint64_t now_ms);
/* Ends the streams of a site (NULL: of all), so that its daemon can be stopped. */
void fake_connections_release(struct fake_hub *hub, const struct fake_site *site);

uint64_t fake_now_ms(void);

#endif
