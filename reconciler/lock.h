/*
 * lock.h - one process at a time acts on one fleet of one engine.
 *
 * An advisory lock on a file in the runtime folder ($XDG_RUNTIME_DIR, else
 * /run/kind for root, else /tmp/kind-<uid>), named after engine and fleet. The
 * kernel drops it when the process dies, so it is never stale. The file says
 * who holds it.
 */
#ifndef RECONCILER_LOCK_H
#define RECONCILER_LOCK_H

#include "base/error.h"
#include <stdint.h>

/* The descriptor that holds the lock; close it to let go. */
struct lock {
    int fd; /* -1: not held */
};

/*
 * Tries once. 0 with lock->fd >= 0: held. 0 with fd -1: another has it, and
 * *holder (heap, the caller frees) says who: "process 4711 (kind apply -f lab/)".
 */
int lock_try(const char *engine, const char *fleet, const char *command, struct lock *lock,
             char **holder, struct error **err);
void lock_release(struct lock *lock);

/*
 * The path of a file beside the lock of this fleet, in its folder, which is made: suffix
 * ".watch.json". Heap, the caller frees; NULL and *err.
 */
char *lock_beside(const char *engine, const char *fleet, const char *suffix, struct error **err);

#endif
