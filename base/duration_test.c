#include "base/duration.h"

#include "base/memory.h"
#include "base/test.h"

static const struct {
    const char *string;
    uint64_t ms;
    const char *wrong; /* part of the message, or NULL */
} rows[] = {
    {"0", 0, NULL},
    {"0s", 0, NULL},
    {"+5s", 5000, NULL},
    {"500ms", 500, NULL},
    {"1m30s", 90000, NULL},
    {"1h", 3600000, NULL},
    {"1.5s", 1500, NULL},
    {".5s", 500, NULL},
    {"1.s", 1000, NULL},
    {"1h15m30.918273645s", 4530918, NULL},
    {"0.100000000000000000000h", 360000, NULL},
    {"999us", 0, NULL},
    {"1000us", 1, NULL},
    {"1000\xc2\xb5s", 1, NULL},
    {"1000\xce\xbcs", 1, NULL},
    {"2562047h", UINT64_C(9223369200000), NULL},
    {"", 0, "not a duration"},
    {"5", 0, "missing unit"},
    {"5x", 0, "unknown unit"},
    {"5s5", 0, "missing unit"},
    {"s", 0, "not a duration"},
    {".s", 0, "not a duration"},
    {"-5s", 0, "negative"},
    {"-0", 0, "negative"},
    {"1 s", 0, "unknown unit"},
    {"1S", 0, "unknown unit"},
    {"2562048h", 0, "too long"},
    {"99999999999999999999h", 0, "not a duration"},
};

static void parses_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].string);
        uint64_t ms = 77;
        cleanup_error struct error *err = NULL;
        int result = duration_parse(rows[i].string, &ms, &err);
        if (rows[i].wrong) {
            assert_int_equal(result, -1);
            assert_int_equal(ms, 77);
            if (!strstr(err->message, rows[i].wrong))
                test_equal(err->message, rows[i].wrong);
        } else {
            test_equal(err ? err->message : NULL, NULL);
            assert_int_equal(ms, rows[i].ms);
        }
    }
}

static void prints_rows(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *want;
    } printed[] = {
        {0, "0s"},          {1, "1ms"},      {1500, "1s500ms"},
        {90000, "1m30s"},   {3600000, "1h"}, {UINT64_C(259200000), "72h"},
        {5400000, "1h30m"},
    };
    for (size_t i = 0; i < COUNT_OF(printed); i++) {
        cleanup_text struct text text;
        cleanup_error struct error *err = NULL;
        uint64_t again = 0;
        text_init(&text, 0);
        duration_add(&text, printed[i].ms);
        test_equal(text.data, printed[i].want);
        assert_int_equal(duration_parse(text.data, &again, &err), 0);
        assert_int_equal(again, printed[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses_rows),
                                       cmocka_unit_test(prints_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
