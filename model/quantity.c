#include "model/quantity.h"

#include "base/memory.h"
#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { EXPONENT_MAX = 18 };

/* A suffix multiplies by 2^shift * 10^power. */
static const struct suffix {
    const char *name;
    unsigned shift;
    int power;
} suffixes[] = {
    {"", 0, 0},    {"n", 0, -9},  {"u", 0, -6},  {"m", 0, -3},  {"k", 0, 3},
    {"M", 0, 6},   {"G", 0, 9},   {"T", 0, 12},  {"P", 0, 15},  {"E", 0, 18},
    {"Ki", 10, 0}, {"Mi", 20, 0}, {"Gi", 30, 0}, {"Ti", 40, 0}, {"Pi", 50, 0},
};

/* Digits without their point: mantissa * 10^power. */
struct decimal {
    int64_t mantissa;
    int power;
};

static bool read_decimal(const char **at, struct decimal *decimal)
{
    bool fraction = false;
    size_t digits = 0;
    *decimal = (struct decimal){0};
    for (; isdigit((unsigned char)**at) || (**at == '.' && !fraction); (*at)++) {
        if (**at == '.') {
            fraction = true;
            continue;
        }
        digits++;
        if (decimal->mantissa > INT64_MAX / 100)
            return false; /* nobody counts that finely */
        decimal->mantissa = decimal->mantissa * 10 + (**at - '0');
        decimal->power -= fraction;
    }
    return digits > 0;
}

/* "e3", "E-3"; what follows an E otherwise is the suffix for 10^18. */
static bool read_exponent(const char *at, int *power)
{
    if (*at != 'e' && *at != 'E')
        return false;
    int sign = at[1] == '-' ? -1 : 1, exponent = 0;
    at += 1 + (at[1] == '-' || at[1] == '+');
    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at); at++) {
        exponent = exponent * 10 + (*at - '0');
        if (exponent > EXPONENT_MAX)
            return false;
    }
    *power = sign * exponent;
    return *at == '\0';
}

static bool read_suffix(const char *at, struct suffix *found)
{
    *found = (struct suffix){0};
    if (read_exponent(at, &found->power))
        return true;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        if (strcmp(at, suffixes[i].name) == 0) {
            *found = suffixes[i];
            return true;
        }
    }
    return false;
}

/* amount * 10^power, rounded up; false past int64. */
static bool scale(int64_t *amount, int power)
{
    for (; power > 0; power--) {
        if (__builtin_mul_overflow(*amount, (int64_t)10, amount))
            return false;
    }
    int64_t divisor = 1;
    for (; power < 0; power++) {
        if (__builtin_mul_overflow(divisor, (int64_t)10, &divisor)) {
            *amount = *amount > 0;
            return true;
        }
    }
    *amount = *amount / divisor + (*amount % divisor != 0);
    return true;
}

bool quantity_parse(const char *text, enum quantity_unit unit, int64_t *amount)
{
    struct decimal decimal;
    struct suffix suffix;
    const char *at = text;
    if (!read_decimal(&at, &decimal) || !read_suffix(at, &suffix))
        return false;
    /* Zeros at the end of a fraction would only make the product larger. */
    for (; decimal.power < 0 && decimal.mantissa % 10 == 0; decimal.power++)
        decimal.mantissa /= 10;
    int64_t value = decimal.mantissa;
    if (__builtin_mul_overflow(value, (int64_t)unit, &value) ||
        __builtin_mul_overflow(value, (int64_t)1 << suffix.shift, &value) ||
        !scale(&value, decimal.power + suffix.power))
        return false;
    *amount = value;
    return true;
}

const char *quantity_bytes(struct arena *arena, int64_t bytes)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    size_t unit = 0;
    for (; bytes && bytes % 1024 == 0 && unit + 1 < COUNT_OF(units); unit++)
        bytes /= 1024;
    return arena_format(arena, "%lld%s", (long long)bytes, units[unit]);
}

const char *quantity_milli(struct arena *arena, int64_t thousandths)
{
    bool whole = thousandths % 1000 == 0;
    return arena_format(arena, "%lld%s", (long long)(whole ? thousandths / 1000 : thousandths),
                        whole ? "" : "m");
}
