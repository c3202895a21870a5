#include "model/load_fields.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "model/scalar.h"
#include <stdarg.h>
#include <strings.h>

#define BINARY_TAG "tag:yaml.org,2002:binary"

enum { FIELDS_MAX = 40 }; /* in one table, for the list of what is known */

static bool bare_key(const char *key)
{
    size_t length = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return length > 0 && key[length] == '\0';
}

const char *cursor_path(struct loader *loader, const struct cursor *at)
{
    if (!at->parent)
        return "";
    const char *before = cursor_path(loader, at->parent);
    if (!at->name)
        return arena_format(loader->arena, "%s[%zu]", before, at->index);
    if (!bare_key(at->name))
        return arena_format(loader->arena, "%s[%s]", before,
                            problem_quote(loader->problems, at->name));
    return arena_format(loader->arena, "%s%s%s", before, *before ? "." : "", at->name);
}

static struct cursor cursor_child(const struct cursor *at, const char *name, size_t index,
                                  const struct tree *tree)
{
    return (struct cursor){.parent = at,
                           .name = name,
                           .index = index,
                           .tree = tree && !tree_is_null(tree) ? tree : NULL,
                           .place = tree ? tree->place : at->place};
}

struct cursor cursor_document(const struct tree *tree)
{
    return (struct cursor){.tree = tree, .place = tree->place};
}

struct cursor cursor_field(const struct cursor *at, const char *name)
{
    return cursor_child(at, name, 0, at->tree ? tree_get(at->tree, name) : NULL);
}

struct cursor cursor_item(const struct cursor *at, size_t index)
{
    return cursor_child(at, NULL, index, at->tree->items[index]);
}

static const char *format_at(struct loader *loader, const struct cursor *at, const char *format,
                             va_list arguments) __attribute__((format(printf, 3, 0)));

static const char *format_at(struct loader *loader, const struct cursor *at, const char *format,
                             va_list arguments)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add(&text, cursor_path(loader, at));
    if (text.length)
        text_add(&text, ": ");
    text_add_list(&text, format, arguments);
    return arena_string(loader->arena, text.data);
}

void load_error(struct loader *loader, const struct cursor *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem_add(loader->problems, at->place, "%s", format_at(loader, at, format, arguments));
    va_end(arguments);
}

void load_warning(struct loader *loader, const struct cursor *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem_warn(loader->problems, at->place, "%s", format_at(loader, at, format, arguments));
    va_end(arguments);
}

const char *load_suggest(const char *typed, const char *const *words)
{
    struct nearest nearest = {.word = typed};
    for (; *words; words++) {
        if (strcasecmp(typed, *words) == 0)
            return *words;
        nearest_offer(&nearest, *words);
    }
    return nearest.best;
}

const char *load_choices(struct loader *loader, const char *const *words)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; words[i]; i++) {
        const char *glue = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        text_add_format(&text, "%s%s", glue, words[i]);
    }
    return arena_string(loader->arena, text.data);
}

/* What a value is, in words: for "expected ..., found ...". */
static const char *describe(struct loader *loader, const struct tree *tree)
{
    static const char *const names[] = {"null", "the boolean", "the number", "the number",
                                        "the string"};
    if (tree->kind != TREE_SCALAR)
        return tree->kind == TREE_LIST ? "a list" : "a mapping";
    enum scalar_type type = scalar_resolve(tree).type;
    if (type == SCALAR_NULL)
        return "null";
    /* What is a boolean only in YAML 1.1 is better called by its text. */
    return arena_format(loader->arena, "%s %s", names[type],
                        problem_quote(loader->problems, tree->scalar));
}

static void report_type(struct loader *loader, const struct cursor *at, const char *expected)
{
    load_error(loader, at, "expected %s, found %s", expected, describe(loader, at->tree));
}

/* True if the value is of this kind; reports it otherwise. Tags of others mean nothing here. */
static bool expect(struct loader *loader, const struct cursor *at, enum tree_kind kind,
                   const char *expected)
{
    if (at->tree->kind != kind) {
        report_type(loader, at, expected);
        return false;
    }
    if (at->tree->tag && strcmp(at->tree->tag, BINARY_TAG) == 0) {
        load_error(loader, at, "the tag !!binary is not supported; write the text itself");
        return false;
    }
    return true;
}

static void *slot_of(const struct field *field, void *object)
{
    return (char *)object + field->offset;
}

void read_string(struct loader *loader, const struct cursor *at, const struct field *field,
                 void *object)
{
    const char **slot = slot_of(field, object);
    if (expect(loader, at, TREE_SCALAR, "a string"))
        *slot = at->tree->scalar;
}

