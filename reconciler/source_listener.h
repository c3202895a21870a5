/*
 * source_listener.h - who is told what a source says that is read again and again.
 *
 * Callbacks come from the loop, and may close the source.
 */
#ifndef RECONCILER_SOURCE_LISTENER_H
#define RECONCILER_SOURCE_LISTENER_H

#include "reconciler/desired.h"

struct source_listener {
    void *context;
    /* A revision that is whole and good, the callee's from now on. */
    void (*taken)(void *context, struct desired *desired);
    /*
     * revision: of what is refused; NULL where it could not be read. Only
     * where it is another problem, or another revision, than before.
     */
    void (*refused)(void *context, const char *revision, const char *problem);
    /* After each look: NULL, or why it did not go well, and how long until the next by itself. */
    void (*looked)(void *context, const char *problem, uint64_t next_ms);
};

#endif
