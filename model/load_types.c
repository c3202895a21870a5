#include "model/load_types.h"

#include "base/memory.h"
#include "model/scalar.h"
#include <strings.h>

void *field_slot(const struct field *field, void *object)
{
    return (char *)object + field->offset;
}

void read_string(struct loader *loader, const struct cursor *at, const struct field *field,
                 void *object)
{
    const char **slot = field_slot(field, object);
    if (load_expect(loader, at, TREE_SCALAR, "a string"))
        *slot = at->tree->scalar;
}

static void read_bool(struct loader *loader, const struct cursor *at, const struct field *field,
                      void *object)
{
    bool *slot = field_slot(field, object);
    if (!load_expect(loader, at, TREE_SCALAR, "true or false") || scalar_bool(at->tree, slot))
        return;
    const char *text = at->tree->scalar;
    bool quoted = strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
    if (quoted)
        load_error(loader, at, "expected true or false, found the quoted string \"%s\"; %s", text,
                   "write it without quotes");
    else
        load_report_type(loader, at, "true or false");
}

/* The same characters without quotes. */
static bool whole_if_plain(const struct tree *scalar)
{
    struct tree plain = {.kind = TREE_SCALAR, .scalar = scalar->scalar, .plain = true};
    int32_t ignored;
    return !scalar->plain && scalar_int32(&plain, &ignored);
}

void read_int32(struct loader *loader, const struct cursor *at, const struct field *field,
                void *object)
{
    int32_t *slot = field_slot(field, object);
    if (!load_expect(loader, at, TREE_SCALAR, "a whole number") || scalar_int32(at->tree, slot))
        return;
    if (whole_if_plain(at->tree))
        load_error(loader, at, "expected a whole number, found the quoted string %s; %s",
                   problem_quote(loader->problems, at->tree->scalar), "write it without quotes");
    else
        load_report_type(loader, at, "a whole number of 32 bits");
}

static void report_word(struct loader *loader, const struct cursor *at, const char *const *names)
{
    const char *meant = load_suggest(at->tree->scalar, names);
    const char *found = problem_quote(loader->problems, at->tree->scalar);
    if (meant)
        load_error(loader, at, "%s is not known; did you mean \"%s\"? It may be %s", found, meant,
                   load_choices(loader, names));
    else
        load_error(loader, at, "%s is not known; it may be %s", found, load_choices(loader, names));
}

static void read_name(struct loader *loader, const struct cursor *at, const struct field *field,
                      void *object, int (*compare)(const char *, const char *))
{
    const char *const *names = field->detail;
    unsigned *slot = field_slot(field, object);
    if (!load_expect(loader, at, TREE_SCALAR, load_choices(loader, names)) || !at->tree->scalar[0])
        return;
    for (unsigned i = 0; names[i]; i++) {
        if (compare(at->tree->scalar, names[i]) == 0) {
            *slot = i;
            return;
        }
    }
    report_word(loader, at, names);
}

static void read_word(struct loader *loader, const struct cursor *at, const struct field *field,
                      void *object)
{
    read_name(loader, at, field, object, strcmp);
}

static void read_any_case(struct loader *loader, const struct cursor *at, const struct field *field,
                          void *object)
{
    read_name(loader, at, field, object, strcasecmp);
}

void read_strings(struct loader *loader, const struct cursor *at, const struct field *field,
                  void *object)
{
    struct string_list *list = field_slot(field, object);
    const struct field item = {.offset = 0};
    if (!load_expect(loader, at, TREE_LIST, "a list of strings"))
        return;
    const char **items = arena_array(loader->arena, at->tree->count, sizeof(char *));
    size_t count = 0;
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor child = cursor_item(at, i);
        if (!child.tree)
            continue;
        read_string(loader, &child, &item, &items[count]);
        count += items[count] != NULL;
    }
    list->items = items;
    list->count = count;
}

static void read_texts(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    const struct text_check *check = field->detail;
    read_strings(loader, at, field, object);
    for (size_t i = 0; at->tree->kind == TREE_LIST && i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        cleanup_error struct error *err = NULL;
        if (item.tree && item.tree->kind == TREE_SCALAR && check->check(item.tree->scalar, &err))
            load_error(loader, &item, "%s", err->message);
    }
}

