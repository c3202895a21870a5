#include "model/kubeconfig.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/memory.h"
#include "model/document.h"
#include <assert.h>
#include <jansson.h>

/*
 * DESIGN: a kubeconfig is checked as a tree, where places are known, and then
 * handled as JSON in upstream's normal form: each entry of the three lists is
 * a name and a body, nothing beside; empty lists are absent. Nobody's file is
 * rewritten for the sake of form: a merge that changes nothing gives the
 * existing text back as it was, with its comments.
 */

/* The three lists, and what the body of an entry is called in each. */
static const struct list_kind {
    const char *list, *body;
} list_kinds[] = {{"clusters", "cluster"}, {"contexts", "context"}, {"users", "user"}};

static const char current_context[] = "current-context";

static int shape_error(const struct tree *tree, const char *what, struct error **err)
{
    return error_set(err, ERROR_INVALID, "%s:%u:%u: not a kubeconfig: %s", tree->place.file,
                     tree->place.line, tree->place.column, what);
}

static int check_entry(const struct tree *entry, const struct list_kind *kind, struct error **err)
{
    cleanup_free char *what =
        memory_format("each of %s has a name and a %s", kind->list, kind->body);
    if (entry->kind != TREE_MAP)
        return shape_error(entry, what, err);
    const struct tree *name = tree_get(entry, "name");
    const struct tree *body = tree_get(entry, kind->body);
    if (!name || name->kind != TREE_SCALAR)
        return shape_error(name ? name : entry, what, err);
    if (body && body->kind != TREE_MAP && !tree_is_null(body))
        return shape_error(body, what, err);
    return 0;
}

static int check_shape(const struct tree *root, struct error **err)
{
    if (root->kind != TREE_MAP)
        return shape_error(root, "a map is expected", err);
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++) {
        const struct tree *list = tree_get(root, list_kinds[i].list);
        if (!list || tree_is_null(list))
            continue;
        if (list->kind != TREE_LIST)
            return shape_error(list, "clusters, contexts and users are lists", err);
        for (size_t j = 0; j < list->count; j++)
            if (check_entry(list->items[j], &list_kinds[i], err) < 0)
                return -1;
    }
    return 0;
}

/* A context always names a cluster and a user, if only as "". */
static json_t *normal_body(const json_t *entry, const struct list_kind *kind)
{
    json_t *body = json_object_get(entry, kind->body);
    body = json_is_object(body) ? json_incref(body) : json_object();
    if (strcmp(kind->list, "contexts") == 0) {
        if (!json_object_get(body, "cluster"))
            json_object_set_new(body, "cluster", json_string(""));
        if (!json_object_get(body, "user"))
            json_object_set_new(body, "user", json_string(""));
    }
    return body;
}

static json_t *normal_list(const json_t *list, const struct list_kind *kind)
{
    json_t *normal = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        json_t *copy = json_object();
        json_object_set(copy, "name", json_object_get(entry, "name"));
        json_object_set_new(copy, kind->body, normal_body(entry, kind));
        json_array_append_new(normal, copy);
    }
    return normal;
}

/* All lists are there while we work; print_config leaves the empty ones out. */
static json_t *normal_config(const struct tree *root)
{
    json_t *config = root ? document_from_tree(root) : json_object();
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++) {
        const char *name = list_kinds[i].list;
        json_t *list = normal_list(json_object_get(config, name), &list_kinds[i]);
        json_object_set_new(config, name, list);
    }
    return config;
}

static int parse_error(const struct problem_list *problems, struct error **err)
{
    assert(problems->count > 0);
    const struct problem *first = &problems->items[0];
    return error_set(err, ERROR_INVALID, "%s:%u:%u: %s", first->place.file, first->place.line,
                     first->place.column, first->message);
}

/* A second document would be lost on writing. */
static int only_document(const struct tree_stream *stream, const struct tree **root,
                         struct error **err)
{
    *root = NULL;
    for (size_t i = 0; i < stream->count; i++) {
        if (tree_is_null(stream->documents[i]))
            continue;
        if (*root)
            return shape_error(stream->documents[i], "a second document begins here", err);
        *root = stream->documents[i];
    }
    return 0;
}

static json_t *read_config(const char *file, const char *text, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct tree_stream stream;
    if (tree_parse(arena, file, text, strlen(text), TREE_LAST_KEY_WINS, &stream, &problems) < 0) {
        parse_error(&problems, err);
        return NULL;
    }
    const struct tree *root;
    if (only_document(&stream, &root, err) < 0 || (root && check_shape(root, err) < 0))
        return NULL;
    return normal_config(root);
}

