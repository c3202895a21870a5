#include "model/document.h"

#include "base/memory.h"
#include "model/scalar.h"
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <yaml.h>

/*
 * DESIGN: the way out. Go's YAML library is a port of libyaml, so libyaml's
 * emitter with its defaults (two blanks, lines folded after column 80) gives
 * the same text, as long as it is asked for the same styles: literal where
 * there is a line break, double quotes where the plain text would read as
 * something else, plain otherwise (the emitter itself falls back to quotes
 * where the syntax demands it). The order of keys is Go's, too.
 */

/* One digit or two. */
static bool skip_number(const char **cursor, unsigned digits_max, unsigned *number)
{
    *number = 0;
    unsigned digits = 0;
    for (; digits < digits_max && isdigit((unsigned char)**cursor); digits++)
        *number = *number * 10 + (unsigned)(*(*cursor)++ - '0');
    return digits > 0;
}

static bool skip_char(const char **cursor, const char *choices)
{
    if (!**cursor || !strchr(choices, **cursor))
        return false;
    (*cursor)++;
    return true;
}

static bool real_day(unsigned year, unsigned month, unsigned day)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month != 2 || day < 29 || leap;
}

/* "15:4:5" with any fraction; what is left is in *cursor. */
static bool skip_time(const char **cursor)
{
    unsigned hour, minute, second;
    if (!skip_number(cursor, 2, &hour) || !skip_char(cursor, ":") ||
        !skip_number(cursor, 2, &minute) || !skip_char(cursor, ":") ||
        !skip_number(cursor, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if ((**cursor == '.' || **cursor == ',') && isdigit((unsigned char)(*cursor)[1]))
        for (++*cursor; isdigit((unsigned char)**cursor);)
            ++*cursor;
    return true;
}

/* "Z" or "+01:00" at the very end. */
static bool ends_with_zone(const char *cursor)
{
    if (strcmp(cursor, "Z") == 0)
        return true;
    const char *start = cursor;
    unsigned hours, minutes;
    return skip_char(&cursor, "+-") && skip_number(&cursor, 2, &hours) && skip_char(&cursor, ":") &&
           skip_number(&cursor, 2, &minutes) && cursor - start == 6 && !*cursor;
}

/* What Go takes for a !!timestamp: "2001-1-2", "2001-01-02T15:04:05Z", "2001-1-2 15:4:5". */
static bool is_timestamp(const char *text)
{
    unsigned year, month, day;
    const char *cursor = text;
    if (!skip_number(&cursor, 4, &year) || cursor - text != 4 || !skip_char(&cursor, "-") ||
        !skip_number(&cursor, 2, &month) || !skip_char(&cursor, "-") ||
        !skip_number(&cursor, 2, &day) || !real_day(year, month, day))
        return false;
    if (!*cursor)
        return true;
    if (skip_char(&cursor, " "))
        return skip_time(&cursor) && !*cursor;
    return skip_char(&cursor, "Tt") && skip_time(&cursor) && ends_with_zone(cursor);
}

/* "190:20:30.15": a number for other readers of YAML 1.1, so Go quotes it. */
static bool is_base_60(const char *text)
{
    const char *cursor = text + strspn(text, "+-");
    if (cursor - text > 1 || !isdigit((unsigned char)*cursor))
        return false;
    cursor += strspn(cursor, "0123456789_");
    size_t parts = 0;
    for (unsigned part; skip_char(&cursor, ":"); parts++)
        if (!skip_number(&cursor, 2, &part) || part > 59)
            return false;
    if (skip_char(&cursor, "."))
        cursor += strspn(cursor, "0123456789_");
    return parts && !*cursor;
}

static bool reads_as_string(const char *text)
{
    struct tree plain = {.kind = TREE_SCALAR, .scalar = text, .plain = true};
    return scalar_resolve(&plain).type == SCALAR_STRING && !is_timestamp(text) && !is_base_60(text);
}

/*
 * Go's order of keys: numbers inside by value, letters after all else. What is
 * beyond ASCII passes for a letter; beyond the basic plane, where emoji live, not.
 */
static bool is_letter(char c)
{
    unsigned char byte = (unsigned char)c;
    return isalpha(byte) || (byte >= 0x80 && byte < 0xF0);
}

static uint64_t number_at(const char *text, uint64_t start, size_t *digits)
{
    uint64_t number = start;
    for (*digits = 0; isdigit((unsigned char)text[*digits]); ++*digits)
        number = number * 10 + (uint64_t)(text[*digits] - '0');
    return number;
}

/* Inside a number that began with another digit than 0, a 0 counts as a digit of it. */
static bool continues_number(const char *key, size_t at)
{
    while (at > 0 && isdigit((unsigned char)key[at - 1]))
        if (key[--at] != '0')
            return true;
    return false;
}

static int compare_keys(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    size_t i = 0, a_digits, b_digits;
    while (a[i] && a[i] == b[i])
        i++;
    if (!a[i] || !b[i])
        return (a[i] != 0) - (b[i] != 0);
    int byte_order = (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
    if (is_letter(a[i]) != is_letter(b[i]))
        return is_letter(b[i]) ? -1 : 1;
    if (is_letter(a[i]))
        return byte_order;
    uint64_t start = (a[i] == '0' || b[i] == '0') && continues_number(a, i);
    uint64_t a_number = number_at(a + i, start, &a_digits);
    uint64_t b_number = number_at(b + i, start, &b_digits);
    if (a_number != b_number)
        return a_number < b_number ? -1 : 1;
    if (a_digits != b_digits)
        return a_digits < b_digits ? -1 : 1;
    return byte_order;
}

static int compare_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/*
 * Go's order goes in circles for odd keys ("010", "01.", "4%"). Sorting twice
 * makes the outcome a matter of the keys alone and not of their former order.
 */
static const char **sorted_keys(const json_t *object, size_t *count)
{
    const char **keys = memory_resize(NULL, json_object_size(object), sizeof(*keys));
    *count = 0;
    json_t *unconst = (json_t *)(uintptr_t)object; /* jansson's iterators take no const */
    for (void *at = json_object_iter(unconst); at; at = json_object_iter_next(unconst, at))
        keys[(*count)++] = json_object_iter_key(at);
    qsort(keys, *count, sizeof(*keys), compare_bytes);
    qsort(keys, *count, sizeof(*keys), compare_keys);
    return keys;
}

/* The shortest text that reads back as the same number, in the shape of Go's %g. */
static void print_number(double number, char *text, size_t size)
{
    double limit = number < 0 ? 9223372036854775808.0 : 18446744073709551616.0; /* 2^63, 2^64 */
    if (number == floor(number) && fabs(number) < limit) {
        snprintf(text, size, "%.0f", number + 0.0);
        return;
    }
    int precision = 0;
    do
        snprintf(text, size, "%.*e", precision, number);
    while (strtod(text, NULL) != number && ++precision < 17);
    const char *exponent = strchr(text, 'e');
    long power = exponent ? strtol(exponent + 1, NULL, 10) : 0;
    if (power >= -4 && power < 6)
        snprintf(text, size, "%.*f", precision - (int)power, number);
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int initialized)
{
    /* Fails for want of memory or on text that is no UTF-8: both are ruled out. */
    int emitted = initialized && yaml_emitter_emit(emitter, event);
    assert(emitted);
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    const yaml_char_t *bytes = (const yaml_char_t *)text;
    emit(emitter, &event,
         yaml_scalar_event_initialize(&event, NULL, NULL, bytes, (int)strlen(text), 1, 1, style));
}

static void emit_string(yaml_emitter_t *emitter, const char *text)
{
    yaml_scalar_style_t style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (strchr(text, '\n'))
        style = YAML_LITERAL_SCALAR_STYLE;
    else if (reads_as_string(text))
        style = YAML_PLAIN_SCALAR_STYLE;
    emit_scalar(emitter, text, style);
}

/* Go leaves the key "<<" plain, where it would read back as a merge; we do not. */
static void emit_key(yaml_emitter_t *emitter, const char *key)
{
    if (strcmp(key, "<<") == 0)
        emit_scalar(emitter, key, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    else
        emit_string(emitter, key);
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value);

static void emit_object(yaml_emitter_t *emitter, const json_t *object)
{
    yaml_event_t event;
    emit(emitter, &event,
         yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
    size_t count;
    cleanup_free const char **keys = sorted_keys(object, &count);
    for (size_t i = 0; i < count; i++) {
        emit_key(emitter, keys[i]);
        emit_value(emitter, json_object_get(object, keys[i]));
    }
    emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

static void emit_list(yaml_emitter_t *emitter, const json_t *list)
{
    yaml_event_t event;
    emit(emitter, &event,
         yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
    for (size_t i = 0; i < json_array_size(list); i++)
        emit_value(emitter, json_array_get(list, i));
    emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static void emit_number(yaml_emitter_t *emitter, const json_t *value)
{
    char number[64];
    if (json_is_integer(value))
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        print_number(json_real_value(value), number, sizeof(number));
    emit_scalar(emitter, number, YAML_PLAIN_SCALAR_STYLE);
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        emit_object(emitter, value);
        break;
    case JSON_ARRAY:
        emit_list(emitter, value);
        break;
    case JSON_STRING:
        emit_string(emitter, json_string_value(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        emit_number(emitter, value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        emit_scalar(emitter, json_is_true(value) ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
        break;
    case JSON_NULL:
        emit_scalar(emitter, "null", YAML_PLAIN_SCALAR_STYLE);
        break;
    }
}

static int append(void *context, unsigned char *bytes, size_t length)
{
    text_add_bytes(context, bytes, length);
    return 1;
}

void document_print(const json_t *value, struct text *text)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    int ready = yaml_emitter_initialize(&emitter);
    assert(ready);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_output(&emitter, append, text);
    emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    emit_value(&emitter, value);
    /* No end of stream: it would add "..." after a text that ends in several line breaks. */
    emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
    yaml_emitter_delete(&emitter);
}
