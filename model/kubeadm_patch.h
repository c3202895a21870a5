/*
 * kubeadm_patch.h - the user's patches on kubeadm's documents, as upstream applies them.
 *
 * The cluster's patches come first, then the node's own; in each of the two
 * first all merge patches, then all JSON patches. A merge patch may be a
 * stream of documents, split at each line that begins with "---". A patch
 * changes those documents whose kind is its kind and whose apiVersion is its
 * own, or any where it has none; group and version of a JSON patch are its
 * apiVersion.
 *
 * Upstream is silent about patches that change nothing. Here they are told.
 */
#ifndef MODEL_KUBEADM_PATCH_H
#define MODEL_KUBEADM_PATCH_H

#include "base/error.h"
#include "base/text.h"
#include "model/spec.h"
#include <jansson.h>

/* One document of a stream may be this long and no longer: upstream's limit. */
enum { KUBEADM_PATCH_BYTES_MAX = 64 * 1024 - 1 };

/*
 * Replaces items of documents, an array, by their patched form. Appends a
 * line to unmatched (NULL: not wanted) for each patch that changed nothing: its name,
 * what it is for, and what there is. Not told are documents that are there
 * for the sake of another apiVersion: their kind exists, and another patch of
 * the same list was for it.
 *
 * Fails (ERROR_INVALID) on a patch that cannot be read or applied, by its
 * name and, where known, its place: `nodes[ci-worker].kubeadmConfigPatches[0]:
 * 3:5: ...`. Then documents are left half patched.
 */
int kubeadm_patch_apply(const struct cluster_spec *spec, const struct node_spec *node,
                        json_t *documents, struct text *unmatched, struct error **err);

/* Whether a stream of merge patches, or the list of a JSON patch, can be read: "3:5: ..." in it. */
int kubeadm_patch_check(const char *stream, struct error **err);
int kubeadm_patch_check_6902(const char *patch, struct error **err);

#endif
