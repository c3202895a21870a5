#include "base/plain.h"

#include "base/memory.h"
#include "base/test.h"

static const struct {
    const char *name, *string, *want;
    size_t width;
} rows[] = {
    {"ascii", "ci-worker", "ci-worker", 9},
    {"empty", "", "", 0},
    {"escape", "a\033[31mb", "a?[31mb", 7},
    {"newline and tab", "a\nb\tc", "a b c", 5},
    {"return and bell", "a\rb\a", "a?b?", 4},
    {"delete", "a\x7f", "a?", 2},
    {"C1 control",
     "a\xc2\x9b"
     "31m",
     "a?31m", 5},
    {"right-to-left override",
     "a\xe2\x80\xae"
     "b",
     "a?b", 3},
    {"isolate", "\xe2\x81\xa6x", "?x", 2},
    {"byte order mark", "\xef\xbb\xbfx", "?x", 2},
    {"two bytes", "\xc3\xa9", "\xc3\xa9", 1},
    {"wide", "\xe6\xbc\xa2", "\xe6\xbc\xa2", 2},
    {"combining", "e\xcc\x81", "e\xcc\x81", 1},
    {"four bytes", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 2},
    {"stray byte", "a\x80z", "a?z", 3},
    {"cut short", "a\xe6\xbc", "a??", 3},
    {"overlong", "\xc0\xaf", "??", 2},
    {"surrogate", "\xed\xa0\x80", "???", 3},
    {"too large", "\xf5\x80\x80\x80", "????", 4},
};

static void makes_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_text struct text text;
        text_init(&text, 0);
        plain_add(&text, rows[i].string);
        test_equal(text.data, rows[i].want);
        assert_int_equal(plain_width(rows[i].string), rows[i].width);
    }
}

static void cuts_and_pads(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        size_t width;
        const char *cut, *padded;
    } cells[] = {
        {"abc", 5, "abc", "abc  "},
        {"abc", 3, "abc", "abc"},
        {"abcd", 3, "ab\xe2\x80\xa6", "ab\xe2\x80\xa6"},
        {"abcd", 1, "\xe2\x80\xa6", "\xe2\x80\xa6"},
        {"abcd", 0, "", ""},
        {"\xe6\xbc\xa2\xe6\xbc\xa2", 4, "\xe6\xbc\xa2\xe6\xbc\xa2", "\xe6\xbc\xa2\xe6\xbc\xa2"},
        {"\xe6\xbc\xa2\xe6\xbc\xa2", 3, "\xe6\xbc\xa2\xe2\x80\xa6", "\xe6\xbc\xa2\xe2\x80\xa6"},
        {"\xe6\xbc\xa2\xe6\xbc\xa2", 2, "\xe2\x80\xa6", "\xe2\x80\xa6 "},
    };
    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        test_row(cells[i].string);
        cleanup_text struct text cut, padded;
        text_init(&cut, 0);
        text_init(&padded, 0);
        plain_add_cut(&cut, cells[i].string, cells[i].width);
        plain_add_padded(&padded, cells[i].string, cells[i].width);
        test_equal(cut.data, cells[i].cut);
        test_equal(padded.data, cells[i].padded);
    }
}

/* Any bytes: what comes out has no control characters and the width it says. */
static void survives_any_bytes(void **state)
{
    (void)state;
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 1; b < 256; b++) {
            const char bytes[] = {(char)a, (char)b, 'x', '\0'};
            cleanup_text struct text text;
            text_init(&text, 0);
            plain_add(&text, bytes);
            for (size_t i = 0; i < text.length; i++)
                assert_true((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
            assert_int_equal(plain_width(text.data), plain_width(bytes));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_plain),
        cmocka_unit_test(cuts_and_pads),
        cmocka_unit_test(survives_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
