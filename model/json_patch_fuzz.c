#include "base/memory.h"
#include "model/json_patch.h"
#include "model/merge_patch.h"
#include <stdint.h>

/*
 * Any JSON list of a document and a patch: no crash, no leak, and the document
 * stays as it was. A merge patch that is applied once more changes nothing.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_operations(const json_t *document, const json_t *patch)
{
    cleanup_error struct error *err = NULL;
    json_auto_t *result = patch_6902_apply(document, patch, &err);
    if (!result == !err || (err && err->kind != ERROR_INVALID))
        abort();
}

static void check_merge(const json_t *document, const json_t *patch)
{
    json_auto_t *once = merge_patch_apply(document, patch);
    json_auto_t *twice = merge_patch_apply(once, patch);
    if (!json_equal(once, twice))
        abort();
    size_t ignored;
    json_decref(merge_patch_kubeadm(document, patch, "g/v1beta3", &ignored));
    json_decref(merge_patch_kubeadm(document, patch, "g/v1beta4", &ignored));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *pair = json_loadb((const char *)data, size, 0, NULL);
    const json_t *document = json_array_get(pair, 0), *patch = json_array_get(pair, 1);
    if (!document || !patch)
        return 0;
    json_auto_t *before = json_deep_copy(pair);
    check_operations(document, patch);
    check_merge(document, patch);
    if (!json_equal(pair, before))
        abort();
    return 0;
}
