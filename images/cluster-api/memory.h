/*
 * memory.h - out of memory is not an error to handle: the pod is restarted.
 */
#ifndef CLUSTER_API_MEMORY_H
#define CLUSTER_API_MEMORY_H

#include <stdlib.h>

/* Passes an allocation through, or ends the program. */
static inline void *must(void *allocated)
{
    if (!allocated)
        abort();
    return allocated;
}

static inline void free_slot(void *slot)
{
    void **pointer = slot;
    free(*pointer);
}
#define cleanup_free __attribute__((cleanup(free_slot)))

#endif
