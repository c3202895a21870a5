/*
 * loop.h - one thread, one poll(): sockets of ours beside libcurl's transfers.
 *
 * Timers are not kept here. Whoever waits for a time has a `_tick` function
 * that does what is due and returns when it wants to be called again; main
 * takes the earliest of these and hands it to loop_wait().
 */
#ifndef CLUSTER_API_LOOP_H
#define CLUSTER_API_LOOP_H

#include <stdint.h>

#include <curl/curl.h>

#define LOOP_NEVER UINT64_MAX

struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* The transfers that loop_wait() drives; borrowed. */
CURLM *loop_transfers(struct loop *loop);

/*
 * Calls readable(context, fd) whenever fd can be read. Returns -1 if there are
 * too many already. The loop does not own fd: remove it before closing.
 */
int loop_add(struct loop *loop, int fd, void (*readable)(void *context, int fd), void *context);
void loop_remove(struct loop *loop, int fd);

/* A transfer's CURLOPT_PRIVATE is the first member of its owner. */
struct loop_transfer {
    void (*ended)(struct loop_transfer *transfer, CURLcode result);
};

/* Sleeps until something happens or until_ms has come; calls who is concerned. */
void loop_wait(struct loop *loop, uint64_t until_ms);

/* Milliseconds of the monotonic clock. */
uint64_t loop_now_ms(void);

/* One line to standard error, which is the pod's log. */
void loop_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
