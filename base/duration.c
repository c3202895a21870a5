#include "base/duration.h"

#include "base/memory.h"
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>

/* As Go's: the largest is 2^63 - 1 ns, about 292 years. */
#define DURATION_NS_MAX UINT64_C(9223372036854775807)

static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* micro sign */
    {"\xce\xbcs", 1000}, /* Greek mu */
    {"ms", 1000000},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
};

/* A unit's name lasts until the next number begins. */
static const struct unit *unit_find(const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
            return &units[i];
    return NULL;
}

/* "12.5": whole and a fraction in units of 1/scale; false if it is no number or too large. */
static bool read_number(const char **at, uint64_t *whole, uint64_t *fraction, uint64_t *scale)
{
    const char *c = *at;
    size_t digits = 0;
    *whole = *fraction = 0;
    *scale = 1;
    for (; isdigit((unsigned char)*c); c++, digits++) {
        if (*whole > DURATION_NS_MAX / 10)
            return false;
        *whole = *whole * 10 + (uint64_t)(*c - '0');
    }
    if (*c == '.')
        for (c++; isdigit((unsigned char)*c); c++, digits++) {
            if (*scale > UINT64_C(100000)) /* more digits do not reach a nanosecond's worth */
                continue;
            *fraction = *fraction * 10 + (uint64_t)(*c - '0');
            *scale *= 10;
        }
    *at = c;
    return digits > 0;
}

static bool add(uint64_t *total_ns, uint64_t count, uint64_t ns)
{
    if (count > (DURATION_NS_MAX - *total_ns) / ns)
        return false;
    *total_ns += count * ns;
    return true;
}

int duration_parse(const char *string, uint64_t *ret_ms, struct error **err)
{
    uint64_t total_ns = 0;
    const char *at = string + (*string == '+');
    if (*string == '-')
        return error_set(err, ERROR_INVALID, "duration \"%s\" is negative", string);
    bool zero = strcmp(at, "0") == 0;
    do {
        uint64_t whole, fraction, scale;
        if (zero)
            break;
        if (!read_number(&at, &whole, &fraction, &scale))
            return error_set(err, ERROR_INVALID, "\"%s\" is not a duration such as 1m30s", string);
        size_t length = strcspn(at, ".0123456789");
        const struct unit *unit = unit_find(at, length);
        if (!unit)
            return error_set(err, ERROR_INVALID,
                             "%s unit in duration \"%s\"; write for example 30s or 5m",
                             length ? "unknown" : "missing", string);
        at += length;
        if (!add(&total_ns, whole, unit->ns) || !add(&total_ns, fraction * unit->ns / scale, 1))
            return error_set(err, ERROR_INVALID, "duration \"%s\" is too long", string);
    } while (*at);
    *ret_ms = total_ns / 1000000;
    return 0;
}

void duration_add(struct text *text, uint64_t ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } parts[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    if (!ms)
        text_add(text, "0s");
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (ms >= parts[i].ms)
            text_add_format(text, "%llu%s", (unsigned long long)(ms / parts[i].ms), parts[i].name);
        ms %= parts[i].ms;
    }
}
