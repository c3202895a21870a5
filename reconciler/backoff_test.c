#include "reconciler/backoff.h"

#include "base/memory.h"
#include "base/test.h"

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        unsigned failures;
        uint64_t middle_ms;
    } rows[] = {
        {0, 1000},   {1, 1000},    {2, 2000},    {3, 4000},      {8, 128000},
        {9, 256000}, {10, 300000}, {11, 300000}, {1000, 300000}, {UINT32_MAX, 300000},
    };
    struct prng prng = {.state = 1};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int try = 0; try < 1000; try++) {
            uint64_t delay_ms = backoff_delay_ms(rows[i].failures, &prng);
            assert_in_range(delay_ms, rows[i].middle_ms * 3 / 4, rows[i].middle_ms * 5 / 4);
        }
    }
}

/* Many that fail together do not come back together; one that is run again does the same. */
static void test_jitter(void **state)
{
    (void)state;
    struct prng one = {.state = 1}, again = {.state = 1}, other = {.state = 2};
    uint64_t delay_ms = backoff_delay_ms(5, &one);
    assert_int_equal(backoff_delay_ms(5, &again), delay_ms);
    assert_int_not_equal(backoff_delay_ms(5, &other), delay_ms);
    assert_int_not_equal(backoff_delay_ms(5, &one), delay_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_jitter)};
    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