/* What is empty is left out; a config without anything is an empty file. */
static void print_config(json_t *config, struct text *out)
{
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++)
        if (json_array_size(json_object_get(config, list_kinds[i].list)) == 0)
            json_object_del(config, list_kinds[i].list);
    const json_t *context = json_object_get(config, current_context);
    if (json_is_null(context) || (json_is_string(context) && json_string_length(context) == 0))
        json_object_del(config, current_context);
    if (json_object_size(config) > 0)
        document_print(config, out);
}

static char *key_of(const char *cluster)
{
    return memory_format("kind-%s", cluster);
}

static bool is_text(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

/* The first entry of this name; the number of entries if there is none. */
static size_t find_entry(const json_t *list, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(list) &&
           !is_text(json_object_get(json_array_get(list, i), "name"), name))
        i++;
    return i;
}

int kubeconfig_from_admin(const char *admin_conf, const char *cluster, const char *server,
                          struct text *out, struct error **err)
{
    json_auto_t *config = read_config("admin.conf", admin_conf, err);
    if (!config)
        return -1;
    cleanup_free char *key = key_of(cluster);
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++) {
        json_t *list = json_object_get(config, list_kinds[i].list);
        if (json_array_size(list) != 1)
            return error_set(err, ERROR_INVALID, "admin.conf has %zu %s, expected is 1",
                             json_array_size(list), list_kinds[i].list);
        json_t *entry = json_array_get(list, 0);
        json_t *body = json_object_get(entry, list_kinds[i].body);
        json_object_set_new(entry, "name", json_string(key));
        if (strcmp(list_kinds[i].list, "contexts") == 0) {
            json_object_set_new(body, "cluster", json_string(key));
            json_object_set_new(body, "user", json_string(key));
        }
        if (strcmp(list_kinds[i].list, "clusters") == 0 && server)
            json_object_set_new(body, "server", json_string(server));
    }
    json_object_set_new(config, current_context, json_string(key));
    print_config(config, out);
    return 0;
}

static bool is_known_field(const char *key)
{
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++)
        if (strcmp(key, list_kinds[i].list) == 0)
            return true;
    return strcmp(key, current_context) == 0;
}

static bool has_other_fields(json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value) if (!is_known_field(key)) return true;
    return false;
}

/* A file that says nothing of its own gets apiVersion, kind and preferences of the addition. */
static void merge_other_fields(json_t *config, json_t *addition)
{
    const char *key;
    json_t *value;
    if (has_other_fields(config))
        return;
    json_object_foreach(addition, key, value) if (!is_known_field(key))
        json_object_set(config, key, value);
}

/* The context may hold a namespace the user chose; it stays while it means the same cluster. */
static bool keeps_entry(const json_t *entry, const char *key, enum kubeconfig_context context)
{
    const json_t *body = json_object_get(entry, "context");
    return context == KUBECONFIG_KEEP_CONTEXT && is_text(json_object_get(body, "cluster"), key) &&
           is_text(json_object_get(body, "user"), key);
}

/* In place of the entry of the same name, or at the end. */
static int merge_lists(json_t *config, const json_t *addition, const char *key,
                       enum kubeconfig_context context, struct error **err)
{
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++) {
        json_t *list = json_object_get(config, list_kinds[i].list);
        const json_t *from = json_object_get(addition, list_kinds[i].list);
        json_t *entry = json_array_get(from, find_entry(from, key));
        if (!entry)
            return error_set(err, ERROR_INTERNAL, "the kubeconfig to merge has no %s of %s",
                             list_kinds[i].body, key);
        size_t at = find_entry(list, key);
        if (at == json_array_size(list))
            json_array_append(list, entry);
        else if (!keeps_entry(json_array_get(list, at), key, context))
            json_array_set(list, at, entry);
    }
    return 0;
}

int kubeconfig_merge(const char *file, const char *existing, const char *cluster,
                     const char *addition, enum kubeconfig_context context, struct text *out,
                     struct error **err)
{
    cleanup_free char *key = key_of(cluster);
    json_auto_t *config = read_config(file, existing, err);
    if (!config)
        return -1;
    json_auto_t *added = read_config(key, addition, err);
    json_auto_t *before = json_deep_copy(config);
    if (!added || merge_lists(config, added, key, context, err) < 0)
        return -1;
    merge_other_fields(config, added);
    if (context == KUBECONFIG_SET_CONTEXT)
        json_object_set_new(config, current_context, json_string(key));
    if (json_equal(before, config))
        text_add(out, existing);
    else
        print_config(config, out);
    return 0;
}

