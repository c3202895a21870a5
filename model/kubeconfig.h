/*
 * kubeconfig.h - entries of one cluster in a user's kubeconfig, as upstream merges them.
 *
 * Pure: texts in, text out; reading, locking and writing is drivers/. All
 * unknown fields survive; comments and fields beside `name` in a list entry do
 * not (upstream's limits). Cluster, user and context are named `kind-<name>`.
 */
#ifndef MODEL_KUBECONFIG_H
#define MODEL_KUBECONFIG_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

enum kubeconfig_context { KUBECONFIG_KEEP_CONTEXT, KUBECONFIG_SET_CONTEXT };

/*
 * Takes kubeadm's admin.conf (exactly one cluster, user, context) and renames
 * all to kind-<cluster>; server replaces the URL unless NULL. Appends YAML.
 */
int kubeconfig_from_admin(const char *admin_conf, const char *cluster, const char *server,
                          struct text *out, struct error **err);

/*
 * Merges one cluster's kubeconfig (as made above) into existing text ("" for
 * none). With KUBECONFIG_SET_CONTEXT current-context is set to it; with KEEP
 * it stays as it is, also when it is unset, and so does an entry of contexts
 * that means this cluster already (users put a namespace there). Where nothing
 * changes, the existing text comes out as it was, comments included.
 */
int kubeconfig_merge(const char *file, const char *existing, const char *cluster,
                     const char *addition, enum kubeconfig_context context, struct text *out,
                     struct error **err);

/*
 * Removes the three entries of kind-<cluster>; current-context is unset if it
 * was this cluster's. *changed tells whether anything matched; if not, out
 * stays empty and the file is to be left alone.
 */
int kubeconfig_remove(const char *file, const char *existing, const char *cluster, struct text *out,
                      bool *changed, struct error **err);

/* What a client needs to talk to the cluster; PEM texts, decoded. Heap, caller frees with _done. */
struct kubeconfig_access {
    char *server; /* "https://127.0.0.1:34567" */
    char *ca, *certificate, *key;
};

/* A text that was read, to look for many clusters in it; NULL with *err where it cannot be read. */
struct kubeconfig;
struct kubeconfig *kubeconfig_read(const char *file, const char *text, struct error **err);
void kubeconfig_free(struct kubeconfig *config);

/* As kubeconfig_access. */
int kubeconfig_find(const struct kubeconfig *config, const char *cluster,
                    struct kubeconfig_access *access, bool *found, struct error **err);

/*
 * Finds kind-<cluster> in a kubeconfig text. Returns 0 with *found false where
 * the entry (or one of its parts) is missing; -1 where the text cannot be read.
 */
int kubeconfig_access(const char *file, const char *existing, const char *cluster,
                      struct kubeconfig_access *access, bool *found, struct error **err);
void kubeconfig_access_done(struct kubeconfig_access *access);

#endif
