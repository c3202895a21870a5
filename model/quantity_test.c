#include "model/quantity.h"

#include "base/memory.h"
#include "base/test.h"

static void parses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum quantity_unit unit;
        int64_t want; /* -1: no quantity */
    } rows[] = {
        {"0", QUANTITY_ONES, 0},
        {"1", QUANTITY_ONES, 1},
        {"2Gi", QUANTITY_ONES, 2147483648},
        {"1.5Gi", QUANTITY_ONES, 1610612736},
        {"1.50Gi", QUANTITY_ONES, 1610612736},
        {"512Mi", QUANTITY_ONES, 536870912},
        {"100k", QUANTITY_ONES, 100000},
        {"4G", QUANTITY_ONES, 4000000000},
        {"1e3", QUANTITY_ONES, 1000},
        {"1E3", QUANTITY_ONES, 1000},
        {"1.5e+3", QUANTITY_ONES, 1500},
        {"5e-1", QUANTITY_ONES, 1},
        {"8E", QUANTITY_ONES, 8000000000000000000},
        {"0.1", QUANTITY_ONES, 1},
        {"1m", QUANTITY_ONES, 1},
        {".5Ki", QUANTITY_ONES, 512},
        {"1.Ki", QUANTITY_ONES, 1024},
        {"0.0000000000000001", QUANTITY_ONES, 1},
        {"2", QUANTITY_THOUSANDTHS, 2000},
        {"1.5", QUANTITY_THOUSANDTHS, 1500},
        {"500m", QUANTITY_THOUSANDTHS, 500},
        {"0.0001", QUANTITY_THOUSANDTHS, 1},
        {"1u", QUANTITY_THOUSANDTHS, 1},
        {"1n", QUANTITY_THOUSANDTHS, 1},
        {"", QUANTITY_ONES, -1},
        {".", QUANTITY_ONES, -1},
        {"-1", QUANTITY_ONES, -1},
        {"+1", QUANTITY_ONES, -1},
        {"1.2.3", QUANTITY_ONES, -1},
        {"Gi", QUANTITY_ONES, -1},
        {"2 Gi", QUANTITY_ONES, -1},
        {"2gi", QUANTITY_ONES, -1},
        {"2GB", QUANTITY_ONES, -1},
        {"1e", QUANTITY_ONES, -1},
        {"1e3k", QUANTITY_ONES, -1},
        {"1e99", QUANTITY_ONES, -1},
        {"9E", QUANTITY_THOUSANDTHS, -1},
        {"9000Pi", QUANTITY_ONES, -1},
        {"99999999999999999999", QUANTITY_ONES, -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].text);
        int64_t got = -1;
        assert_int_equal(quantity_parse(rows[i].text, rows[i].unit, &got), rows[i].want >= 0);
        assert_int_equal(got, rows[i].want);
    }
}

static void prints(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    test_equal(quantity_bytes(arena, 0), "0");
    test_equal(quantity_bytes(arena, 1000), "1000");
    test_equal(quantity_bytes(arena, 1024), "1Ki");
    test_equal(quantity_bytes(arena, 1610612736), "1536Mi");
    test_equal(quantity_bytes(arena, (int64_t)1 << 50), "1Pi");
    test_equal(quantity_milli(arena, 500), "500m");
    test_equal(quantity_milli(arena, 1500), "1500m");
    test_equal(quantity_milli(arena, 2000), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(prints),
    };
    return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
