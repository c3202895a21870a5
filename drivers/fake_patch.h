/*
 * fake_patch.h - the patches a cluster API takes.
 */
#ifndef DRIVERS_FAKE_PATCH_H
#define DRIVERS_FAKE_PATCH_H

#include <jansson.h>

/*
 * RFC 7386, in place: null deletes, objects merge, the rest replaces. Stands
 * in for server-side apply and strategic merge too.
 */
void fake_patch_merge(json_t *target, json_t *patch);

/* RFC 6902: add, replace, remove and test, in place. Returns -1 if one does not apply. */
int fake_patch_operations(json_t *target, json_t *operations);

#endif
