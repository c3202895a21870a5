/*
 * kubeconfig_file.h - kubeconfig files of the user: found, locked, read, replaced.
 *
 * Which file it is follows kubectl: --kubeconfig, else the list in KUBECONFIG,
 * else ~/.kube/config. While a file is changed `<path>.lock` exists, as
 * kubectl and upstream's kind have it. A file is replaced whole (written
 * beside it and renamed), its mode and owner stay, a symbolic link is followed;
 * what would not change is not written. Calls block, on small local files.
 */
#ifndef DRIVERS_KUBECONFIG_FILE_H
#define DRIVERS_KUBECONFIG_FILE_H

#include "base/error.h"
#include "model/kubeconfig.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kubeconfig_paths {
    char **items; /* at least one, none twice */
    size_t count;
    uint32_t lock_timeout_ms; /* how long to wait for another's lock; 0: 5 s */
    /*
     * Of a service, else NULL: items do not count, each cluster has a file of
     * its own here, "ci.kubeconfig", whose current context it is. It goes with the cluster.
     */
    char *folder;
};

/* A service's: every cluster in a file of its own in this folder, which is made when there is one.
 */
void kubeconfig_paths_in(const char *folder, struct kubeconfig_paths *paths);

/*
 * flag is the value of --kubeconfig, NULL or "" if not given. Reads KUBECONFIG
 * and HOME from the environment; fails where none of the three says anything.
 */
int kubeconfig_paths_find(const char *flag, struct kubeconfig_paths *paths, struct error **err);
void kubeconfig_paths_done(struct kubeconfig_paths *paths);

/*
 * The file that is written to: the first that exists, else the last. Borrowed
 * from paths.
 */
const char *kubeconfig_paths_target(const struct kubeconfig_paths *paths);

/* Merges the addition (from kubeconfig_from_admin) into the target; makes its folder and it. */
int kubeconfig_file_put(const struct kubeconfig_paths *paths, const char *cluster,
                        const char *addition, enum kubeconfig_context context, struct error **err);

/*
 * Removes the cluster's entries from every file of the list that exists, in
 * order, up to the first error. *changed tells whether any file was.
 */
int kubeconfig_file_remove(const struct kubeconfig_paths *paths, const char *cluster, bool *changed,
                           struct error **err);

/*
 * For who looks for many clusters at once: a file is looked at each time, but
 * read again only if it is another one than it was, or was written a moment
 * before. All entries stay in memory until it forgets them.
 */
struct kubeconfig_reader;
struct kubeconfig_reader *kubeconfig_reader_new(void);
void kubeconfig_reader_forget(struct kubeconfig_reader *reader);
void kubeconfig_reader_free(struct kubeconfig_reader *reader); /* NULL: nothing */

/* Looks the cluster up in each file in turn (kubeconfig_access); absent files are passed over. */
int kubeconfig_file_access(struct kubeconfig_reader *reader, const struct kubeconfig_paths *paths,
                           const char *cluster, struct kubeconfig_access *access, bool *found,
                           struct error **err);

#endif
