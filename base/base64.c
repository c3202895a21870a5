#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* -1 for a character outside the alphabet. */
static int value_of(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Two or three characters before "=": one or two bytes; the bits left over must be 0. */
static bool decode_tail(uint32_t bits, size_t characters, size_t padding, struct text *decoded)
{
    if (characters == 0)
        return padding == 0;
    if (characters == 1 || characters + padding != 4)
        return false;
    bits <<= 6 * padding;
    char bytes[2] = {(char)(bits >> 16), (char)(bits >> 8 & 0xFF)};
    text_add_bytes(decoded, bytes, characters - 1);
    return (bits & (characters == 2 ? 0xFFFF : 0xFF)) == 0;
}

bool base64_decode(const char *encoded, struct text *decoded)
{
    uint32_t bits = 0;
    size_t characters = 0, padding = 0;
    for (const char *at = encoded; *at; at++) {
        if (is_blank(*at))
            continue;
        if (*at == '=') {
            padding++;
            continue;
        }
        int value = value_of(*at);
        if (value < 0 || padding)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++characters < 4)
            continue;
        char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8 & 0xFF), (char)(bits & 0xFF)};
        text_add_bytes(decoded, bytes, sizeof(bytes));
        bits = 0;
        characters = 0;
    }
    return decode_tail(bits, characters, padding, decoded);
}
