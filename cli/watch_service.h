/*
 * watch_service.h - what a watcher tells over HTTP (service.h), and that it is asked there to look.
 *
 * Everything may be called with NULL: nobody listens then, and nothing is kept.
 */
#ifndef CLI_WATCH_SERVICE_H
#define CLI_WATCH_SERVICE_H

#include "base/error.h"
#include "cli/session.h"
#include "cli/watch_file.h"
#include "reconciler/engine.h"

struct watch_service_options {
    const char *listen; /* NULL: not at all */
    const char *token_file, *hook_secret_file;
};

/* Rows of an option table; field: where in the target the options are. */
#define WATCH_SERVICE_ROWS(target, field)                                                          \
    {.long_name = "listen",                                                                        \
     .argument = "ADDRESS",                                                                        \
     .help = "serve status page, metrics and API, as at 127.0.0.1:9440",                           \
     .kind = OPTION_STRING,                                                                        \
     .offset = offsetof(target, field.listen)},                                                    \
        {.long_name = "listen-token",                                                              \
         .argument = "FILE",                                                                       \
         .help = "ask for the token in FILE (needed where others get there)",                      \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(target, field.token_file)},                                            \
    {                                                                                              \
        .long_name = "hook-secret", .argument = "FILE",                                            \
        .help = "let /hook, signed with the secret in FILE, mean \"look now\"",                    \
        .kind = OPTION_STRING, .offset = offsetof(target, field.hook_secret_file)                  \
    }

struct watch_service_setup {
    const struct watch_service_options *given;
    uv_loop_t *loop;
    const char *fleet, *engine; /* outlive it */
    void *context;
    void (*poll_now)(void *context);
    const char *(*unready)(void *context); /* why it is not ready; NULL: it is */
};

struct watch_service;

/* *ret_service is NULL where --listen was not given. */
int watch_service_open(const struct watch_service_setup *setup, struct watch_service **ret_service,
                       struct error **err);
void watch_service_close(struct watch_service *service);

/* "127.0.0.1:9440"; or NULL. */
const char *watch_service_address(const struct watch_service *service);

void watch_service_report(struct watch_service *service, const struct report *report);

/* The clusters of the revision in force. */
void watch_service_desire(struct watch_service *service, const struct fleet_spec *fleet);
void watch_service_drop(struct watch_service *service, const char *cluster);

/* The engine and the source are so. */
void watch_service_tell(struct watch_service *service, const struct watched *watched);

/* A look at the source is over: NULL, or why it did not go well; and when the next comes. */
void watch_service_looked(struct watch_service *service, const struct watched *watched,
                          const char *problem, uint64_t next_ms);

/* How many clusters wait for their turn, and how many have it. */
void watch_service_queue(struct watch_service *service, size_t waiting, size_t working);

#endif
