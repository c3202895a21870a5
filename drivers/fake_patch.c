#include "drivers/fake_patch.h"

#include "base/arena.h"
#include <stdbool.h>
#include <string.h>

void fake_patch_merge(json_t *target, json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        json_t *old = json_object_get(target, key);
        if (json_is_null(value)) {
            json_object_del(target, key);
        } else if (json_is_object(value)) {
            if (!json_is_object(old)) {
                old = json_object();
                json_object_set_new(target, key, old);
            }
            fake_patch_merge(old, value);
        } else {
            json_object_set_new(target, key, json_deep_copy(value));
        }
    }
}

/* One step of a JSON pointer with ~1 and ~0 resolved. */
static const char *unescape(struct arena *arena, const char *step, size_t length)
{
    char *text = arena_alloc(arena, length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        bool escaped = step[i] == '~' && i + 1 < length;
        text[used++] = escaped ? (step[i + 1] == '1' ? '/' : '~') : step[i];
        i += escaped ? 1 : 0;
    }
    return text;
}

static json_t *child(json_t *parent, const char *step)
{
    return json_is_array(parent) ? json_array_get(parent, strtoul(step, NULL, 10))
                                 : json_object_get(parent, step);
}

static int set_member(json_t *parent, const char *last, json_t *value, bool insert)
{
    if (json_is_object(parent))
        return json_object_set(parent, last, value);
    if (!json_is_array(parent))
        return -1;
    if (strcmp(last, "-") == 0)
        return json_array_append(parent, value);
    size_t index = strtoul(last, NULL, 10);
    return insert ? json_array_insert(parent, index, value) : json_array_set(parent, index, value);
}

static int remove_member(json_t *parent, const char *last)
{
    if (json_is_array(parent))
        return json_array_remove(parent, strtoul(last, NULL, 10));
    return json_object_del(parent, last);
}

static int apply(struct arena *arena, json_t *target, json_t *operation)
{
    const char *kind = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    json_t *value = json_object_get(operation, "value"), *parent = target;
    if (!kind || !path || path[0] != '/')
        return -1;
    const char *slash;
    for (path++; (slash = strchr(path, '/')); path = slash + 1)
        parent = child(parent, unescape(arena, path, (size_t)(slash - path)));
    const char *last = unescape(arena, path, strlen(path));
    json_t *old = child(parent, last);
    if (strcmp(kind, "add") == 0)
        return set_member(parent, last, value, true);
    if (strcmp(kind, "replace") == 0)
        return old ? set_member(parent, last, value, false) : -1;
    if (strcmp(kind, "remove") == 0)
        return old ? remove_member(parent, last) : -1;
    if (strcmp(kind, "test") == 0)
        return old && json_equal(old, value) ? 0 : -1;
    return -1;
}

int fake_patch_operations(json_t *target, json_t *operations)
{
    cleanup_arena struct arena *arena = arena_new();
    size_t i;
    json_t *operation;
    json_array_foreach(operations, i, operation)
    {
        if (apply(arena, target, operation) < 0)
            return -1;
    }
    return json_is_array(operations) ? 0 : -1;
}
