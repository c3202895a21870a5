/*
 * json_patch.h - JSON Patch (RFC 6902) on JSON values.
 *
 * Strictly the RFC: what is removed, replaced, moved, copied or tested must be
 * there, an addition needs its parent, and an index is "-" or digits without a
 * leading zero. A patch has effect as a whole or not at all.
 *
 * Values grow by copies, so their number and the depth of the result have
 * limits.
 */
#ifndef MODEL_JSON_PATCH_H
#define MODEL_JSON_PATCH_H

#include "base/error.h"
#include <jansson.h>

enum {
    PATCH_6902_DEPTH_MAX = 250,
    PATCH_6902_COPIED_MAX = 100 * 1000, /* values that one patch's "copy" operations may make */
};

/*
 * The patched document, a new value that shares nothing with the old one. NULL
 * (ERROR_INVALID) names the operation, counted from 1, and what is wrong with
 * it: `operation 2: remove "/a/b": there is nothing to remove`.
 */
json_t *patch_6902_apply(const json_t *document, const json_t *patch, struct error **err);

#endif
