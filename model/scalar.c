#include "model/scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * DESIGN: both rules share the reading of numbers, which is Go's: underscores
 * are dropped, then strconv.ParseInt with base 0, then a float of the form
 * that YAML knows. They differ in the words for booleans, and in what quotes
 * and tags mean.
 */

#define CORE_TAG "tag:yaml.org,2002:"

enum { NUMBER_BYTES_MAX = 400 }; /* longer ones are strings; the largest double has 309 digits */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const true_words[] = {"true", "True", "TRUE", NULL};
static const char *const false_words[] = {"false", "False", "FALSE", NULL};
static const char *const yes_words[] = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", NULL};
static const char *const no_words[] = {"n", "N", "no", "No", "NO", "off", "Off", "OFF", NULL};
static const char *const nan_words[] = {".nan", ".NaN", ".NAN", NULL};
static const char *const infinity_words[] = {".inf",  ".Inf",  ".INF", "+.inf",
                                             "+.Inf", "+.INF", NULL};
static const char *const minus_infinity_words[] = {"-.inf", "-.Inf", "-.INF", NULL};

static struct scalar_value string_value(void)
{
    return (struct scalar_value){.type = SCALAR_STRING};
}

static struct scalar_value bool_value(bool boolean)
{
    return (struct scalar_value){.type = SCALAR_BOOL, .boolean = boolean};
}

static struct scalar_value float_value(double number)
{
    return (struct scalar_value){.type = SCALAR_FLOAT, .number = number};
}

/* The base that Go's prefixes tell; *digits moves past the prefix. */
static unsigned take_base(const char **digits)
{
    const char *at = *digits;
    if (at[0] != '0' || at[1] == '\0')
        return 10;
    int letter = tolower((unsigned char)at[1]);
    unsigned base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    *digits += base != 8 || letter == 'o' ? 2 : 1;
    return base;
}

/* All of text as digits of the base; false if it is none, or passes uint64. */
static bool read_digits(const char *text, unsigned base, uint64_t *magnitude)
{
    *magnitude = 0;
    for (const char *at = text; *at; at++) {
        unsigned letter = (unsigned)tolower((unsigned char)*at);
        unsigned digit = isdigit((int)letter) ? letter - '0' : letter - 'a' + 10;
        if (!isxdigit((int)letter) || digit >= base || *magnitude > (UINT64_MAX - digit) / base)
            return false;
        *magnitude = *magnitude * base + digit;
    }
    return *text != '\0';
}

/* A whole number, with any of Go's prefixes. What passes int64 up to uint64 becomes a float. */
static bool read_integer(const char *text, struct scalar_value *value)
{
    bool negative = text[0] == '-', is_signed = negative || text[0] == '+';
    const char *digits = text + is_signed;
    unsigned base = take_base(&digits);
    uint64_t magnitude, largest = (uint64_t)INT64_MAX + negative;
    if (!read_digits(digits, base, &magnitude) || (is_signed && magnitude > largest))
        return false;
    if (magnitude > largest) {
        *value = float_value((double)magnitude);
        return true;
    }
    *value = (struct scalar_value){.type = SCALAR_INT};
    uint64_t bits = negative ? 0 - magnitude : magnitude;
    memcpy(&value->integer, &bits, sizeof(bits));
    return true;
}

static const char *skip_digits(const char *at)
{
    while (isdigit((unsigned char)*at))
        at++;
    return at;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool float_shaped(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+');
    const char *whole = at;
    at = skip_digits(at);
    bool has_whole = at > whole;
    if (*at == '.') {
        const char *fraction = ++at;
        at = skip_digits(at);
        if (!has_whole && at == fraction)
            return false;
    } else if (!has_whole) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        if (!isdigit((unsigned char)*at))
            return false;
        at = skip_digits(at);
    }
    return *at == '\0';
}

static bool read_float(const char *text, struct scalar_value *value)
{
    if (!float_shaped(text))
        return false;
    double number = strtod(text, NULL);
    if (isinf(number))
        return false;
    *value = float_value(number);
    return true;
}

