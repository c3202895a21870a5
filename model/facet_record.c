#include "model/facet.h"

#include "base/memory.h"
#include <assert.h>
#include <jansson.h>

void facet_record_print(const char *cluster, const struct facet_list *facets, struct text *text)
{
    json_t *values = json_object();
    int bad = 0;
    for (size_t i = 0; i < facets->count; i++)
        bad |=
            json_object_set_new(values, facets->items[i].path, json_string(facets->items[i].value));
    json_t *record = json_pack("{s:i, s:s, s:o}", "version", FACET_RECORD_VERSION, "cluster",
                               cluster, "facets", values);
    char *string = record ? json_dumps(record, JSON_COMPACT) : NULL;
    assert(!bad && string); /* paths come from YAML, values are plain: all is UTF-8 */
    text_add(text, string);
    free(string);
    json_decref(record);
}

bool facet_record_fits(const char *cluster, const struct facet_list *facets)
{
    /* Quotes and separators are 6 bytes a facet; escapes make a byte at most six ("\u001f"). */
    size_t bytes = strlen(cluster) + 64;
    for (size_t i = 0; i < facets->count; i++)
        bytes += strlen(facets->items[i].path) + strlen(facets->items[i].value) + 6;
    if (facets->count > FACET_MAX)
        return false;
    if (bytes * 6 <= FACET_RECORD_BYTES_MAX)
        return true;
    cleanup_text struct text text;
    text_init(&text, 0);
    facet_record_print(cluster, facets, &text);
    return text.length <= FACET_RECORD_BYTES_MAX;
}

static int parse_facets(struct arena *arena, json_t *object, struct facet_list *facets,
                        struct error **err)
{
    size_t count = 0, limit = json_object_size(object);
    if (!json_is_object(object))
        return error_set(err, ERROR_INVALID, "facets is not an object");
    if (limit > FACET_MAX)
        return error_set(err, ERROR_INVALID, "%zu facets, more than %d", limit, FACET_MAX);
    struct facet *items = arena_array(arena, limit, sizeof(*items));
    const char *path;
    json_t *value;
    json_object_foreach(object, path, value)
    {
        if (!json_is_string(value))
            return error_set(err, ERROR_INVALID, "facet %s is not a string", path);
        items[count++] = facet_of_path(arena, path, json_string_value(value));
    }
    if (count)
        qsort(items, count, sizeof(*items), facet_compare);
    *facets = (struct facet_list){.items = items, .count = count};
    return 0;
}

static int parse_record(struct arena *arena, json_t *record, struct facet_list *facets,
                        struct error **err)
{
    const char *key;
    json_t *value;
    json_object_foreach(record, key, value)
    {
        if (strcmp(key, "version") != 0 && strcmp(key, "cluster") != 0 &&
            strcmp(key, "facets") != 0)
            return error_set(err, ERROR_INVALID, "unknown field %s", key);
    }
    const json_t *version = json_object_get(record, "version");
    if (!json_is_integer(version))
        return error_set(err, ERROR_INVALID, "no version");
    if (json_integer_value(version) != FACET_RECORD_VERSION)
        return error_set(err, ERROR_INVALID, "version %" JSON_INTEGER_FORMAT " is not known",
                         json_integer_value(version));
    if (!json_is_string(json_object_get(record, "cluster")))
        return error_set(err, ERROR_INVALID, "no cluster");
    return parse_facets(arena, json_object_get(record, "facets"), facets, err);
}

int facet_record_parse(struct arena *arena, const char *json, size_t length,
                       struct facet_list *facets, struct error **err)
{
    if (length > FACET_RECORD_BYTES_MAX) {
        error_set(err, ERROR_INVALID, "%zu bytes, more than %d", length, FACET_RECORD_BYTES_MAX);
        return error_wrap(err, "record");
    }
    json_error_t where;
    json_t *record = json_loadb(json, length, JSON_REJECT_DUPLICATES, &where);
    int result;
    if (record)
        result = parse_record(arena, record, facets, err);
    else
        result = error_set(err, ERROR_INVALID, "%d:%d: %s", where.line, where.column, where.text);
    json_decref(record);
    return result == 0 ? 0 : error_wrap(err, "record");
}
