/*
 * kubeconfig_lock.h - the lock beside a kubeconfig, as kubectl and upstream's kind have it.
 *
 * Who creates `<path>.lock` holds it; removing it lets go. A process that is
 * killed leaves it behind. One of ours is known by what it holds (a line of
 * text; kubectl's is empty) and by an advisory lock that the kernel dropped
 * when its process died: then it is removed. What others left behind is never
 * removed; the error says how.
 */
#ifndef DRIVERS_KUBECONFIG_LOCK_H
#define DRIVERS_KUBECONFIG_LOCK_H

#include "base/error.h"
#include <stdint.h>

struct kubeconfig_lock {
    char *path; /* NULL: not held */
    int file;
};

/* Waits up to timeout_ms (0: 5 s) for the lock beside path. */
int kubeconfig_lock_take(const char *path, uint32_t timeout_ms, struct kubeconfig_lock *lock,
                         struct error **err);

/* Lets go; not held is fine. */
void kubeconfig_lock_drop(struct kubeconfig_lock *lock);

#define cleanup_kubeconfig_lock __attribute__((cleanup(kubeconfig_lock_drop)))

#endif
