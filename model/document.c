#include "model/document.h"

#include "model/scalar.h"
#include <assert.h>
#include <math.h>

/*
 * DESIGN: the way in. Scalars get their YAML 1.1 meaning here and lose their
 * places; who needs places reads the tree. What JSON cannot hold stays the
 * text it was: .inf and .nan, and keys that are no strings (Go's JSON knows
 * string keys only: `1: x` and `"1": x` are the same). Whole floats are
 * integers, as they are after Go's detour through JSON.
 */

static json_t *new_text(const char *text)
{
    /* nocheck: libyaml has seen to it that the text is UTF-8. */
    json_t *value = json_string_nocheck(text);
    assert(value);
    return value;
}

static json_t *new_number(double number, const char *text)
{
    if (!isfinite(number))
        return new_text(text);
    if (number == floor(number) && fabs(number) < 9223372036854775808.0)
        return json_integer((json_int_t)number);
    return json_real(number);
}

static json_t *from_scalar(const struct tree *tree)
{
    struct scalar_value value = scalar_resolve(tree);
    switch (value.type) {
    case SCALAR_NULL:
        return json_null();
    case SCALAR_BOOL:
        return json_boolean(value.boolean);
    case SCALAR_INT:
        return json_integer(value.integer);
    case SCALAR_FLOAT:
        return new_number(value.number, tree->scalar);
    case SCALAR_STRING:
        break;
    }
    return new_text(tree->scalar);
}

/* The JSON key of a YAML key: y is "true", 0x10 is "16", 1.50 stays "1.50". */
static void set_entry(json_t *object, const struct tree *key, json_t *value)
{
    struct scalar_value meaning = scalar_resolve(key);
    char number[32];
    const char *name = key->scalar;
    if (meaning.type == SCALAR_BOOL)
        name = meaning.boolean ? "true" : "false";
    if (meaning.type == SCALAR_INT) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, (json_int_t)meaning.integer);
        name = number;
    }
    int failed = json_object_set_new_nocheck(object, name, value);
    assert(!failed);
}

static json_t *from_list(const struct tree *tree)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tree->count; i++)
        json_array_append_new(list, document_from_tree(tree->items[i]));
    return list;
}

static json_t *from_map(const struct tree *tree)
{
    json_t *object = json_object();
    for (size_t i = 0; i < tree->count; i++)
        set_entry(object, tree->entries[i].key, document_from_tree(tree->entries[i].value));
    return object;
}

json_t *document_from_tree(const struct tree *tree)
{
    switch (tree->kind) {
    case TREE_SCALAR:
        return from_scalar(tree);
    case TREE_LIST:
        return from_list(tree);
    case TREE_MAP:
        return from_map(tree);
    }
    abort();
}

json_t *document_parse(const char *file, const char *bytes, size_t length,
                       struct problem_list *problems)
{
    struct tree_stream stream;
    if (tree_parse(problems->arena, file, bytes, length, TREE_LAST_KEY_WINS, &stream, problems) < 0)
        return NULL;
    json_t *documents = json_array();
    for (size_t i = 0; i < stream.count; i++) {
        json_t *document = document_from_tree(stream.documents[i]);
        if (json_is_null(document))
            json_decref(document);
        else
            json_array_append_new(documents, document);
    }
    return documents;
}
