#include "drivers/kube_settings.h"

#include "base/memory.h"
#include <string.h>

static const char *word(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static const json_t *labels_of(const json_t *node)
{
    return json_object_get(json_object_get(node, "metadata"), "labels");
}

static const json_t *taints_of(const json_t *node)
{
    return json_object_get(json_object_get(node, "spec"), "taints");
}

/* --- what a record says --- */

/*
 * The next key of the record in "nodes[a].labels[key]" from *next on, a new
 * string; NULL if there is no more.
 */
static char *next_applied(const struct facet_list *applied, const char *node, const char *field,
                          size_t *next)
{
    cleanup_free char *prefix = memory_format("nodes[%s].%s[", node, field);
    size_t length = strlen(prefix);
    while (applied && *next < applied->count) {
        const char *path = applied->items[(*next)++].path;
        size_t whole = strlen(path);
        if (strncmp(path, prefix, length) == 0 && whole > length && path[whole - 1] == ']')
            return memory_string_n(path + length, whole - length - 1);
    }
    return NULL;
}

/* --- labels --- */

static const char *wanted_label(const struct node_spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->labels.count; i++)
        if (strcmp(spec->labels.items[i].key, key) == 0)
            return spec->labels.items[i].value;
    return NULL;
}

/* The members to change; null takes one away. */
static json_t *label_changes(const json_t *node, const struct node_spec *spec,
                             const struct facet_list *applied)
{
    const json_t *have = labels_of(node);
    json_t *changes = json_object();
    for (size_t i = 0; i < spec->labels.count; i++) {
        const struct pair *label = &spec->labels.items[i];
        const char *value = json_string_value(json_object_get(have, label->key));
        if (!value || strcmp(value, label->value) != 0)
            json_object_set_new(changes, label->key, json_string(label->value));
    }
    char *key;
    for (size_t next = 0; (key = next_applied(applied, spec->name, "labels", &next)); free(key))
        if (!wanted_label(spec, key) && json_object_get(have, key))
            json_object_set_new(changes, key, json_null());
    return changes;
}

/* --- taints, which Kubernetes tells apart by key and effect --- */

static bool is_taint(const json_t *taint, const struct taint_spec *wanted)
{
    return strcmp(word(taint, "key"), wanted->key) == 0 &&
           strcmp(word(taint, "effect"), wanted->effect) == 0;
}

static const json_t *find_taint(const json_t *taints, const struct taint_spec *wanted)
{
    size_t index;
    const json_t *taint;
    json_array_foreach(taints, index, taint)
    {
        if (is_taint(taint, wanted))
            return taint;
    }
    return NULL;
}

static bool is_wanted(const json_t *taint, const struct node_spec *spec)
{
    for (size_t i = 0; i < spec->taint_count; i++)
        if (is_taint(taint, &spec->taints[i]))
            return true;
    return false;
}

/* The record's key is "gpu:NoSchedule". */
static bool was_applied(const json_t *taint, const struct node_spec *spec,
                        const struct facet_list *applied)
{
    cleanup_free char *title = memory_format("%s:%s", word(taint, "key"), word(taint, "effect"));
    bool found = false;
    char *key;
    for (size_t next = 0; (key = next_applied(applied, spec->name, "taints", &next)); free(key))
        found = found || strcmp(key, title) == 0;
    return found;
}

static json_t *taint_json(const struct taint_spec *taint)
{
    json_t *json = json_pack("{s:s,s:s}", "key", taint->key, "effect", taint->effect);
    if (*taint->value)
        json_object_set_new(json, "value", json_string(taint->value));
    return json;
}

/* All taints that the node is to have, those of others included. */
static json_t *wanted_taints(const json_t *node, const struct node_spec *spec,
                             const struct facet_list *applied)
{
    json_t *taints = json_array();
    size_t index;
    json_t *taint;
    json_array_foreach(taints_of(node), index, taint)
    {
        if (is_wanted(taint, spec) || !was_applied(taint, spec, applied))
            json_array_append(taints, taint);
    }
    for (size_t i = 0; i < spec->taint_count; i++) {
        const struct taint_spec *wanted = &spec->taints[i];
        const json_t *have = find_taint(taints_of(node), wanted);
        if (have && strcmp(word(have, "value"), wanted->value) == 0)
            continue;
        for (size_t at = json_array_size(taints); at-- > 0;)
            if (is_taint(json_array_get(taints, at), wanted))
                json_array_remove(taints, at);
        json_array_append_new(taints, taint_json(wanted));
    }
    return taints;
}

json_t *kube_settings_patch(const json_t *node, const struct node_spec *spec,
                            const struct facet_list *applied)
{
    json_t *labels = label_changes(node, spec, applied);
    json_t *taints = wanted_taints(node, spec, applied);
    const json_t *have = taints_of(node);
    bool same_taints =
        json_array_size(have) == json_array_size(taints) &&
        (json_array_size(taints) == 0 || json_equal((json_t *)(uintptr_t)have, taints));
    json_t *patch = NULL;
    if (json_object_size(labels) || !same_taints)
        patch =
            json_pack("{s:{s:s,s:O}}", "metadata", "resourceVersion",
                      word(json_object_get(node, "metadata"), "resourceVersion"), "labels", labels);
    if (!same_taints)
        json_object_set_new(patch, "spec", json_pack("{s:O}", "taints", taints));
    json_decref(labels);
    json_decref(taints);
    return patch;
}

/* --- drift --- */

static void add_words(struct text *text, const char *what, const char *key, const char *have,
                      const char *want)
{
    if (have && strcmp(have, want) == 0)
        return;
    const char *separator = text->length ? ", " : "";
    if (have)
        text_add_format(text, "%s%s %s is '%s', not '%s'", separator, what, key, have, want);
    else
        text_add_format(text, "%s%s %s is missing", separator, what, key);
}

const char *kube_settings_drift(struct arena *arena, const json_t *node,
                                const struct node_spec *spec)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < spec->labels.count; i++) {
        const struct pair *label = &spec->labels.items[i];
        add_words(&text, "label", label->key,
                  json_string_value(json_object_get(labels_of(node), label->key)), label->value);
    }
    for (size_t i = 0; i < spec->taint_count; i++) {
        const struct taint_spec *taint = &spec->taints[i];
        const json_t *have = find_taint(taints_of(node), taint);
        cleanup_free char *title = memory_format("%s:%s", taint->key, taint->effect);
        add_words(&text, "taint", title, have ? word(have, "value") : NULL, taint->value);
    }
    return text.length ? arena_string(arena, text.data) : NULL;
}
