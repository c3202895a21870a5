#include "model/load_manifests.h"

#include "base/memory.h"
#include "model/load_types.h"
#include "model/path.h"

/* A file as it was found; `text` is NULL if it could not be read or is wrong. */
struct manifest_file {
    const char *base, *path; /* the file that names it, and how */
    const char *text;
    const char *file; /* absolute; NULL if it could not be read */
};

struct manifest_files {
    struct manifest_file *items;
    size_t count, bytes;
};

/* The text of a field that must be one; NULL if it is none, or empty. */
static const char *text_of(const struct tree *object, const char *name)
{
    const struct tree *value = tree_get(object, name);
    return value && value->kind == TREE_SCALAR && !tree_is_null(value) && *value->scalar
               ? value->scalar
               : NULL;
}

static void check_object(struct loader *loader, const struct tree *object);

/* The items of a List are objects themselves. */
static void check_list(struct loader *loader, const struct tree *list)
{
    const struct tree *items = tree_get(list, "items");
    for (size_t i = 0; items && items->kind == TREE_LIST && i < items->count; i++)
        check_object(loader, items->items[i]);
}

static void check_object(struct loader *loader, const struct tree *object)
{
    if (object->kind != TREE_MAP) {
        problem_add(loader->problems, object->place, "expected a Kubernetes object, found a %s",
                    object->kind == TREE_LIST ? "list" : "single value");
        return;
    }
    const char *api_version = text_of(object, "apiVersion"), *kind = text_of(object, "kind");
    if (!api_version)
        problem_add(loader->problems, object->place, "the object has no apiVersion");
    if (!kind) {
        problem_add(loader->problems, object->place, "the object has no kind");
        return;
    }
    if (tree_get(object, "items") && strcmp(kind, "List") == 0) {
        check_list(loader, object);
        return;
    }
    const struct tree *metadata = tree_get(object, "metadata");
    if (!metadata || metadata->kind != TREE_MAP || !text_of(metadata, "name"))
        problem_add(loader->problems, object->place,
                    "the %s has no metadata.name; it is needed to find it again",
                    problem_quote(loader->problems, kind));
}

/* True if all of a text are objects; one without any says so, but is fine. */
static bool check_text(struct loader *loader, const struct load_text *text)
{
    struct tree_stream stream;
    size_t errors = loader->problems->errors, objects = 0;
    /* As kubectl reads them: of duplicate keys the last counts. */
    tree_parse(loader->arena, text->file, text->bytes, text->length, TREE_LAST_KEY_WINS, &stream,
               loader->problems);
    for (size_t i = 0; i < stream.count; i++) {
        if (tree_is_null(stream.documents[i]))
            continue;
        check_object(loader, stream.documents[i]);
        objects++;
    }
    if (!objects && loader->problems->errors == errors)
        problem_warn(loader->problems, (struct place){.file = text->file}, "holds no object");
    return loader->problems->errors == errors;
}

/* file->text stays NULL, with a report, if it cannot be read or used. */
static void read_text(struct loader *loader, const struct cursor *at, struct manifest_file *file)
{
    const struct load_options *options = loader->options;
    struct load_text text = {0};
    cleanup_error struct error *err = NULL;
    if (!options->read_file) {
        load_error(loader, at, "%s: files cannot be read from here",
                   problem_quote(loader->problems, file->path));
        return;
    }
    if (options->read_file(options->read_context, loader->arena, file->base, file->path, &text,
                           &err)) {
        load_error(loader, at, "%s", err->message);
        return;
    }
    file->file = path_absolute(loader->arena, options->base_folder, text.file);
    loader->manifests->bytes += text.length;
    if (loader->manifests->bytes > MANIFEST_TOTAL_BYTES_MAX) {
        load_error(loader, at, "all manifests together are more than %d MiB",
                   MANIFEST_TOTAL_BYTES_MAX / 1024 / 1024);
        return;
    }
    if (check_text(loader, &text))
        file->text = text.bytes;
}

static const char *find_text(struct loader *loader, const struct cursor *at, const char *path)
{
    struct arena *arena = loader->arena;
    if (!loader->manifests)
        loader->manifests = arena_alloc(arena, sizeof(*loader->manifests));
    struct manifest_files *files = loader->manifests;
    const char *base = at->place.file;
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].base, base) == 0 && strcmp(files->items[i].path, path) == 0)
            return files->items[i].text;
    }
    files->items = arena_grow(arena, files->items, files->count, sizeof(*files->items));
    struct manifest_file *file = &files->items[files->count++];
    *file = (struct manifest_file){.base = base, .path = path};
    read_text(loader, at, file);
    return file->text;
}

bool manifests_hold(const struct loader *loader, const char *file)
{
    if (!loader->manifests || !loader->manifests->count)
        return false;
    const char *absolute = path_absolute(loader->arena, loader->options->base_folder, file);
    for (size_t i = 0; i < loader->manifests->count; i++) {
        const char *known = loader->manifests->items[i].file;
        if (known && strcmp(known, absolute) == 0)
            return true;
    }
    return false;
}

static bool is_path(struct loader *loader, const struct cursor *at, const char *path)
{
    bool good = *path && strlen(path) <= MANIFEST_PATH_BYTES_MAX;
    for (const char *c = path; *c; c++)
        good = good && (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (!good)
        load_error(loader, at, "%s is not the path of a file",
                   problem_quote(loader->problems, path));
    return good;
}

static bool is_named_twice(struct loader *loader, const struct cursor *at,
                           const struct manifest_spec *items, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].path, path) != 0)
            continue;
        load_error(loader, at, "%s stands in the list twice",
                   problem_quote(loader->problems, path));
        return true;
    }
    return false;
}

static void read_manifests(struct loader *loader, const struct cursor *at,
                           const struct field *field, void *object)
{
    struct cluster_spec *spec = object;
    const struct field item_field = {.offset = 0};
    (void)field;
    if (!load_expect(loader, at, TREE_LIST, "a list of files"))
        return;
    if (at->tree->count > MANIFEST_FILES_MAX) {
        load_error(loader, at, "%zu files; a cluster may have %d, each with many objects",
                   at->tree->count, MANIFEST_FILES_MAX);
        return;
    }
    struct manifest_spec *items = arena_array(loader->arena, at->tree->count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        const char *path = NULL;
        if (item.tree)
            read_string(loader, &item, &item_field, &path);
        if (!path || !is_path(loader, &item, path) ||
            is_named_twice(loader, &item, items, count, path))
            continue;
        const char *text = find_text(loader, &item, path);
        if (text)
            items[count++] = (struct manifest_spec){path, text, item.place};
    }
    spec->manifests = items;
    spec->manifest_count = count;
}

const struct field_type type_manifests = {
    read_manifests, FIELD_JSON,
    "{\"type\":\"array\",\"maxItems\":64,\"items\":{\"type\":[\"string\",\"null\"]}}"};
