#include "model/kubeadm_patch.h"

#include "base/memory.h"
#include "base/plain.h"
#include "model/document.h"
#include "model/json_patch.h"
#include "model/merge_patch.h"
#include <assert.h>
#include <stdbool.h>

/*
 * DESIGN: each of the two levels, cluster and node, is one pass: read all of
 * its patches into one list, in the order in which they take effect, match
 * each with each document, apply, tell what matched nothing. Matching looks at
 * the documents as they were at the beginning of the pass.
 */

enum { QUOTE_WIDTH_MAX = 60 };

enum patch_form { PATCH_MERGE, PATCH_6902 };

/* A document of a stream of merge patches, or a JSON patch. */
struct patch {
    enum patch_form form;
    const char *name;        /* "kubeadmConfigPatches[1]"; in the arena */
    const char *place;       /* "ci.yaml:3:7: ", or "" */
    json_t *value;           /* owned by the level */
    const char *kind;        /* NULL: none, so it matches nothing */
    const char *api_version; /* NULL: any */
    bool matched;
};

struct level {
    struct arena *arena;
    const char *prefix; /* "" or "nodes[ci-worker]." */
    struct patch *patches;
    size_t count;
    json_t *values; /* keeps what patches borrow */
};

/* What the documents are when a pass begins. */
struct header {
    const char *kind, *api_version;
};

static const char *quote(struct arena *arena, const char *string)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    plain_add_cut(&text, string, QUOTE_WIDTH_MAX);
    return arena_string(arena, text.data);
}

static struct patch *add_patch(struct level *level, enum patch_form form, const char *name)
{
    level->patches =
        arena_grow(level->arena, level->patches, level->count, sizeof(*level->patches));
    struct patch *patch = &level->patches[level->count++];
    patch->form = form;
    patch->name = name;
    patch->place = "";
    return patch;
}

/* The first document of a text, borrowed; a null if there is none; NULL if it is no YAML. */
static json_t *read_document(struct level *level, const char *bytes, size_t length,
                             unsigned lines_before, struct error **err)
{
    struct problem_list problems;
    problem_list_init(&problems, level->arena);
    json_auto_t *documents = document_parse(NULL, bytes, length, &problems);
    if (!documents) {
        const struct problem *problem = &problems.items[0];
        if (problem->place.line)
            (void)error_set(err, ERROR_INVALID, "%u:%u: %s", problem->place.line + lines_before,
                            problem->place.column, problem->message);
        else
            (void)error_set(err, ERROR_INVALID, "%s", problem->message);
        return NULL;
    }
    json_t *first = json_array_get(documents, 0);
    if (!first)
        return json_null();
    json_array_append(level->values, first);
    return first;
}

static int read_merge_document(struct level *level, const char *name, const char *bytes,
                               size_t length, unsigned lines_before, struct error **err)
{
    if (length > KUBEADM_PATCH_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "a document of %zu bytes is longer than %d", length,
                         KUBEADM_PATCH_BYTES_MAX);
    json_t *value = read_document(level, bytes, length, lines_before, err);
    if (!value)
        return -1;
    if (json_is_null(value)) /* comments alone */
        return 0;
    if (!json_is_object(value))
        return error_set(err, ERROR_INVALID,
                         "%u:1: a patch is a map with a kind, and this is something else",
                         lines_before + 1);
    struct patch *patch = add_patch(level, PATCH_MERGE, name);
    patch->value = value;
    patch->kind = json_string_value(json_object_get(value, "kind"));
    patch->api_version = json_string_value(json_object_get(value, "apiVersion"));
    return 0;
}

