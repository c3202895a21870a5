/*
 * mirror.h - a local copy of one collection of the API, kept by list and watch.
 *
 * The copy is a jansson object, "namespace/name" (or "name") to the API object,
 * without what nobody here reads (managed fields, node images, and, unless asked
 * for, annotations).
 * A mirror never gives up: it lists again after an expired version and tries
 * again, with backoff, after a failure. Meanwhile the last copy stays.
 */
#ifndef CLUSTER_API_MIRROR_H
#define CLUSTER_API_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "api.h"
#include "loop.h"

struct mirror;

/* Both are borrowed and outlive the mirror; changed(context) tells of a new copy. */
struct mirror *mirror_new(struct api *api, struct loop *loop, const char *path,
                          void (*changed)(void *context), void *context);
void mirror_free(struct mirror *mirror);

/* For who reads annotations; to be called before the first tick. */
void mirror_keep_annotations(struct mirror *mirror);

/* Starts what is due; returns when to be called again. */
uint64_t mirror_tick(struct mirror *mirror, uint64_t now_ms);

/* Has the collection been seen whole, at least once? */
bool mirror_synced(const struct mirror *mirror);

/* Borrowed, and valid until the loop runs again. */
json_t *mirror_objects(const struct mirror *mirror);

#endif
