/*
 * fake_ask.h - requests to a fake world in one line, for tests.
 */
#ifndef DRIVERS_FAKE_ASK_H
#define DRIVERS_FAKE_ASK_H

#include "drivers/fake_world.h"

struct fake_client {
    struct fake_world *world;
    uint64_t now_ms;
    const char *api_of; /* container id: ask its cluster API; NULL: the engine */
    int status;         /* of the last reply; 0 if the connection was dropped */
    char *body;         /* of the last reply, with what its stream said until now; owned */
    size_t length;
    bool more; /* its stream had not ended */
};

void fake_client_done(struct fake_client *client); /* the world stays */

/* line is "METHOD /target"; body may be NULL. Returns client->body. */
const char *fake_ask(struct fake_client *client, const char *line, const char *body);
/* The same with a content type and any bytes. */
const char *fake_ask_bytes(struct fake_client *client, const char *line, const char *content_type,
                           const void *body, size_t length);

/*
 * Runs a command (words parted by blanks) in a container and lets its time
 * pass. Returns its exit code, or -1 if it did not get that far; the output,
 * framed, is client->body.
 */
int fake_exec(struct fake_client *client, const char *container, const char *command);

#endif
