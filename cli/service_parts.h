/*
 * service_parts.h - what the files of the service share.
 *
 * service.c has the life and the loop, service_route.c what is asked and who
 * may, service_hook.c the hook, service_stream.c the streams of events.
 */
#ifndef CLI_SERVICE_PARTS_H
#define CLI_SERVICE_PARTS_H

#include "cli/metrics.h"
#include "cli/page.h"
#include "cli/secret_file.h"
#include "cli/service.h"
#include "cli/status_json.h"
#include <microhttpd.h>
#include <openssl/evp.h>

enum {
    SERVICE_CONNECTIONS_MAX = 256,
    SERVICE_STREAMS_MAX = 64,
    SERVICE_HEADER_BYTES_MAX = 32 * 1024, /* and what else a connection needs memory for */
    SERVICE_BODY_BYTES_MAX = 1024 * 1024,
    SERVICE_ASK_MS = 10000,   /* a request must be whole by then */
    SERVICE_REPLY_MS = 30000, /* and a reply be taken */
    SERVICE_IDLE_S = 30,      /* a stream's reader that takes nothing for so long is cut off */
    SERVICE_KEEP_ALIVE_MS = 15000,
    SERVICE_SETTLE_MS = 20, /* changes come in flocks: these go out together */
    SERVICE_PUSH_MS = 200,  /* between two flocks */
    SERVICE_POLL_MS = 1000, /* between two polls that the hook asks for */
};

enum peer_state { PEER_ASKING, PEER_ANSWERED, PEER_STREAMING };

/* A connection. */
struct peer {
    struct peer *next, *previous;
    int fd;
    enum peer_state state;
    uint64_t since_ms; /* of the state */
    bool cut;          /* it took too long */
};

struct stream;

struct service {
    struct service_options options;
    char *address;
    bool loopback;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned handles; /* not closed yet */
    struct secret_file token, hook;
    struct page page;
    struct peer *peers;
    struct stream *streams;
    char boot[20]; /* names this run in the ids of events */
    struct metrics_service counts;
    uint64_t polled_at_ms; /* by the hook */
    bool polled, poll_wanted;
    uint64_t pushed_at_ms;
    uint64_t push_at_ms; /* when streams are to be woken; 0: nothing is new */
    bool closing;
};

/* A request on its way. */
struct asked {
    struct service *service;
    struct peer *peer;
    size_t body_bytes;
    EVP_MAC_CTX *mac;                 /* of the hook */
    const struct hook_scheme *hooked; /* by whose rules */
    char *proof;                      /* what the header says */
    bool begun;
};

uint64_t service_now_ms(const struct service *service);
struct status_clock service_clock(const struct service *service);

/* Starts the timer anew: something may be due earlier than before. */
void service_schedule(struct service *service);

/* --- Replies. --- */

enum MHD_Result service_reply_text(struct MHD_Connection *connection, struct asked *asked,
                                   unsigned status, const char *text);

/* Adds the headers of every reply and sends it; steals the response. */
enum MHD_Result service_reply(struct MHD_Connection *connection, struct asked *asked,
                              unsigned status, const char *content_type,
                              struct MHD_Response *response);

/* --- service_route.c --- */

/* An MHD_AccessHandlerCallback; the context is the service. */
enum MHD_Result service_handle(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *body,
                               size_t *body_bytes, void **slot);
void service_asked_free(struct asked *asked);

/* --- service_hook.c --- */

/* Called for the head, for each piece of the body, and at its end. */
enum MHD_Result service_hook_begin(struct MHD_Connection *connection, struct asked *asked);
void service_hook_body(struct asked *asked, const char *bytes, size_t length);
enum MHD_Result service_hook_end(struct MHD_Connection *connection, struct asked *asked);

/* Polls, if one was asked for and the last is long enough ago. */
void service_poll_if_due(struct service *service);

/* --- service_stream.c --- */

enum MHD_Result service_stream_begin(struct MHD_Connection *connection, struct asked *asked);

/* Wakes those for whom there is something; all of them when the service is closing. */
void service_streams_wake(struct service *service);

/* When something is to be sent next; UINT64_MAX: not by itself. */
uint64_t service_streams_due_ms(const struct service *service);

#endif
