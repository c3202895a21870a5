#include "model/schema.h"

#include "base/memory.h"
#include "model/load_cluster.h"
#include "model/load_fleet.h"
#include "model/load_policy.h"
#include <assert.h>
#include <ctype.h>
#include <jansson.h>

/*
 * DESIGN: one function a shape of field. Every value may be null, which means
 * "not given", except where the field is required. All values are built with
 * jansson and owned by the one that holds them.
 */

static json_t *mapping_schema(const struct field_table *table);

/* What a type says of itself, as a value. Bad JSON there is a bug. */
static json_t *parse(const char *schema)
{
    json_t *value = json_loads(schema, JSON_DECODE_ANY, NULL);
    assert(value);
    return value;
}

/* Steals the type's schema; null is allowed in the result. */
static json_t *or_null(json_t *schema)
{
    json_t *type = json_object_get(schema, "type"), *any = json_object_get(schema, "anyOf");
    json_t *words = json_object_get(schema, "enum");
    if (json_is_string(type))
        json_object_set_new(schema, "type", json_pack("[O,s]", type, "null"));
    else if (json_is_array(type))
        json_array_append_new(type, json_string("null"));
    else if (any)
        json_array_append_new(any, parse("{\"type\":\"null\"}"));
    else if (words)
        json_array_append_new(words, json_null());
    return schema;
}

static json_t *words_schema(const char *const *names, bool any_case)
{
    json_t *words = json_array();
    for (; *names; names++) {
        json_array_append_new(words, json_string(*names));
        if (!any_case)
            continue;
        cleanup_free char *lower = memory_string(*names);
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        json_array_append_new(words, json_string(lower));
    }
    return json_pack("{s:o}", "enum", words);
}

static json_t *list_schema(json_t *items)
{
    return json_pack("{s:s,s:o}", "type", "array", "items", or_null(items));
}

static json_t *shape_schema(const struct field *field)
{
    const struct item_type *item = field->detail;
    switch (field->type->shape) {
    case FIELD_JSON:
        return parse(field->type->schema);
    case FIELD_WORD:
        return words_schema(field->detail, false);
    case FIELD_ANY_CASE:
        return words_schema(field->detail, true);
    case FIELD_WORDS:
        return list_schema(words_schema(field->detail, false));
    case FIELD_MAP:
        return mapping_schema(field->detail);
    case FIELD_LIST:
        return list_schema(mapping_schema(item->table));
    }
    return NULL;
}

/* Adds the properties of a table and its bases, and the names of those that must be there. */
static void add_properties(const struct field_table *table, json_t *properties, json_t *required)
{
    for (; table; table = table->base) {
        for (const struct field *row = table->rows; row->name; row++) {
            json_t *schema = shape_schema(row);
            if (row->required)
                json_array_append_new(required, json_string(row->name));
            else
                or_null(schema);
            if (json_is_object(schema))
                json_object_set_new(schema, "description", json_string(row->about));
            json_object_set_new(properties, row->name, schema);
        }
    }
}

static json_t *mapping_schema(const struct field_table *table)
{
    json_t *properties = json_object(), *required = json_array();
    add_properties(table, properties, required);
    json_t *schema = json_pack("{s:s,s:b,s:o}", "type", "object", "additionalProperties", 0,
                               "properties", properties);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

/* Steals the members of `schema`. */
static json_t *with_head(const char *title, json_t *schema)
{
    json_t *root = json_pack("{s:s,s:s}", "$schema", "http://json-schema.org/draft-07/schema#",
                             "title", title);
    json_object_update(root, schema);
    json_decref(schema);
    return root;
}

static json_t *root_schema(enum schema_format format)
{
    switch (format) {
    case SCHEMA_V1ALPHA4:
        return with_head("kind.x-k8s.io/v1alpha4 Cluster", mapping_schema(&cluster_table));
    case SCHEMA_FLEET:
        return with_head("fleet.kind/v1alpha1 Cluster or Fleet",
                         json_pack("{s:[o,o]}", "oneOf", mapping_schema(&fleet_cluster_table),
                                   mapping_schema(&fleet_table)));
    case SCHEMA_POLICY:
        return with_head("fleet.kind/v1alpha1 Policy", mapping_schema(&policy_table));
    case SCHEMA_ANY:
        return with_head("What kind apply reads", json_pack("{s:[{s:s},{s:s}]}", "oneOf", "$ref",
                                                            schema_file(SCHEMA_V1ALPHA4), "$ref",
                                                            schema_file(SCHEMA_FLEET)));
    }
    return NULL;
}

const char *schema_file(enum schema_format format)
{
    switch (format) {
    case SCHEMA_V1ALPHA4:
        return "v1alpha4.json";
    case SCHEMA_FLEET:
        return "fleet.json";
    case SCHEMA_POLICY:
        return "policy.json";
    case SCHEMA_ANY:
        return "any.json";
    }
    return "";
}

void schema_print(enum schema_format format, struct text *text)
{
    json_t *root = root_schema(format);
    char *printed = json_dumps(root, JSON_INDENT(2));
    text_add(text, printed);
    text_add(text, "\n");
    free(printed);
    json_decref(root);
}
