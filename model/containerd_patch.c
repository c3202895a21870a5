#include "model/containerd_patch.h"

#include "base/memory.h"
#include "base/plain.h"
#include "model/json_patch.h"
#include "model/merge_patch.h"
#include "model/toml.h"
#include <assert.h>

/* 0: there is none. Anything but an integer is an error, in a patch, too. */
static int read_version(const json_t *config, json_int_t *version, struct error **err)
{
    const json_t *value = json_object_get(config, "version");
    *version = json_integer_value(value);
    if (!value || json_is_integer(value))
        return 0;
    return error_set(err, ERROR_INVALID, "version is not an integer");
}

/* Replaces *config, an owned value, by what the patch makes of it. */
static int merge(json_t **config, json_int_t version, const char *patch, json_int_t *patch_version,
                 struct error **err)
{
    json_auto_t *changes = toml_read(patch, strlen(patch), err);
    if (!changes || read_version(changes, patch_version, err) < 0)
        return -1;
    if (*patch_version && *patch_version != version)
        return 0;
    json_t *merged = merge_patch_apply(*config, changes);
    json_decref(*config);
    *config = merged;
    return 0;
}

static json_t *read_operations(const char *patch, struct error **err)
{
    json_error_t problem;
    json_t *operations = json_loads(patch, JSON_DECODE_ANY, &problem);
    if (operations)
        return operations;
    cleanup_text struct text what; /* jansson quotes what it did not understand */
    text_init(&what, 0);
    plain_add(&what, problem.text);
    (void)error_set(err, ERROR_INVALID, "%d:%d: no JSON: %s", problem.line,
                    problem.column > 0 ? problem.column : 1, what.data);
    return NULL;
}

static int operate(json_t **config, const char *patch, struct error **err)
{
    json_auto_t *operations = read_operations(patch, err);
    json_t *patched = operations ? patch_6902_apply(*config, operations, err) : NULL;
    if (!patched)
        return -1;
    json_decref(*config);
    *config = patched;
    return 0;
}

static int apply_merges(json_t **config, const struct string_list *patches, struct text *skipped,
                        struct error **err)
{
    json_int_t version, patch_version;
    if (read_version(*config, &version, err) < 0)
        return error_wrap(err, "containerd's configuration");
    if (!version)
        return error_set(err, ERROR_INVALID, "containerd's configuration has no version");
    for (size_t i = 0; i < patches->count; i++) {
        if (merge(config, version, patches->items[i], &patch_version, err) < 0)
            return error_wrap(err, "containerdConfigPatches[%zu]", i);
        if (patch_version && patch_version != version)
            text_add_format(skipped,
                            "containerdConfigPatches[%zu] has no effect: it is for version "
                            "%" JSON_INTEGER_FORMAT " of containerd's configuration; the node's is "
                            "%" JSON_INTEGER_FORMAT "\n",
                            i, patch_version, version);
    }
    return 0;
}

static int apply_operations(json_t **config, const struct string_list *patches, struct error **err)
{
    for (size_t i = 0; i < patches->count; i++)
        if (operate(config, patches->items[i], err) < 0)
            return error_wrap(err, "containerdConfigPatchesJSON6902[%zu]", i);
    return 0;
}

int containerd_config_patch(const char *config, size_t length, const struct cluster_spec *spec,
                            struct text *text, struct text *unmatched, struct error **err)
{
    json_auto_t *value = toml_read(config, length, err);
    if (!value)
        return error_wrap(err, "containerd's configuration");
    cleanup_text struct text skipped, printed;
    text_init(&skipped, 0);
    text_init(&printed, 0);
    if (apply_merges(&value, &spec->containerd_patches, &skipped, err) < 0 ||
        apply_operations(&value, &spec->containerd_patches_6902, err) < 0)
        return -1;
    if (toml_print(value, &printed, err) < 0)
        return error_wrap(err, "containerd's patched configuration");
    text_add(text, printed.data);
    if (unmatched)
        text_add(unmatched, skipped.data);
    return 0;
}

int containerd_patch_check(const char *patch, struct error **err)
{
    json_auto_t *value = toml_read(patch, strlen(patch), err);
    return value ? 0 : -1;
}

int containerd_patch_check_6902(const char *patch, struct error **err)
{
    json_auto_t *value = read_operations(patch, err);
    return value ? 0 : -1;
}