static unsigned count_lines(const char *from, const char *to)
{
    unsigned lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

/* Each line that begins with "---", whatever follows, is between two documents; but not the first.
 */
static int read_stream(struct level *level, const char *name, const char *text, struct error **err)
{
    unsigned lines = 0;
    for (const char *start = text; start && *start;) {
        const char *end = strstr(start, "\n---");
        size_t length = end ? (size_t)(end - start) : strlen(start);
        if (read_merge_document(level, name, start, length, lines, err) < 0)
            return -1;
        const char *next = end ? strchr(end + 1, '\n') : NULL;
        if (next)
            lines += count_lines(start, ++next);
        start = next;
    }
    return 0;
}

static const char *print_place(struct arena *arena, struct place place)
{
    if (!place.file)
        return "";
    return place.line ? arena_format(arena, "%s:%u:%u: ", place.file, place.line, place.column)
                      : arena_format(arena, "%s: ", place.file);
}

/* A group without a version is upstream's "group/", which no document has. */
static const char *api_version_of(struct arena *arena, const struct json6902_spec *spec)
{
    if (*spec->group)
        return arena_format(arena, "%s/%s", spec->group, spec->version);
    return *spec->version ? spec->version : NULL;
}

/* The operations, borrowed; NULL if they are none. */
static json_t *read_operations(struct level *level, const char *patch, struct error **err)
{
    json_t *value = read_document(level, patch, strlen(patch), 0, err);
    if (!value || json_is_array(value) || json_is_null(value))
        return value;
    (void)error_set(err, ERROR_INVALID, "a JSON patch is a list of operations");
    return NULL;
}

static int read_6902(struct level *level, const char *name, const struct json6902_spec *spec,
                     struct error **err)
{
    const char *place = print_place(level->arena, spec->place);
    json_t *value = read_operations(level, spec->patch, err);
    if (!value)
        return error_wrap(err, "%s%s", place, name);
    struct patch *patch = add_patch(level, PATCH_6902, name);
    patch->place = place;
    patch->value = value;
    patch->kind = *spec->kind ? spec->kind : NULL;
    patch->api_version = api_version_of(level->arena, spec);
    return 0;
}

static int read_level(struct level *level, const struct string_list *merges,
                      const struct json6902_list *operations, struct error **err)
{
    for (size_t i = 0; i < merges->count; i++) {
        const char *name =
            arena_format(level->arena, "%skubeadmConfigPatches[%zu]", level->prefix, i);
        if (read_stream(level, name, merges->items[i], err) < 0)
            return error_wrap(err, "%s", name);
    }
    for (size_t i = 0; i < operations->count; i++) {
        const char *name =
            arena_format(level->arena, "%skubeadmConfigPatchesJSON6902[%zu]", level->prefix, i);
        if (read_6902(level, name, &operations->items[i], err) < 0)
            return -1;
    }
    return 0;
}

static bool matches(const struct patch *patch, const struct header *header)
{
    return patch->kind && strcmp(patch->kind, header->kind) == 0 &&
           (!patch->api_version || !*patch->api_version ||
            strcmp(patch->api_version, header->api_version) == 0);
}

static void tell_ignored(const struct patch *patch, const struct header *header,
                         struct text *unmatched)
{
    text_add_format(unmatched,
                    "%s%s: extraArgs or certSANs of %s have no effect where they are not lists, as "
                    "%s has them\n",
                    patch->place, patch->name, header->kind, header->api_version);
}

/* The patched document, a new value. */
static json_t *apply(const struct patch *patch, const struct header *header, const json_t *document,
                     struct text *unmatched, struct error **err)
{
    if (patch->form == PATCH_MERGE) {
        size_t ignored;
        json_t *merged = merge_patch_kubeadm(document, patch->value, header->api_version, &ignored);
        if (ignored)
            tell_ignored(patch, header, unmatched);
        return merged;
    }
    if (json_is_null(patch->value))
        return json_deep_copy(document);
    json_t *patched = patch_6902_apply(document, patch->value, err);
    if (patched && !json_is_object(patched)) {
        json_decref(patched);
        (void)error_set(err, ERROR_INVALID, "it leaves something else than a map");
        return NULL;
    }
    return patched;
}

static int apply_level(struct level *level, const struct header *headers, json_t *documents,
                       struct text *unmatched, struct error **err)
{
    for (size_t i = 0; i < json_array_size(documents); i++) {
        for (size_t p = 0; p < level->count; p++) {
            struct patch *patch = &level->patches[p];
            if (!matches(patch, &headers[i]))
                continue;
            patch->matched = true;
            json_t *patched =
                apply(patch, &headers[i], json_array_get(documents, i), unmatched, err);
            if (!patched)
                return error_wrap(err, "%s%s on %s", patch->place, patch->name, headers[i].kind);
            json_array_set_new(documents, i, patched);
        }
    }
    return 0;
}

/* Whether another patch of the same list was for the kind, so that this one is for another version.
 */
static bool has_counterpart(const struct level *level, const struct patch *patch)
{
    for (size_t i = 0; patch->kind && i < level->count; i++) {
        const struct patch *other = &level->patches[i];
        if (other->form == patch->form && other->matched && strcmp(other->kind, patch->kind) == 0)
            return true;
    }
    return false;
}

static bool is_told(const struct level *level, const struct patch *patch)
{
    return !patch->matched && !has_counterpart(level, patch);
}

/* "KubeletConfiguration (kubelet.config.k8s.io/v1beta1)" */
static void add_wanted(const struct level *level, const struct patch *patch, struct text *text)
{
    if (!patch->kind)
        text_add(text, "nothing, since it has no kind");
    else
        text_add(text, quote(level->arena, patch->kind));
    if (patch->kind && patch->api_version)
        text_add_format(text, " (%s)", quote(level->arena, patch->api_version));
}

/* One line for all that is told of one patch of the user's; *at moves to its last document. */
static void tell_patch(const struct level *level, size_t *at, const char *there,
                       struct text *unmatched)
{
    const struct patch *first = &level->patches[*at];
    cleanup_text struct text wanted;
    text_init(&wanted, 0);
    bool in_part = *at > 0 && level->patches[*at - 1].name == first->name;
    add_wanted(level, first, &wanted);
    for (; *at + 1 < level->count && level->patches[*at + 1].name == first->name; ++*at) {
        if (is_told(level, &level->patches[*at + 1])) {
            text_add(&wanted, ", ");
            add_wanted(level, &level->patches[*at + 1], &wanted);
        } else {
            in_part = true;
        }
    }
    text_add_format(unmatched, "%s%s%s has no effect: it is for %s; there are %s\n", first->place,
                    in_part ? "a part of " : "", first->name, wanted.data, there);
}

/* "A, B (group/v1), C (group/v2)": a version stands behind the last document that has it. */
static char *list_headers(const struct header *headers, size_t count)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < count; i++) {
        const struct header *header = &headers[i];
        text_add_format(&text, "%s%s", i ? ", " : "", header->kind);
        if (i + 1 == count || strcmp(headers[i + 1].api_version, header->api_version) != 0)
            text_add_format(&text, " (%s)", header->api_version);
    }
    return text_take(&text);
}

