#include "reconciler/watch_schedule.h"

#include "base/memory.h"
#include "base/test.h"

static void passes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t list_ms, end_s, now_s, want_ms;
    } rows[] = {
        {"nothing ends", 60000, 0, 1000, 60000},   {"ends later", 60000, 2000, 1000, 60000},
        {"ends before", 60000, 1030, 1000, 30000}, {"ends now", 60000, 1000, 1000, 0},
        {"has ended", 60000, 900, 1000, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        assert_int_equal(watch_pass_ms(rows[i].list_ms, rows[i].end_s, rows[i].now_s),
                         rows[i].want_ms);
    }
}

static void jitters(void **state)
{
    (void)state;
    struct prng prng = {1};
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < 10000; i++) {
        uint64_t ms = watch_jitter_ms(60000, &prng);
        assert_in_range(ms, 54000, 66000);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(least < 54100 && most > 65900);
    assert_int_equal(watch_jitter_ms(0, &prng), 0);
}

static void reconnects(void **state)
{
    (void)state;
    struct prng prng = {1};
    for (size_t i = 0; i < 1000; i++) {
        assert_in_range(watch_reconnect_ms(1, &prng), 750, 1250);
        for (unsigned failures = 2; failures < 100; failures++)
            assert_in_range(watch_reconnect_ms(failures, &prng), 1000, WATCH_RECONNECT_MS_MAX);
        assert_in_range(watch_reconnect_ms(60, &prng), 24000, WATCH_RECONNECT_MS_MAX);
    }
}

static void hints(void **state)
{
    (void)state;
    assert_true(watch_is_hint("die") && watch_is_hint("start") && watch_is_hint("destroy"));
    assert_false(watch_is_hint("exec_create: sh -c secret") || watch_is_hint(""));
    assert_false(watch_is_hint("archive-path")); /* our own looks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(jitters),
        cmocka_unit_test(reconnects),
        cmocka_unit_test(hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
