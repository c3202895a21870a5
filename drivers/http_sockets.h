/*
 * http_sockets.h - curl's sockets in a libuv loop; private to http.c.
 *
 * A file descriptor must leave epoll before it is closed: libuv aborts over a
 * dead one. Hence we open and close all sockets ourselves. Some versions of
 * curl close a socket that is still connecting behind our back and tell us
 * only later; until then its number must not come back to curl, which would
 * take the new socket for the old one.
 */
#ifndef DRIVERS_HTTP_SOCKETS_H
#define DRIVERS_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <uv.h>

struct watch;

struct sockets {
    uv_loop_t *loop;
    CURLM *multi;
    /* Something happened: events are CURL_CSELECT_*. Here curl may be called. */
    void (*on_ready)(void *context, curl_socket_t fd, int events);
    /* open_count went down. */
    void (*on_closed)(void *context);
    void *context;
    size_t open_count; /* handles still in the loop; the struct must outlive them */
    LIST_HEAD(, watch) watches;
};

/* The fields up to context must be set. Takes the multi handle's socket callback. */
void sockets_init(struct sockets *sockets);

/* The handle's connections are opened and closed by us from now on. */
void sockets_adopt(struct sockets *sockets, CURL *easy);

/* Takes all out of the loop that the multi handle's clean-up has left. */
void sockets_done(struct sockets *sockets);

#endif
