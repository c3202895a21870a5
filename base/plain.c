#include "base/plain.h"

#include "base/memory.h"
#include <stdbool.h>
#include <stdint.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* What is read from one place of a string, and how it is shown. */
struct glyph {
    const char *shown;
    size_t shown_length; /* bytes of shown */
    size_t length;       /* bytes of the string */
    size_t width;
};

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

/* Controls (C0, DEL, C1), direction marks and overrides, line separators, the BOM. */
static bool is_unfit(uint32_t point)
{
    static const struct range unfit[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    };
    return in_ranges(unfit, COUNT_OF(unfit), point);
}

/* Roughly Unicode's wide and combining blocks: enough to keep columns and lines. */
static size_t point_width(uint32_t point)
{
    static const struct range combining[] = {
        {0x300, 0x36f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
    static const struct range wide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},  {0xac00, 0xd7a3},
                                        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},  {0xff00, 0xff60},
                                        {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    if (in_ranges(combining, COUNT_OF(combining), point))
        return 0;
    return in_ranges(wide, COUNT_OF(wide), point) ? 2 : 1;
}

/* The code point at *bytes and its length; length 0: not UTF-8. */
static size_t decode(const unsigned char *bytes, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
    if (length == 4 && first >> 3 != 30)
        return 0;
    *point = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[length] || *point > 0x10ffff || surrogate ? 0 : length;
}

static struct glyph glyph_at(const char *string)
{
    uint32_t point = 0;
    size_t length = decode((const unsigned char *)string, &point);
    if (length == 0)
        return (struct glyph){"?", 1, 1, 1};
    if (point == '\n' || point == '\t')
        return (struct glyph){" ", 1, 1, 1};
    if (is_unfit(point))
        return (struct glyph){"?", 1, length, 1};
    return (struct glyph){string, length, length, point_width(point)};
}

void plain_add(struct text *text, const char *string)
{
    while (*string) {
        struct glyph glyph = glyph_at(string);
        text_add_bytes(text, glyph.shown, glyph.shown_length);
        string += glyph.length;
    }
}

size_t plain_width(const char *string)
{
    size_t width = 0;
    while (*string) {
        struct glyph glyph = glyph_at(string);
        width += glyph.width;
        string += glyph.length;
    }
    return width;
}

/* Returns the cells taken. */
static size_t add_cut(struct text *text, const char *string, size_t width)
{
    size_t own = plain_width(string), taken = 0;
    if (own <= width) {
        plain_add(text, string);
        return own;
    }
    if (width == 0)
        return 0;
    for (;;) {
        struct glyph glyph = glyph_at(string);
        if (taken + glyph.width > width - 1)
            break;
        text_add_bytes(text, glyph.shown, glyph.shown_length);
        taken += glyph.width;
        string += glyph.length;
    }
    text_add(text, ELLIPSIS);
    return taken + 1;
}

void plain_add_cut(struct text *text, const char *string, size_t width)
{
    (void)add_cut(text, string, width);
}

void plain_add_padded(struct text *text, const char *string, size_t width)
{
    size_t taken = add_cut(text, string, width);
    text_add_char(text, ' ', width - taken);
}