void read_bool(struct loader *loader, const struct cursor *at, const struct field *field,
               void *object)
{
    bool *slot = slot_of(field, object);
    if (!expect(loader, at, TREE_SCALAR, "true or false") || scalar_bool(at->tree, slot))
        return;
    const char *text = at->tree->scalar;
    bool quoted = strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
    if (quoted)
        load_error(loader, at, "expected true or false, found the quoted string \"%s\"; %s", text,
                   "write it without quotes");
    else
        report_type(loader, at, "true or false");
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
    int32_t *slot = slot_of(field, object);
    if (!expect(loader, at, TREE_SCALAR, "a whole number") || scalar_int32(at->tree, slot))
        return;
    if (whole_if_plain(at->tree))
        load_error(loader, at, "expected a whole number, found the quoted string %s; %s",
                   problem_quote(loader->problems, at->tree->scalar), "write it without quotes");
    else
        report_type(loader, at, "a whole number of 32 bits");
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
    unsigned *slot = slot_of(field, object);
    if (!expect(loader, at, TREE_SCALAR, load_choices(loader, names)) || !at->tree->scalar[0])
        return;
    for (unsigned i = 0; names[i]; i++) {
        if (compare(at->tree->scalar, names[i]) == 0) {
            *slot = i;
            return;
        }
    }
    report_word(loader, at, names);
}

void read_word(struct loader *loader, const struct cursor *at, const struct field *field,
               void *object)
{
    read_name(loader, at, field, object, strcmp);
}

void read_any_case(struct loader *loader, const struct cursor *at, const struct field *field,
                   void *object)
{
    read_name(loader, at, field, object, strcasecmp);
}

void read_strings(struct loader *loader, const struct cursor *at, const struct field *field,
                  void *object)
{
    struct string_list *list = slot_of(field, object);
    const struct field item = {.offset = 0};
    if (!expect(loader, at, TREE_LIST, "a list of strings"))
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
    struct pair_list *list = slot_of(field, object);
    if (!expect(loader, at, TREE_MAP, "a mapping"))
        return;
    struct pair *items = arena_array(loader->arena, at->tree->count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < at->tree->count; i++) {
        const struct tree_entry *entry = &at->tree->entries[i];
        struct cursor child = cursor_child(at, entry->key->scalar, 0, entry->value);
        const char *value = tree_is_null(entry->key) ? NULL : read(loader, &child);
        if (value)
            items[count++] = (struct pair){entry->key->scalar, value};
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

void read_pairs(struct loader *loader, const struct cursor *at, const struct field *field,
                void *object)
{
    read_map(loader, at, field, object, string_value);
}

void read_flags(struct loader *loader, const struct cursor *at, const struct field *field,
                void *object)
{
    read_map(loader, at, field, object, flag_value);
}

static void report_unknown(struct loader *loader, const struct cursor *at,
                           const struct field *fields, const struct tree *key)
{
    const char *names[FIELDS_MAX] = {NULL};
    for (size_t i = 0; i < FIELDS_MAX - 1 && fields[i].name; i++)
        names[i] = fields[i].name;
    struct cursor where = *at;
    where.place = key->place;
    const char *found = problem_quote(loader->problems, key->scalar);
    const char *meant = load_suggest(key->scalar, names);
    if (meant)
        load_error(loader, &where, "unknown field %s; did you mean \"%s\"?", found, meant);
    else
        load_error(loader, &where, "unknown field %s; known here: %s", found,
                   load_choices(loader, names));
}

static bool known_field(const struct field *fields, const char *name)
{
    for (; fields->name; fields++) {
        if (strcmp(fields->name, name) == 0)
            return true;
    }
    return false;
}

void fields_read(struct loader *loader, const struct cursor *at, const struct field *fields,
                 void *object)
{
    if (!expect(loader, at, TREE_MAP, "a mapping"))
        return;
    for (const struct field *field = fields; field->name; field++) {
        struct cursor child = cursor_field(at, field->name);
        if (field->read && child.tree)
            field->read(loader, &child, field, object);
    }
    for (size_t i = 0; i < at->tree->count; i++) {
        const struct tree *key = at->tree->entries[i].key;
        if (!known_field(fields, key->scalar))
            report_unknown(loader, at, fields, key);
    }
}

void *fields_read_items(struct loader *loader, const struct cursor *at,
                        const struct item_type *type, size_t *count)
{
    *count = 0;
    if (!expect(loader, at, TREE_LIST, "a list"))
        return NULL;
    char *items = arena_array(loader->arena, at->tree->count, type->size_bytes);
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor child = cursor_item(at, i);
        if (!child.tree)
            continue;
        void *item = items + *count * type->size_bytes;
        fields_read(loader, &child, type->fields, item);
        if (type->finish && child.tree->kind == TREE_MAP)
            type->finish(loader, &child, item);
        ++*count;
    }
    return *count ? items : NULL;
}
