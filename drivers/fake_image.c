#include "drivers/fake_image.h"

#include "base/memory.h"
#include "drivers/archive.h"

enum { LAYER_BYTES = 64 * 1024 }; /* of a saved image: something to be moved */

static const char *const default_nodes[] = {"kind.local/node:v1.20.2", NULL};

/* "docker.io/library/x" as "x:latest"; what is named by digest keeps no tag. */
static char *normalise(const char *reference)
{
    static const char *const prefixes[] = {"docker.io/library/", "docker.io/"};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(reference, prefixes[i], length) == 0) {
            reference += length;
            break;
        }
    }
    const char *at = strchr(reference, '@');
    const char *slash = strrchr(reference, '/');
    const char *colon = strchr(slash ? slash : reference, ':');
    if (!at)
        return memory_format(colon ? "%s" : "%s:latest", reference);
    size_t name = (size_t)((colon && colon < at ? colon : at) - reference);
    return memory_format("%.*s%s", (int)name, reference, at);
}

static bool is_listed(const char *const *list, const char *name)
{
    for (size_t i = 0; list && list[i]; i++) {
        cleanup_free char *other = normalise(list[i]);
        if (strcmp(other, name) == 0)
            return true;
    }
    return false;
}

static const char *const *node_images(const struct fake_world *world)
{
    return world->settings.node_images ? world->settings.node_images : default_nodes;
}

static struct fake_image *add(struct fake_world *world, const char *name)
{
    struct fake_image *image;
    HASH_FIND_STR(world->images, name, image);
    if (image)
        return image;
    cleanup_free char *id = fake_new_id(world);
    const char *digest = strstr(name, "@sha256:");
    image = memory_new(sizeof(*image));
    image->id = digest ? memory_string(digest + 1) : memory_format("sha256:%s", id);
    image->name = memory_string(name);
    image->node = is_listed(node_images(world), name);
    HASH_ADD_KEYPTR(hh, world->images, image->name, strlen(image->name), image);
    return image;
}

struct fake_image *fake_image_add(struct fake_world *world, const char *reference)
{
    cleanup_free char *name = normalise(reference);
    return add(world, name);
}

void fake_image_init(struct fake_world *world)
{
    const char *const *nodes = node_images(world), *const *others = world->settings.images;
    for (size_t i = 0; nodes[i]; i++)
        fake_image_add(world, nodes[i]);
    for (size_t i = 0; others && others[i]; i++)
        fake_image_add(world, others[i]);
    world->registry = json_object();
    for (size_t i = 0; world->settings.registry && world->settings.registry[i]; i++) {
        cleanup_free char *name = normalise(world->settings.registry[i]);
        json_object_set_new(world->registry, name, json_true());
    }
}

static void free_image(struct fake_world *world, struct fake_image *image)
{
    HASH_DEL(world->images, image);
    free(image->id);
    free(image->name);
    free(image);
}

void fake_images_free(struct fake_world *world)
{
    struct fake_image *image, *next;
    HASH_ITER(hh, world->images, image, next)
    {
        free_image(world, image);
    }
    json_decref(world->registry);
}

struct fake_image *fake_image_find(struct fake_world *world, const char *reference)
{
    cleanup_free char *name = normalise(reference);
    struct fake_image *image;
    HASH_FIND_STR(world->images, name, image);
    if (image)
        return image;
    const char *hex = strncmp(reference, "sha256:", 7) == 0 ? reference + 7 : reference;
    size_t length = strlen(hex);
    if (length < 4 || strspn(hex, "0123456789abcdef") != length)
        return NULL;
    for (image = world->images; image; image = image->hh.next)
        if (strncmp(image->id + 7, hex, length) == 0)
            return image;
    return NULL;
}

char *fake_image_version(const struct fake_image *image)
{
    const char *slash = strrchr(image->name, '/');
    const char *colon = strchr(slash ? slash : image->name, ':');
    bool version = colon && !strchr(image->name, '@') && colon[1] == 'v';
    return memory_string(version ? colon + 1 : "v1.20.2");
}

