#include "model/version.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/* Far above any real number, far below overflow. */
enum { DIGITS_MAX = 6 };

static bool read_number(const char **cursor, unsigned *number)
{
    size_t digits = strspn(*cursor, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || (digits > 1 && **cursor == '0'))
        return false;
    *number = 0;
    for (; digits > 0; digits--)
        *number = *number * 10 + (unsigned)(*(*cursor)++ - '0');
    return true;
}

static bool read_dot(const char **cursor)
{
    if (**cursor != '.')
        return false;
    (*cursor)++;
    return true;
}

/* Identifiers of letters, digits and hyphens, separated by single dots. */
static bool read_identifiers(const char **cursor)
{
    const char *start = *cursor;
    for (char last = '.'; isalnum((unsigned char)**cursor) || **cursor == '-' || **cursor == '.';) {
        if (last == '.' && **cursor == '.')
            return false;
        last = *(*cursor)++;
    }
    return *cursor > start && (*cursor)[-1] != '.';
}

static bool read_version(const char *text, struct version *version)
{
    const char *cursor = text + (*text == 'v');
    if (!read_number(&cursor, &version->major) || !read_dot(&cursor) ||
        !read_number(&cursor, &version->minor) || !read_dot(&cursor) ||
        !read_number(&cursor, &version->patch))
        return false;
    version->prerelease = cursor + (*cursor == '-');
    if (*cursor == '-' && (cursor++, !read_identifiers(&cursor)))
        return false;
    version->prerelease_length = (size_t)(cursor - version->prerelease);
    if (*cursor == '+' && (cursor++, !read_identifiers(&cursor)))
        return false;
    return !*cursor;
}

int version_parse(const char *text, struct version *version, struct error **err)
{
    struct version read;
    if (!read_version(text, &read))
        return error_set(err, ERROR_INVALID,
                         "\"%s\" is not a Kubernetes version, such as \"v1.30.0\"", text);
    *version = read;
    return 0;
}

static int compare_number(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int compare_core(const struct version *a, const struct version *b)
{
    int order = compare_number(a->major, b->major);
    if (!order)
        order = compare_number(a->minor, b->minor);
    return order ? order : compare_number(a->patch, b->patch);
}

struct identifier {
    const char *text;
    size_t length;
    bool number;
};

/* Cuts the first identifier off the front of what is left. */
static struct identifier next_identifier(const char **rest, size_t *length)
{
    const char *dot = memchr(*rest, '.', *length);
    struct identifier first = {*rest, dot ? (size_t)(dot - *rest) : *length, true};
    for (size_t i = 0; i < first.length; i++)
        first.number = first.number && isdigit((unsigned char)first.text[i]);
    size_t used = first.length + (dot != NULL);
    *rest += used;
    *length -= used;
    return first;
}

/* Numbers by value (so by length first: without leading zeros), below all words. */
static int compare_identifier(struct identifier a, struct identifier b)
{
    if (a.number != b.number)
        return a.number ? -1 : 1;
    if (a.number && a.length != b.length)
        return a.length < b.length ? -1 : 1;
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.text, b.text, shorter);
    if (order)
        return order;
    return (a.length > b.length) - (a.length < b.length);
}

static int compare_prerelease(const struct version *a, const struct version *b)
{
    const char *a_rest = a->prerelease, *b_rest = b->prerelease;
    size_t a_length = a->prerelease_length, b_length = b->prerelease_length;
    if (!a_length || !b_length)
        return (a_length == 0) - (b_length == 0);
    while (a_length && b_length) {
        int order = compare_identifier(next_identifier(&a_rest, &a_length),
                                       next_identifier(&b_rest, &b_length));
        if (order)
            return order;
    }
    return (a_length != 0) - (b_length != 0);
}

int version_compare(const struct version *a, const struct version *b)
{
    int order = compare_core(a, b);
    return order ? order : compare_prerelease(a, b);
}

static struct version known_version(const char *text)
{
    struct version version;
    bool good = read_version(text, &version);
    assert(good);
    return version;
}

bool version_before(const struct version *version, const char *limit)
{
    struct version other = known_version(limit);
    return version_compare(version, &other) < 0;
}

bool version_core_before(const struct version *version, const char *limit)
{
    struct version other = known_version(limit);
    return compare_core(version, &other) < 0;
}