static struct scalar_value resolve_number(const char *text)
{
    char plain[NUMBER_BYTES_MAX];
    size_t length = 0;
    struct scalar_value value = string_value();
    if (!isdigit((unsigned char)text[0]) && !strchr("+-.", text[0]))
        return value;
    for (const char *at = text; *at; at++) {
        if (length == sizeof(plain) - 1)
            return value;
        if (*at != '_' || text[0] == '.')
            plain[length++] = *at;
    }
    plain[length] = '\0';
    if (text[0] == '.' || !read_integer(plain, &value))
        read_float(plain, &value);
    return value;
}

/* What every YAML agrees on. */
static struct scalar_value resolve_plain(const char *text)
{
    if (is_one_of(text, null_words))
        return (struct scalar_value){.type = SCALAR_NULL};
    if (is_one_of(text, true_words))
        return bool_value(true);
    if (is_one_of(text, false_words))
        return bool_value(false);
    if (is_one_of(text, nan_words))
        return float_value((double)NAN);
    if (is_one_of(text, infinity_words))
        return float_value((double)INFINITY);
    if (is_one_of(text, minus_infinity_words))
        return float_value(-(double)INFINITY);
    return resolve_number(text);
}

static struct scalar_value resolve_1_1(const char *text)
{
    if (is_one_of(text, yes_words))
        return bool_value(true);
    if (is_one_of(text, no_words))
        return bool_value(false);
    return resolve_plain(text);
}

static bool has_tag(const struct tree *scalar, const char *name)
{
    size_t length = sizeof(CORE_TAG) - 1;
    return scalar->tag && strncmp(scalar->tag, CORE_TAG, length) == 0 &&
           strcmp(scalar->tag + length, name) == 0;
}

/* The tag may turn a whole number into a float, and must else agree with the text. */
static struct scalar_value resolve_tagged(const struct tree *scalar,
                                          struct scalar_value (*resolve)(const char *))
{
    static const char *const names[] = {"null", "bool", "int", "float"};
    struct scalar_value value = resolve(scalar->scalar);
    if (value.type == SCALAR_INT && has_tag(scalar, "float"))
        return float_value((double)value.integer);
    if (value.type != SCALAR_STRING && has_tag(scalar, names[value.type]))
        return value;
    return string_value();
}

static struct scalar_value resolve_by(const struct tree *scalar,
                                      struct scalar_value (*resolve)(const char *))
{
    if (scalar->kind != TREE_SCALAR)
        return string_value();
    if (scalar->tag && strcmp(scalar->tag, "!") != 0)
        return resolve_tagged(scalar, resolve);
    return scalar->plain ? resolve(scalar->scalar) : string_value();
}

bool scalar_bool(const struct tree *scalar, bool *value)
{
    struct scalar_value found = resolve_by(scalar, resolve_plain);
    if (found.type == SCALAR_BOOL) {
        *value = found.boolean;
        return true;
    }
    if (found.type != SCALAR_STRING || scalar->kind != TREE_SCALAR)
        return false;
    bool yes = is_one_of(scalar->scalar, yes_words);
    if (!yes && !is_one_of(scalar->scalar, no_words))
        return false;
    *value = yes;
    return true;
}

bool scalar_int32(const struct tree *scalar, int32_t *value)
{
    struct scalar_value found = resolve_by(scalar, resolve_plain);
    if (found.type == SCALAR_INT && found.integer >= INT32_MIN && found.integer <= INT32_MAX) {
        *value = (int32_t)found.integer;
        return true;
    }
    if (found.type != SCALAR_FLOAT || isnan(found.number))
        return false;
    double whole = trunc(found.number);
    if (whole < INT32_MIN || whole > INT32_MAX)
        return false;
    *value = (int32_t)whole;
    return true;
}

struct scalar_value scalar_resolve(const struct tree *scalar)
{
    return resolve_by(scalar, resolve_1_1);
}