/* An image as lists show it; the same object serves for inspection. */
static json_t *image_json(const struct fake_image *image, uint64_t now_ms, bool inspection)
{
    bool by_digest = strchr(image->name, '@') != NULL;
    json_t *names = json_pack("[s]", image->name);
    json_t *value =
        json_pack("{s:s, s:o, s:o, s:I, s:I, s:s}", "Id", image->id, "RepoTags",
                  by_digest ? json_array() : json_incref(names), "RepoDigests",
                  by_digest ? json_incref(names) : json_array(), "Size", (json_int_t)1000000,
                  "VirtualSize", (json_int_t)1000000, "ParentId", "");
    json_decref(names);
    if (inspection) {
        json_object_set_new(value, "Created", json_string("2021-01-13T13:28:09Z"));
        json_object_set_new(value, "Architecture", json_string("amd64"));
        json_object_set_new(value, "Os", json_string("linux"));
        json_object_set_new(value, "Config",
                            json_pack("{s:n, s:{}, s:[s, s]}", "Cmd", "Labels", "Entrypoint",
                                      "/usr/local/bin/entrypoint", "/sbin/init"));
    } else {
        json_object_set_new(value, "Created", json_integer((json_int_t)(now_ms / 1000)));
        json_object_set_new(value, "Labels", json_object());
        json_object_set_new(value, "Containers", json_integer(-1));
    }
    return value;
}

static bool reference_matches(const void *context, const char *value)
{
    const struct fake_image *image = context;
    cleanup_free char *name = normalise(value);
    size_t length = strlen(value);
    bool repository = strncmp(image->name, value, length) == 0 && image->name[length] == ':';
    return repository || strcmp(image->name, name) == 0;
}

void fake_image_list(struct fake_call *call)
{
    static const char *const known[] = {"reference", "dangling", "label", "before", "since", NULL};
    json_t *filters = fake_call_filters(call, known);
    if (!filters)
        return;
    json_t *list = json_array();
    for (struct fake_image *image = call->world->images; image; image = image->hh.next)
        if (fake_filter_any(filters, "reference", reference_matches, image))
            json_array_append_new(list, image_json(image, call->now_ms, false));
    json_decref(filters);
    fake_call_reply(call, 200, list);
}

/* The image of the path, or NULL after answering 404 with these words before the name. */
static struct fake_image *find(struct fake_call *call, const char *reference, const char *words)
{
    struct fake_image *image = fake_image_find(call->world, reference);
    cleanup_free char *name = normalise(reference);
    if (!image)
        fake_call_error(call, 404, "%sNo such image: %s", words, name);
    return image;
}

void fake_image_inspect(struct fake_call *call)
{
    const char *words = arena_format(call->arena, "no such image: %s: ", call->subject);
    struct fake_image *image = find(call, call->subject, words);
    if (image)
        fake_call_reply(call, 200, image_json(image, call->now_ms, true));
}

static void add_line(struct fake_call *call, json_t *line)
{
    cleanup_free char *text = json_dumps(line, JSON_COMPACT);
    text_add(&call->reply->body->text, text);
    text_add(&call->reply->body->text, "\r\n");
    json_decref(line);
}

