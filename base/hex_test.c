#include "base/hex.h"

#include "base/test.h"

static void write_rows(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[4];
        size_t count;
        const char *want;
    } rows[] = {
        {{0}, 0, ""},
        {{0x00}, 1, "00"},
        {{0x09, 0x0a, 0xf0, 0xff}, 4, "090af0ff"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char hex[9];
        hex_write(hex, rows[i].bytes, rows[i].count);
        test_equal(hex, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_rows)};
    return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