static int pair_order(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    return strcmp(left->key, right->key);
}

/* The text of a pair's value, or NULL if there was a problem. */
typedef const char *pair_value(struct loader *loader, const struct cursor *at);

static void read_map(struct loader *loader, const struct cursor *at, const struct field *field,
                     void *object, pair_value *read)
{
    struct pair_list *list = field_slot(field, object);
    if (!load_expect(loader, at, TREE_MAP, "a mapping"))
        return;
    struct pair *items = arena_array(loader->arena, at->tree->count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < at->tree->count; i++) {
        const struct tree *key = at->tree->entries[i].key;
        struct cursor child = cursor_entry(at, i);
        const char *value = tree_is_null(key) ? NULL : read(loader, &child);
        if (value)
            items[count++] = (struct pair){key->scalar, value};
    }
    qsort(items, count, sizeof(*items), pair_order);
    list->items = items;
    list->count = count;
}

static const char *string_value(struct loader *loader, const struct cursor *at)
{
    const char *value = NULL;
    const struct field field = {.offset = 0};
    if (!at->tree)
        return "";
    read_string(loader, at, &field, &value);
    return value;
}

static const char *flag_value(struct loader *loader, const struct cursor *at)
{
    bool value = false;
    size_t errors = loader->problems->errors;
    const struct field field = {.offset = 0};
    if (at->tree)
        read_bool(loader, at, &field, &value);
    return loader->problems->errors > errors ? NULL : value ? "true" : "false";
}

static void read_pairs(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    read_map(loader, at, field, object, string_value);
}

static void read_flags(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    read_map(loader, at, field, object, flag_value);
}

static void read_words(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    size_t errors = loader->problems->errors;
    read_strings(loader, at, field, object);
    for (size_t i = 0; loader->problems->errors == errors && i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        unsigned ignored;
        const struct field word = {.detail = field->detail};
        if (item.tree)
            read_word(loader, &item, &word, &ignored);
    }
}

static void read_mapping(struct loader *loader, const struct cursor *at, const struct field *field,
                         void *object)
{
    fields_read(loader, at, field->detail, field_slot(field, object));
}

static void read_items(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    size_t count;
    void *items = fields_read_items(loader, at, field->detail, &count);
    char *slot = field_slot(field, object);
    memcpy(slot, &items, sizeof(items));
    memcpy(slot + sizeof(items), &count, sizeof(count));
}

/* Any scalar is a string, but it is best written as one. Numbers as names happen. */
#define SCALAR_JSON "{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}"

const struct field_type type_string = {read_string, FIELD_JSON,
                                       "{\"type\":[\"string\",\"number\",\"boolean\"]}"};
const struct field_type type_bool = {read_bool, FIELD_JSON, "{\"type\":\"boolean\"}"};
const struct field_type type_port = {read_int32, FIELD_JSON,
                                     "{\"type\":\"integer\",\"minimum\":-1,\"maximum\":65535}"};
const struct field_type type_word = {read_word, FIELD_WORD, NULL};
const struct field_type type_any_case = {read_any_case, FIELD_ANY_CASE, NULL};
const struct field_type type_strings = {read_strings, FIELD_JSON,
                                        "{\"type\":\"array\",\"items\":" SCALAR_JSON "}"};
const struct field_type type_texts = {read_texts, FIELD_JSON,
                                      "{\"type\":\"array\",\"items\":" SCALAR_JSON "}"};
const struct field_type type_words = {read_words, FIELD_WORDS, NULL};
const struct field_type type_pairs = {
    read_pairs, FIELD_JSON, "{\"type\":\"object\",\"additionalProperties\":" SCALAR_JSON "}"};
const struct field_type type_flags = {
    read_flags, FIELD_JSON,
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"boolean\",\"null\"]}}"};
const struct field_type type_mapping = {read_mapping, FIELD_MAP, NULL};
const struct field_type type_items = {read_items, FIELD_LIST, NULL};
const struct field_type type_header = {NULL, FIELD_WORD, NULL};
