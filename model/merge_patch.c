#include "model/merge_patch.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * DESIGN: kubeadm's lists are merged first, and taken out of the patch; what
 * is left is an ordinary patch.
 */

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new_nocheck(object, key, value);
    assert(!failed);
}

/* A copy of a value that has nothing to be merged with. */
static json_t *without_nulls(const json_t *value)
{
    if (json_is_object(value))
        return merge_patch_apply(NULL, value);
    if (!json_is_array(value))
        return json_deep_copy(value);
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++)
        json_array_append_new(list, without_nulls(json_array_get(value, i)));
    return list;
}

json_t *merge_patch_apply(const json_t *target, const json_t *patch)
{
    if (!json_is_object(patch))
        return without_nulls(patch);
    json_t *merged = json_is_object(target) ? json_deep_copy(target) : json_object();
    json_t *unconst = (json_t *)(uintptr_t)patch; /* jansson's iterators take no const */
    const char *key;
    const json_t *value;
    json_object_foreach(unconst, key, value)
    {
        if (json_is_null(value))
            json_object_del(merged, key);
        else
            set(merged, key, merge_patch_apply(json_object_get(merged, key), value));
    }
    return merged;
}

static bool list_has(const json_t *list, const json_t *wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), wanted))
            return true;
    return false;
}

static void add_names(json_t *target, const char *key, const json_t *added)
{
    json_t *names = json_object_get(target, key);
    if (!json_is_array(names)) {
        names = json_array();
        set(target, key, names);
    }
    for (size_t i = 0; i < json_array_size(added); i++)
        if (!list_has(names, json_array_get(added, i)))
            json_array_append(names, json_array_get(added, i));
}

static json_t *new_argument(const char *name, json_t *value)
{
    json_t *argument = json_object();
    set(argument, "name", json_string_nocheck(name));
    set(argument, "value", json_incref(value));
    return argument;
}

/* The list that stands for a map, in the order of the map. */
static json_t *list_of_map(json_t *map)
{
    json_t *list = json_array(), *value;
    const char *name;
    json_object_foreach(map, name, value)
    {
        json_array_append_new(list, new_argument(name, value));
    }
    return list;
}

/* Where the argument is; the length of the list if it is not there. */
static size_t find_argument(const json_t *list, const char *name)
{
    size_t i;
    for (i = 0; i < json_array_size(list); i++) {
        const char *found = json_string_value(json_object_get(json_array_get(list, i), "name"));
        if (found && strcmp(found, name) == 0)
            break;
    }
    return i;
}

static void merge_argument(json_t *list, const char *name, json_t *value)
{
    size_t at = find_argument(list, name);
    bool found = at < json_array_size(list);
    bool removes = !value || json_is_null(value);
    if (found && removes)
        json_array_remove(list, at);
    else if (found)
        set(json_array_get(list, at), "value", json_incref(value));
    else if (!removes)
        json_array_append_new(list, new_argument(name, value));
}

static void merge_arguments(json_t *target, const char *key, const json_t *changes)
{
    json_t *list = json_object_get(target, key);
    if (!json_is_array(list)) {
        list = list_of_map(list);
        set(target, key, list);
    }
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *item = json_array_get(changes, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name)
            merge_argument(list, name, json_object_get(item, "value"));
    }
}

struct walk {
    bool argument_lists; /* the document's apiVersion has lists of arguments */
    bool versioned;      /* the patch has an apiVersion */
    size_t ignored;
};

/* Merges the patch's arguments, if they are of a form that can be. */
static void take_arguments(struct walk *walk, json_t *target, const char *key, json_t *value)
{
    if (json_is_array(value)) {
        merge_arguments(target, key, value);
    } else if (json_is_object(value) && !walk->versioned) {
        json_auto_t *list = list_of_map(value);
        merge_arguments(target, key, list);
    } else {
        walk->ignored++;
    }
}

/* Merges the special lists of the patch into the target, and takes them out of the patch. */
static void take_lists(struct walk *walk, json_t *target, json_t *patch)
{
    const char *key;
    void *next;
    json_t *value;
    json_object_foreach_safe(patch, next, key, value)
    {
        if (strcmp(key, "extraArgs") == 0 || strcmp(key, "kubeletExtraArgs") == 0) {
            if (!walk->argument_lists)
                continue;
            take_arguments(walk, target, key, value);
            json_object_del(patch, key);
        } else if (strcmp(key, "certSANs") == 0) {
            if (json_is_array(value))
                add_names(target, key, value);
            else
                walk->ignored++;
            json_object_del(patch, key);
        } else if (json_is_object(value)) {
            if (!json_object_get(target, key))
                set(target, key, json_object());
            if (json_is_object(json_object_get(target, key)))
                take_lists(walk, json_object_get(target, key), value);
        }
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

json_t *merge_patch_kubeadm(const json_t *target, const json_t *patch, const char *api_version,
                            size_t *ignored)
{
    struct walk walk = {.argument_lists = ends_with(api_version, "v1beta4"),
                        .versioned = json_object_get(patch, "apiVersion") != NULL};
    json_auto_t *merged = json_deep_copy(target), *rest = json_deep_copy(patch);
    if (json_is_object(merged) && json_is_object(rest))
        take_lists(&walk, merged, rest);
    *ignored = walk.ignored;
    return merge_patch_apply(merged, rest);
}