static void tell_level(const struct level *level, const struct header *headers, size_t count,
                       struct text *unmatched)
{
    cleanup_free char *there = list_headers(headers, count);
    for (size_t i = 0; i < level->count; i++) {
        const struct patch *patch = &level->patches[i];
        if (is_told(level, patch))
            tell_patch(level, &i, there, unmatched);
        else if (patch->matched && json_is_null(patch->value))
            text_add_format(unmatched, "%s%s has no effect: its patch is empty\n", patch->place,
                            patch->name);
    }
}

static const char *text_of(struct arena *arena, const json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));
    return text ? arena_string(arena, text) : "";
}

static int patch_level(struct level *level, const struct string_list *merges,
                       const struct json6902_list *operations, json_t *documents,
                       struct text *unmatched, struct error **err)
{
    size_t count = json_array_size(documents);
    struct header *headers = arena_array(level->arena, count, sizeof(*headers));
    for (size_t i = 0; i < count; i++)
        headers[i] = (struct header){
            text_of(level->arena, json_array_get(documents, i), "kind"),
            text_of(level->arena, json_array_get(documents, i), "apiVersion"),
        };
    if (read_level(level, merges, operations, err) < 0 ||
        apply_level(level, headers, documents, unmatched, err) < 0)
        return -1;
    tell_level(level, headers, count, unmatched);
    return 0;
}

int kubeadm_patch_apply(const struct cluster_spec *spec, const struct node_spec *node,
                        json_t *documents, struct text *unmatched, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    json_auto_t *values = json_array();
    cleanup_text struct text told;
    text_init(&told, 0);
    struct level cluster = {.arena = arena, .prefix = "", .values = values};
    struct level own = {
        .arena = arena, .prefix = arena_format(arena, "nodes[%s].", node->name), .values = values};
    if (patch_level(&cluster, &spec->kubeadm_patches, &spec->kubeadm_patches_6902, documents, &told,
                    err) < 0 ||
        patch_level(&own, &node->kubeadm_patches, &node->kubeadm_patches_6902, documents, &told,
                    err) < 0)
        return -1;
    if (unmatched)
        text_add(unmatched, told.data);
    return 0;
}

int kubeadm_patch_check(const char *stream, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    json_auto_t *values = json_array();
    struct level level = {.arena = arena, .prefix = "", .values = values};
    return read_stream(&level, "", stream, err);
}

int kubeadm_patch_check_6902(const char *patch, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    json_auto_t *values = json_array();
    struct level level = {.arena = arena, .prefix = "", .values = values};
    return read_operations(&level, patch, err) ? 0 : -1;
}
