/*
 * http_exchange.h - one request on one curl handle; private to http.c.
 *
 * This half knows curl's easy interface: options, what comes in, what a
 * failure means. http.c is the other half and decides when an exchange
 * starts and ends. An exchange lives until its timer's close callback.
 */
#ifndef DRIVERS_HTTP_EXCHANGE_H
#define DRIVERS_HTTP_EXCHANGE_H

#include "base/text.h"
#include "drivers/transport.h"
#include <curl/curl.h>
#include <sys/queue.h>
#include <uv.h>

enum exchange_state {
    EXCHANGE_QUEUED,  /* not yet given to curl */
    EXCHANGE_RUNNING, /* curl works on it */
    EXCHANGE_OVER,    /* ended or canceled: nobody hears of it any more */
};

struct exchange {
    enum exchange_state state;
    exchange_ended *ended;
    void *context;
    bool (*on_data)(void *context, const char *bytes, size_t length);
    void (*on_head)(void *context); /* NULL once it was called */

    CURL *easy;
    CURLcode refused; /* why curl did not take an option, or CURLE_OK */
    struct curl_slist *headers;
    void *body;
    size_t (*read_body)(void *context, char *bytes, size_t room);
    size_t unread; /* bytes of the body that read_body still has */
    bool unreadable;
    char *method, *peer;
    uint32_t timeout_ms, idle_ms;

    unsigned attempts; /* times a connection was ready for the request */
    curl_off_t sent;   /* bytes of the body */
    bool head_complete;
    struct text received;
    char *api_version, *server, *path_stat;
    bool stopped; /* by on_data */
    char message[CURL_ERROR_SIZE];

    struct http *http;
    uv_timer_t idle_timer;
    uint64_t heard_at_ms;
    bool suspected; /* of having gone silent */
    bool added;     /* to curl's multi handle */
    TAILQ_ENTRY(exchange) link;
};

/* A queued exchange with its curl handle prepared; the timer and the link are http.c's. */
struct exchange *exchange_new(const struct request *request, exchange_ended *ended, void *context);

/* Frees all but the timer's memory: the struct itself is freed in its close callback. */
void exchange_done(struct exchange *exchange);

/* The reply as far as it came; valid until exchange_done. */
struct reply exchange_reply(struct exchange *exchange);

/* What curl's result means: 0 for a complete or stopped reply, or sets *err. */
int exchange_result(struct exchange *exchange, CURLcode code, struct error **err);

#endif