void fake_image_pull(struct fake_call *call)
{
    const char *from = fake_call_query(call, "fromImage"), *tag = fake_call_query(call, "tag");
    if (!from || !*from) {
        fake_call_error(call, 400, "invalid reference format");
        return;
    }
    bool digest = tag && strncmp(tag, "sha256:", 7) == 0;
    const char *reference =
        tag && *tag ? arena_format(call->arena, "%s%s%s", from, digest ? "@" : ":", tag) : from;
    cleanup_free char *name = normalise(reference);
    fake_call_text(call, 200, "application/json", "");
    add_line(call, json_pack("{s:s+, s:s}", "status", "Pulling from ", from, "id", tag ? tag : ""));
    if (json_object_get(call->world->registry, name) || fake_image_find(call->world, reference)) {
        add(call->world, name);
        add_line(call, json_pack("{s:s, s:s, s:{s:i, s:i}}", "status", "Downloading", "id",
                                 "f49cf87b52c1", "progressDetail", "current", 10, "total", 10));
        add_line(call, json_pack("{s:s+}", "status", "Status: Downloaded newer image for ", name));
        return;
    }
    const char *message = arena_format(
        call->arena, "manifest for %s not found: manifest unknown: manifest unknown", name);
    add_line(call,
             json_pack("{s:{s:s}, s:s}", "errorDetail", "message", message, "error", message));
}

void fake_image_tag(struct fake_call *call)
{
    struct fake_image *image = find(call, call->subject, "");
    const char *repository = fake_call_query(call, "repo"), *tag = fake_call_query(call, "tag");
    if (!image)
        return;
    if (!repository) {
        fake_call_error(call, 400, "invalid reference format");
        return;
    }
    const char *name = arena_format(call->arena, "%s:%s", repository, tag && *tag ? tag : "latest");
    struct fake_image *other = fake_image_add(call->world, name);
    free(other->id);
    other->id = memory_string(image->id);
    other->node |= image->node;
    fake_call_status(call, 201);
}

void fake_image_remove(struct fake_call *call)
{
    struct fake_image *image = find(call, call->subject, "");
    if (!image)
        return;
    fake_call_reply(call, 200, json_pack("[{s:s}]", "Untagged", image->name));
    free_image(call->world, image);
}

void fake_image_load(struct fake_call *call)
{
    struct archive_files files = {0};
    cleanup_error struct error *err = NULL;
    fake_call_text(call, 200, "application/json", "");
    if (archive_unpack(call->arena, call->request->body, call->request->length, 1 << 20, &files,
                       &err) < 0) {
        add_line(call, json_pack("{s:{s:s}, s:s}", "errorDetail", "message", err->message, "error",
                                 err->message));
        return;
    }
    const struct archive_file *manifest = archive_find(&files, "manifest.json");
    json_t *images =
        manifest && manifest->bytes ? json_loadb(manifest->bytes, manifest->length, 0, NULL) : NULL;
    json_t *image, *tag;
    size_t i, j;
    json_array_foreach(images, i, image)
    {
        json_array_foreach(json_object_get(image, "RepoTags"), j, tag)
        {
            fake_image_add(call->world, json_string_value(tag) ? json_string_value(tag) : "");
            add_line(call, json_pack("{s:s++}", "stream", "Loaded image: ", json_string_value(tag),
                                     "\n"));
        }
    }
    json_decref(images);
}

void fake_image_save(struct fake_call *call)
{
    json_t *manifest = json_array();
    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i].key, "names") != 0)
            continue;
        struct fake_image *image = find(call, call->query[i].value, "");
        if (!image) {
            json_decref(manifest);
            return;
        }
        bool by_digest = strchr(image->name, '@') != NULL;
        json_t *tags = by_digest ? json_array() : json_pack("[s]", image->name);
        json_array_append_new(manifest,
                              json_pack("{s:s+, s:o, s:[s]}", "Config", image->id + 7, ".json",
                                        "RepoTags", tags, "Layers", "layer.tar"));
    }
    cleanup_free char *text = json_dumps(manifest, JSON_COMPACT);
    json_decref(manifest);
    static const char layer[LAYER_BYTES];
    const struct archive_file files[] = {{"layer.tar", layer, sizeof(layer), 0644},
                                         {"manifest.json", text, strlen(text), 0644}};
    cleanup_error struct error *err = NULL;
    fake_call_text(call, 200, "application/x-tar", "");
    if (archive_pack(files, COUNT_OF(files), &call->reply->body->text, &err) < 0)
        fake_call_error(call, 500, "%s", err->message);
}
