#include "model/load_fields.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "model/scalar.h"
#include <assert.h>
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

struct cursor cursor_entry(const struct cursor *at, size_t index)
{
    const struct tree_entry *entry = &at->tree->entries[index];
    return cursor_child(at, entry->key->scalar, 0, entry->value);
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
    if (loader->hush)
        return;
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

void load_report_type(struct loader *loader, const struct cursor *at, const char *expected)
{
    load_error(loader, at, "expected %s, found %s", expected, describe(loader, at->tree));
}

/* Tags of others mean nothing here. */
bool load_expect(struct loader *loader, const struct cursor *at, enum tree_kind kind,
                 const char *expected)
{
    if (at->tree->kind != kind) {
        load_report_type(loader, at, expected);
        return false;
    }
    if (at->tree->tag && strcmp(at->tree->tag, BINARY_TAG) == 0) {
        load_error(loader, at, "the tag !!binary is not supported; write the text itself");
        return false;
    }
    return true;
}

/* The names of a table and its bases, ended by NULL. */
static void list_names(const struct field_table *table, const char *names[FIELDS_MAX])
{
    size_t count = 0;
    for (; table; table = table->base) {
        for (const struct field *row = table->rows; row->name; row++) {
            assert(count < FIELDS_MAX - 1);
            names[count++] = row->name;
        }
    }
    names[count] = NULL;
}

static void report_unknown(struct loader *loader, const struct cursor *at,
                           const struct field_table *table, const struct tree *key)
{
    const char *names[FIELDS_MAX];
    list_names(table, names);
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

static bool known_field(const struct field_table *table, const char *name)
{
    for (; table; table = table->base) {
        for (const struct field *row = table->rows; row->name; row++) {
            if (strcmp(row->name, name) == 0)
                return true;
        }
    }
    return false;
}

static void read_row(struct loader *loader, const struct cursor *at, const struct field *row,
                     void *object)
{
    struct cursor child = cursor_field(at, row->name);
    if (!row->type->read)
        return;
    if (child.tree)
        row->type->read(loader, &child, row, object);
    else if (row->required)
        load_error(loader, &child, "is missing");
}

void fields_read(struct loader *loader, const struct cursor *at, const struct field_table *table,
                 void *object)
{
    if (!load_expect(loader, at, TREE_MAP, "a mapping"))
        return;
    for (const struct field_table *part = table; part; part = part->base) {
        for (const struct field *row = part->rows; row->name; row++)
            read_row(loader, at, row, object);
    }
    for (size_t i = 0; i < at->tree->count; i++) {
        const struct tree *key = at->tree->entries[i].key;
        if (!known_field(table, key->scalar))
            report_unknown(loader, at, table, key);
    }
}

void *fields_read_items(struct loader *loader, const struct cursor *at,
                        const struct item_type *type, size_t *count)
{
    *count = 0;
    if (!load_expect(loader, at, TREE_LIST, "a list"))
        return NULL;
    char *items = arena_array(loader->arena, at->tree->count, type->size_bytes);
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor child = cursor_item(at, i);
        if (!child.tree)
            continue;
        void *item = items + *count * type->size_bytes;
        fields_read(loader, &child, type->table, item);
        if (type->finish && child.tree->kind == TREE_MAP)
            type->finish(loader, &child, item);
        ++*count;
    }
    return *count ? items : NULL;
}
