#include "model/toml.h"

#include "base/memory.h"
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN: the way out. The shape is upstream's printer's, so that files compare
 * equal: a blank line between tables, a header for each of them, a level of
 * indentation for each part of a header.
 */

struct printer {
    struct text *text;
    const char *keys[TOML_DEPTH_MAX]; /* those that lead here */
    size_t depth;
    const char *failed; /* what cannot be said; NULL: all went well */
};

static int compare_keys(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The keys of all members but those that are null, in order. */
static const char **sorted_keys(const json_t *object, size_t *count)
{
    const char **keys = memory_resize(NULL, json_object_size(object), sizeof(*keys)), *key;
    json_t *unconst = (json_t *)(uintptr_t)object; /* jansson's iterators take no const */
    const json_t *value;
    *count = 0;
    json_object_foreach(unconst, key, value)
    {
        if (!json_is_null(value))
            keys[(*count)++] = key;
    }
    if (*count > 0)
        qsort(keys, *count, sizeof(*keys), compare_keys);
    return keys;
}

/* A list of maps and nothing else has a header for each. */
static bool is_table_list(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_object(json_array_get(value, i)))
            return false;
    return json_array_size(value) > 0;
}

static bool is_table(const json_t *value)
{
    return json_is_object(value) || is_table_list(value);
}

/* In single quotes nothing can be escaped, so these need double ones. */
static bool needs_escapes(const char *string)
{
    for (const char *c = string; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\'')
            return true;
    return false;
}

static void print_escaped(struct text *text, const char *string)
{
    static const char escapes[] = "\"\"\\\\\bb\tt\nn\ff\rr"; /* pairs: the character, its letter */
    text_add(text, "\"");
    for (const char *c = string; *c; c++) {
        const char *escape = escapes;
        while (*escape && *escape != *c)
            escape += 2;
        if (*escape)
            text_add_format(text, "\\%c", escape[1]);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            text_add_format(text, "\\u%04X", (unsigned)*c);
        else
            text_add_char(text, *c, 1);
    }
    text_add(text, "\"");
}

static void print_string(struct text *text, const char *string)
{
    if (needs_escapes(string))
        print_escaped(text, string);
    else
        text_add_format(text, "'%s'", string);
}

static void print_key(struct text *text, const char *key)
{
    static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    if (*key && !key[strspn(key, bare)])
        text_add(text, key);
    else
        print_string(text, key);
}

/* The shortest text that reads back as the same number, and as no integer. */
static void print_real(struct text *text, double number)
{
    char digits[32];
    int precision = 1;
    do
        snprintf(digits, sizeof(digits), "%.*g", precision, number);
    while (strtod(digits, NULL) != number && ++precision <= 17);
    text_add(text, digits);
    if (!strpbrk(digits, ".e"))
        text_add(text, ".0");
}

static void print_inline(struct printer *printer, const json_t *value);

static void print_list(struct printer *printer, const json_t *list)
{
    text_add(printer->text, "[");
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_add(printer->text, i ? ", " : "");
        print_inline(printer, json_array_get(list, i));
    }
    text_add(printer->text, "]");
}

static void print_inline_table(struct printer *printer, const json_t *object)
{
    size_t count;
    cleanup_free const char **keys = sorted_keys(object, &count);
    text_add(printer->text, "{");
    for (size_t i = 0; i < count; i++) {
        text_add(printer->text, i ? ", " : "");
        print_key(printer->text, keys[i]);
        text_add(printer->text, " = ");
        print_inline(printer, json_object_get(object, keys[i]));
    }
    text_add(printer->text, "}");
}

static void print_inline(struct printer *printer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        print_inline_table(printer, value);
        break;
    case JSON_ARRAY:
        print_list(printer, value);
        break;
    case JSON_STRING:
        print_string(printer->text, json_string_value(value));
        break;
    case JSON_INTEGER:
        text_add_format(printer->text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        print_real(printer->text, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        text_add(printer->text, json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        printer->failed = "TOML has no null in a list";
        break;
    }
}

static void indent(const struct printer *printer, size_t level)
{
    text_add_char(printer->text, ' ', 2 * level);
}

/* "[a.b]", or "[[a.b]]" for an item of a list; the document itself has none. */
static void print_header(const struct printer *printer, const char *before, const char *after)
{
    if (printer->depth == 0)
        return;
    indent(printer, printer->depth - 1);
    text_add(printer->text, before);
    for (size_t i = 0; i < printer->depth; i++) {
        text_add(printer->text, i ? "." : "");
        print_key(printer->text, printer->keys[i]);
    }
    text_add(printer->text, after);
}

static void print_table(struct printer *printer, const json_t *object);

/* What is below one key: a table, or each of a list's. */
static void print_tables(struct printer *printer, const json_t *value)
{
    if (json_is_object(value)) {
        print_header(printer, "[", "]\n");
        print_table(printer, value);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        text_add(printer->text, i ? "\n" : "");
        print_header(printer, "[[", "]]\n");
        print_table(printer, json_array_get(value, i));
    }
}

static bool print_values(struct printer *printer, const json_t *object, const char **keys,
                         size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, keys[i]);
        if (is_table(value))
            continue;
        indent(printer, printer->depth);
        print_key(printer->text, keys[i]);
        text_add(printer->text, " = ");
        print_inline(printer, value);
        text_add(printer->text, "\n");
        any = true;
    }
    return any;
}

static void print_table(struct printer *printer, const json_t *object)
{
    size_t count;
    cleanup_free const char **keys = sorted_keys(object, &count);
    bool any = print_values(printer, object, keys, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, keys[i]);
        if (!is_table(value))
            continue;
        if (printer->depth == COUNT_OF(printer->keys)) {
            printer->failed = "tables are nested too deep";
            return;
        }
        text_add(printer->text, any ? "\n" : "");
        printer->keys[printer->depth++] = keys[i];
        print_tables(printer, value);
        printer->depth--;
        any = true;
    }
}

int toml_print(const json_t *object, struct text *text, struct error **err)
{
    if (!json_is_object(object))
        return error_set(err, ERROR_INVALID, "TOML has tables at its top, and this is none");
    struct printer printer = {.text = text};
    print_table(&printer, object);
    return printer.failed ? error_set(err, ERROR_INVALID, "%s", printer.failed) : 0;
}