static bool remove_entries(json_t *list, const char *name)
{
    bool removed = false;
    for (size_t at; (at = find_entry(list, name)) < json_array_size(list); removed = true)
        json_array_remove(list, at);
    return removed;
}

int kubeconfig_remove(const char *file, const char *existing, const char *cluster, struct text *out,
                      bool *changed, struct error **err)
{
    json_auto_t *config = read_config(file, existing, err);
    if (!config)
        return -1;
    cleanup_free char *key = key_of(cluster);
    bool removed = false;
    for (size_t i = 0; i < COUNT_OF(list_kinds); i++)
        removed |= remove_entries(json_object_get(config, list_kinds[i].list), key);
    if (is_text(json_object_get(config, current_context), key)) {
        json_object_del(config, current_context);
        removed = true;
    }
    if (removed)
        print_config(config, out);
    *changed = removed;
    return 0;
}

/* A field of the body of the entry of this name, or NULL. */
static const char *entry_text(const json_t *config, const char *list, const char *body,
                              const char *name, const char *field)
{
    const json_t *entries = json_object_get(config, list);
    const json_t *entry = json_array_get(entries, find_entry(entries, name));
    return json_string_value(json_object_get(json_object_get(entry, body), field));
}

/* A PEM text from one of the "-data" fields; it stays NULL where there is no such field. */
static int decode_pem(const char *file, const char *field, const char *encoded, char **pem,
                      struct error **err)
{
    if (!encoded)
        return 0;
    cleanup_text struct text text;
    text_init(&text, 0);
    if (!base64_decode(encoded, &text) || strlen(text.data) != text.length)
        return error_set(err, ERROR_INVALID, "%s: %s is not base64 of a text", file, field);
    *pem = text_take(&text);
    return 0;
}

static int read_access(const char *file, const json_t *config, const char *key,
                       struct kubeconfig_access *access, struct error **err)
{
    static const char ca[] = "certificate-authority-data";
    static const char certificate[] = "client-certificate-data", client_key[] = "client-key-data";
    access->server = memory_string(entry_text(config, "clusters", "cluster", key, "server"));
    if (decode_pem(file, ca, entry_text(config, "clusters", "cluster", key, ca), &access->ca, err) <
            0 ||
        decode_pem(file, certificate, entry_text(config, "users", "user", key, certificate),
                   &access->certificate, err) < 0)
        return -1;
    return decode_pem(file, client_key, entry_text(config, "users", "user", key, client_key),
                      &access->key, err);
}

struct kubeconfig {
    char *file;
    json_t *config;
};

struct kubeconfig *kubeconfig_read(const char *file, const char *text, struct error **err)
{
    json_t *config = read_config(file, text, err);
    if (!config)
        return NULL;
    struct kubeconfig *read = memory_new(sizeof(*read));
    *read = (struct kubeconfig){.file = memory_string(file), .config = config};
    return read;
}

void kubeconfig_free(struct kubeconfig *config)
{
    if (!config)
        return;
    json_decref(config->config);
    free(config->file);
    free(config);
}

int kubeconfig_find(const struct kubeconfig *config, const char *cluster,
                    struct kubeconfig_access *access, bool *found, struct error **err)
{
    cleanup_free char *key = key_of(cluster);
    struct kubeconfig_access read = {0};
    if (read_access(config->file, config->config, key, &read, err) < 0) {
        kubeconfig_access_done(&read);
        return -1;
    }
    *found = read.server && read.ca && read.certificate && read.key;
    if (*found)
        *access = read;
    else
        kubeconfig_access_done(&read);
    return 0;
}

int kubeconfig_access(const char *file, const char *existing, const char *cluster,
                      struct kubeconfig_access *access, bool *found, struct error **err)
{
    struct kubeconfig *config = kubeconfig_read(file, existing, err);
    int result = config ? kubeconfig_find(config, cluster, access, found, err) : -1;
    kubeconfig_free(config);
    return result;
}

void kubeconfig_access_done(struct kubeconfig_access *access)
{
    free(access->server);
    free(access->ca);
    free(access->certificate);
    if (access->key)
        explicit_bzero(access->key, strlen(access->key));
    free(access->key);
    *access = (struct kubeconfig_access){0};
}
