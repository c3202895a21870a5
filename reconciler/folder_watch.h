/*
 * folder_watch.h - wakes whoever reads a folder of desired state when something in it changes.
 *
 * Of each path the whole tree is watched, or the one file, on an inotify descriptor of its own.
 * It only wakes: what changed is found by reading all again (source.h), and every minute all the
 * same, since network file systems and what is mounted over a folder tell nothing. Nothing is lost
 * between the watching and the reading: when `changed` is called, new subfolders are watched
 * already.
 *
 * - A path that is missing wakes when it comes to be, also when all its folders do so one by one;
 *   so does one that was deleted, moved away, unmounted or is not to be read.
 * - Symbolic links are followed as source.h follows them, each on its own way: a link that is
 * turned to something else wakes (Kubernetes' `..data`), and so does what it points to.
 * - An atomic rename onto a file, as editors do it, is a change of it. A file that is being written
 *   wakes when it is closed. Hidden names and editors' own (`x~`, `x.swp`, `4913`, `#x#`) do not
 * wake.
 * - Files that a manifest names outside of the paths are not watched; name them as paths.
 *
 * Everything runs on the loop's thread.
 */
#ifndef RECONCILER_FOLDER_WATCH_H
#define RECONCILER_FOLDER_WATCH_H

#include "base/error.h"
#include <stdint.h>
#include <uv.h>

enum {
    FOLDER_WATCH_SETTLE_MS = 100,  /* a good settle_ms: longer than an editor's save */
    FOLDER_WATCH_LATEST_MS = 1000, /* a storm without end wakes this long after its first event */
    FOLDER_WATCH_FOLDERS_MAX = 10000, /* as many as a source may have files */
};

struct folder_watch;

/*
 * Calls changed once nothing happened for settle_ms, but never later than FOLDER_WATCH_LATEST_MS
 * after the first event. Paths are copied; "-" is passed over. Changed may close the watch.
 *
 * Fails (ERROR_UNAVAILABLE, with the sysctl that helps) when the host gives no inotify descriptor.
 * What only keeps a part from being watched is told by folder_watch_problem.
 */
int folder_watch_open(uv_loop_t *loop, const char *const *paths, size_t count, uint32_t settle_ms,
                      void (*changed)(void *context), void *context, struct folder_watch **watch,
                      struct error **err);

/* No call of changed comes after it. Its memory is freed once the loop has run. NULL is fine. */
void folder_watch_close(struct folder_watch *watch);

/*
 * Looks for what is to be watched from the start. To be called before the reading that is due every
 * minute: it finds what no event tells of, such as a file system mounted over a folder.
 */
void folder_watch_renew(struct folder_watch *watch);

/*
 * Why a part is not watched, or NULL: too many folders, or the host's limit of inotify watches,
 * with the sysctl that helps. Its changes are found by reading alone. Owned by the watch, until the
 * loop runs on. It ends by itself at a later look, if it can.
 */
const struct error *folder_watch_problem(const struct folder_watch *watch);

#endif
