/* repo_poll_test.c - how long until a repository is asked again. */
#include "reconciler/repo_poll.h"

#include "base/memory.h"
#include "base/test.h"

static void pauses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t interval_ms;
        unsigned failures;
        uint64_t least_ms, most_ms;
    } rows[] = {
        {"all is well", 60000, 0, 54000, 66000},
        {"a short interval", 100, 0, 90, 110},
        {"failed once, which the interval is longer than", 60000, 1, 54000, 66000},
        {"failed often", 60000, 20, 225000, 375000},
        {"failed often, and the interval is longer", 3600000, 20, 3240000, 3960000},
        {"a short interval, failing", 100, 4, 6000, 10000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct prng prng = {seed};
            assert_in_range(repo_poll_pause_ms(rows[i].interval_ms, rows[i].failures, &prng),
                            rows[i].least_ms, rows[i].most_ms);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
