/*
 * merge_patch.h - JSON Merge Patch (RFC 7386), and how kubeadm's documents take it.
 *
 * A map is merged member by member, null removes, all else replaces. One
 * deviation, upstream's: a null inside a map inside a list removes, too,
 * where the RFC would keep it.
 */
#ifndef MODEL_MERGE_PATCH_H
#define MODEL_MERGE_PATCH_H

#include <jansson.h>
#include <stddef.h>

/* The merged document, a new value that shares nothing with the two. */
json_t *merge_patch_apply(const json_t *target, const json_t *patch);

/*
 * The same for a document of kubeadm's configuration, where two kinds of list
 * are not replaced, at any depth: to `certSANs` the patch's are added; and
 * `extraArgs` and `kubeletExtraArgs` of an api_version that ends in v1beta4,
 * lists of name and value, are merged by name: a value of null (or none)
 * removes, a new name goes to the end. An old patch that has a map there
 * counts as such a list if it has no apiVersion; otherwise the map has no
 * effect, and *ignored counts it.
 */
json_t *merge_patch_kubeadm(const json_t *target, const json_t *patch, const char *api_version,
                            size_t *ignored);

#endif
