#include "model/moment.h"

#include "base/memory.h"
#include "base/test.h"

enum { NONE = -1 };

static void rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        long long want;
        const char *again;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"2026-01-31T18:00:00Z", 1769882400, "2026-01-31T18:00:00Z"},
        {"2026-01-31T18:00:00.999Z", 1769882400, "2026-01-31T18:00:00Z"},
        {"2026-01-31T18:00:00+02:30", 1769873400, "2026-01-31T15:30:00Z"},
        {"2026-01-31T18:00:00-02:30", 1769891400, "2026-01-31T20:30:00Z"},
        {"2000-02-29T12:00:00Z", 951825600, "2000-02-29T12:00:00Z"},
        {"2100-03-01T00:00:00Z", 4107542400, "2100-03-01T00:00:00Z"},
        {"9999-12-31T23:59:59Z", 253402300799, "9999-12-31T23:59:59Z"},
        {"1970-01-01T00:00:00+00:01", NONE, NULL},
        {"1969-12-31T23:59:59Z", NONE, NULL},
        {"2026-13-31T18:00:00Z", NONE, NULL},
        {"2026-00-31T18:00:00Z", NONE, NULL},
        {"2026-01-32T18:00:00Z", NONE, NULL},
        {"2026-01-31T24:00:00Z", NONE, NULL},
        {"2026-01-31T18:60:00Z", NONE, NULL},
        {"2026-01-31T18:00:61Z", NONE, NULL},
        {"2026-01-31 18:00:00Z", NONE, NULL},
        {"2026-01-31T18:00:00", NONE, NULL},
        {"2026-01-31T18:00:00z", NONE, NULL},
        {"2026-01-31T18:00:00+2:00", NONE, NULL},
        {"2026-01-31T18:00:00+24:00", NONE, NULL},
        {"2026-01-31T18:00:00+02:60", NONE, NULL},
        {"2026-01-31T18:00:00+02:00Z", NONE, NULL},
        {"2026-01-31", NONE, NULL},
        {"", NONE, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t seconds = 77;
        cleanup_text struct text text;
        text_init(&text, 0);
        test_row(rows[i].text);
        bool good = moment_parse(rows[i].text, &seconds);
        assert_int_equal(good, rows[i].want != NONE);
        assert_int_equal(seconds, good ? (uint64_t)rows[i].want : 77);
        moment_add(&text, seconds);
        if (good)
            test_equal(text.data, rows[i].again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows)};
    return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
