#include "model/load_version.h"

#include "base/memory.h"
#include "model/load_types.h"
#include "model/version.h"

/* Upstream publishes its node images under this name, the tag being the version. */
static const char upstream_images[] = "kindest/node";

static const char *without_v(const char *version)
{
    return version + (*version == 'v');
}

static bool is_full(const char *text, struct version *version)
{
    cleanup_error struct error *err = NULL;
    return version_parse(text, version, &err) == 0;
}

/* "1.20", with or without a v; such a one is read as its patch version 0. */
static bool is_minor(const char *text, struct version *version)
{
    cleanup_free char *whole = memory_format("%s.0", text);
    if (strpbrk(text, "-+") || !is_full(whole, version))
        return false;
    *version = (struct version){version->major, version->minor, 0, NULL, 0};
    return true;
}

static void check_version(struct loader *loader, const struct cursor *at, const char *text)
{
    struct version version;
    if (!is_full(text, &version) && !is_minor(text, &version))
        load_error(loader, at, "%s is not a version; write it like v1.20.2 or 1.20",
                   problem_quote(loader->problems, text));
}

static void read_version(struct loader *loader, const struct cursor *at, const struct field *field,
                         void *object)
{
    const char **slot = field_slot(field, object);
    read_string(loader, at, field, object);
    if (*slot)
        check_version(loader, at, *slot);
}

const struct field_type type_version = {
    read_version, FIELD_JSON,
    "{\"type\":[\"string\",\"number\"],\"pattern\":\"^v?[0-9]+\\\\.[0-9]+\"}"};

static void read_images(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    type_pairs.read(loader, at, field, object);
    for (size_t i = 0; at->tree->kind == TREE_MAP && i < at->tree->count; i++) {
        struct cursor entry = cursor_entry(at, i);
        struct cursor key = entry;
        key.place = at->tree->entries[i].key->place;
        check_version(loader, &key, entry.name);
        if (!entry.tree || (entry.tree->kind == TREE_SCALAR && !*entry.tree->scalar))
            load_error(loader, &entry, "expected the name of an image");
    }
}

const struct field_type type_images = {
    read_images, FIELD_JSON,
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},"
    "\"propertyNames\":{\"pattern\":\"^v?[0-9]+\\\\.[0-9]+\"}}"};

/* The image of exactly this version, or of the newest of this minor one. */
static const char *find_image(const char *wanted, const struct pair_list *images)
{
    struct version minor, newest = {0}, version;
    const char *best = NULL;
    bool any_patch = is_minor(wanted, &minor);
    for (size_t i = 0; i < images->count; i++) {
        const struct pair *pair = &images->items[i];
        if (strcmp(without_v(pair->key), without_v(wanted)) == 0)
            return pair->value;
        if (!any_patch || !is_full(pair->key, &version) || version.major != minor.major ||
            version.minor != minor.minor || (best && version_compare(&version, &newest) < 0))
            continue;
        newest = version;
        best = pair->value;
    }
    return best;
}

const char *version_image(struct loader *loader, const struct cursor *at, const char *version,
                          const struct pair_list *images)
{
    struct version full;
    const char *image = find_image(version, images);
    if (image)
        return image;
    if (is_full(version, &full))
        return arena_format(loader->arena, "%s:v%s", upstream_images, without_v(version));
    if (is_minor(version, &full))
        load_error(loader, at,
                   "%s names no patch version, and no Fleet has an image of it; write all three "
                   "numbers, or spec.images of a Fleet",
                   problem_quote(loader->problems, version));
    return NULL;
}
