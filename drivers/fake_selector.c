#include "drivers/fake_selector.h"

#include "base/memory.h"

/* The value that a term speaks of, or NULL. */
typedef const char *selector_get(const json_t *object, const char *key);

static const char *get_label(const json_t *object, const char *key)
{
    json_t *labels = json_object_get(json_object_get(object, "metadata"), "labels");
    return json_string_value(json_object_get(labels, key));
}

static const char *get_field(const json_t *object, const char *key)
{
    const char *dot;
    for (; (dot = strchr(key, '.')); key = dot + 1) {
        cleanup_free char *step = memory_string_n(key, (size_t)(dot - key));
        object = json_object_get(object, step);
    }
    return json_string_value(json_object_get(object, key));
}

static bool term_matches(const json_t *object, const char *term, selector_get *get)
{
    if (term[0] == '!')
        return !get(object, term + 1);
    const char *equals = strchr(term, '=');
    if (!equals)
        return get(object, term) != NULL;
    bool negated = equals > term && equals[-1] == '!';
    cleanup_free char *key = memory_string_n(term, (size_t)(equals - term) - negated);
    const char *want = equals + 1 + (equals[1] == '='), *have = get(object, key);
    return (have && strcmp(have, want) == 0) != negated;
}

static bool all_match(const json_t *object, const char *selector, selector_get *get)
{
    while (selector && *selector) {
        size_t length = strcspn(selector, ",");
        cleanup_free char *term = memory_string_n(selector, length);
        if (!term_matches(object, term, get))
            return false;
        selector += length + (selector[length] == ',');
    }
    return true;
}

bool fake_selector_matches(const json_t *object, const char *labels, const char *fields)
{
    return all_match(object, labels, get_label) && all_match(object, fields, get_field);
}
