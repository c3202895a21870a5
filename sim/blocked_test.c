/*
 * A cluster about which the engine never answers delays no other: those beside it are made as soon
 * as if it were not there, and it is given up in the end.
 */
#include "base/memory.h"
#include "base/test.h"
#include "sim/stage.h"
#include <errno.h>

/* All clusters of the fleet, and how much longer the others may take. */
static const char *const names[] = {"a", "b", "c"};
enum { CLUSTERS = COUNT_OF(names), GRACE_MS = 3000, SEEDS = 10 };

struct watch {
    uint64_t settled_at_ms[CLUSTERS], stalled_at_ms[CLUSTERS];
};

static void hear(void *context, const struct report *report)
{
    struct watch *watch = context;
    for (size_t i = 0; i < CLUSTERS; i++) {
        if (strcmp(report->cluster, names[i]) != 0)
            continue;
        if (report->kind == REPORT_SETTLED)
            watch->settled_at_ms[i] = report->now_ms;
        if (report->kind == REPORT_STALLED)
            watch->stalled_at_ms[i] = report->now_ms;
    }
}

/* Applies the fleet; until when the clusters that are not blocked were made, from the beginning. */
static uint64_t apply(uint64_t seed, size_t blocked)
{
    size_t counts[TROUBLE_CLASSES] = {0};
    struct watch watch = {{0}, {0}};
    struct stage stage;
    const struct stage_options options = {
        .seed = seed, .counts = counts, .again = program_invocation_name};
    stage_open(&stage, &options);
    stage.heard = hear;
    stage.heard_context = &watch;
    stage.blocked = blocked < CLUSTERS ? names[blocked] : NULL;
    uint64_t began_at_ms = stage.transport.now_ms, last_ms = 0;
    const struct stage_pass pass = {.wish = wish_index("a: cp, b: cp, c: cp")};
    enum stage_end end = stage_run(&stage, &pass);
    assert_int_equal(end, stage.blocked ? STAGE_FAILED : STAGE_GOOD);
    assert_int_equal(stage.rules.broken, 0);
    for (size_t i = 0; i < CLUSTERS; i++) {
        uint64_t at_ms = watch.settled_at_ms[i];
        assert_int_equal(at_ms == 0, i == blocked);
        assert_int_equal(watch.stalled_at_ms[i] != 0, i == blocked);
        last_ms = at_ms > last_ms ? at_ms : last_ms;
    }
    stage_close(&stage);
    return last_ms - began_at_ms;
}

static void delays_no_other(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t usual_ms = apply(seed, CLUSTERS);
        for (size_t i = 0; i < CLUSTERS; i++)
            assert_in_range(apply(seed, i), 1, usual_ms + GRACE_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(delays_no_other)};
    return cmocka_run_group_tests_name("blocked", tests, NULL, NULL);
}
