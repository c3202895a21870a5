#include "loop.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "memory.h"

enum {
    WATCHED_MAX = 256,       /* sockets at once: a few listeners, and clients */
    WAIT_MS_MAX = 60 * 1000, /* a forgotten timer is late by this, not for ever */
};

struct watched {
    int fd;
    void (*readable)(void *context, int fd);
    void *context;
};

struct loop {
    CURLM *transfers;
    struct watched watched[WATCHED_MAX];
    unsigned count;
};

struct loop *loop_new(void)
{
    struct loop *loop = must(calloc(1, sizeof(*loop)));
    loop->transfers = must(curl_multi_init());
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    curl_multi_cleanup(loop->transfers);
    free(loop);
}

CURLM *loop_transfers(struct loop *loop)
{
    return loop->transfers;
}

int loop_add(struct loop *loop, int fd, void (*readable)(void *context, int fd), void *context)
{
    if (loop->count == WATCHED_MAX)
        return -1;
    loop->watched[loop->count++] = (struct watched){fd, readable, context};
    return 0;
}

void loop_remove(struct loop *loop, int fd)
{
    for (unsigned i = 0; i < loop->count; i++)
        if (loop->watched[i].fd == fd) {
            loop->watched[i] = loop->watched[--loop->count];
            return;
        }
}

/* By fd, not by place: a function called earlier may have removed others. */
static void call_readable(struct loop *loop, int fd)
{
    for (unsigned i = 0; i < loop->count; i++)
        if (loop->watched[i].fd == fd) {
            loop->watched[i].readable(loop->watched[i].context, fd);
            return;
        }
}

static void end_transfers(struct loop *loop)
{
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(loop->transfers, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        void *owner = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        struct loop_transfer *transfer = owner;
        transfer->ended(transfer, result);
    }
}

void loop_wait(struct loop *loop, uint64_t until_ms)
{
    struct curl_waitfd fds[WATCHED_MAX];
    unsigned count = loop->count;
    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct curl_waitfd){.fd = loop->watched[i].fd, .events = CURL_WAIT_POLLIN};

    uint64_t now_ms = loop_now_ms();
    uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    if (wait_ms > WAIT_MS_MAX)
        wait_ms = WAIT_MS_MAX;
    if (curl_multi_poll(loop->transfers, fds, count, (int)wait_ms, NULL) == CURLM_OK)
        for (unsigned i = 0; i < count; i++)
            if (fds[i].revents)
                call_readable(loop, fds[i].fd);

    /*
     * Only after the wait: what ends here may change when main wants to wake.
     * A new transfer does not wait, since libcurl's own timer is due at once.
     */
    int running;
    (void)curl_multi_perform(loop->transfers, &running);
    end_transfers(loop);
}

uint64_t loop_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void loop_log(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", line);
}
