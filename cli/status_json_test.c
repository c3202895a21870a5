/* The state of a whole fleet as JSON: the shape that scripts and the page rely on. */
#include "cli/status_json.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/fleet_story_test.h"

static void test_fleet(void **state)
{
    const struct status_clock clock = {.now_ms = 100000, .unix_ms = 1700000100000};
    struct fleet_story story;
    (void)state;
    story_open(&story, clock.now_ms);
    story_run(&story);
    json_t *document = status_json_fleet(&clock, "lab", story.status);
    json_object_set_new(document, "version", json_string("VERSION"));
    json_t *events = json_array();
    struct status_news news = {0};
    while ((news = fleet_status_after(story.status, news.change)).change)
        if (news.event)
            json_array_append_new(events, status_json_event(&clock, news.event));
    json_object_set_new(document, "events", events);
    cleanup_free char *got = json_dumps(document, JSON_INDENT(1));
    cleanup_free char *lines = memory_format("%s\n", got);
    json_decref(document);
    test_golden(lines, "cli/testdata/status.json");
    story_close(&story);
}

/* The computer's clock was set: what was told before moves with it. */
static void test_jump(void **state)
{
    (void)state;
    const struct status_clock before = {.now_ms = 5000, .unix_ms = 1700000000000};
    const struct status_clock after = {.now_ms = 6000, .unix_ms = 1600000000000};
    assert_true(status_clock_unix_s(&before, 4000) == 1699999999.0);
    assert_true(status_clock_unix_s(&after, 4000) == 1599999998.0);
    assert_true(status_clock_unix_s(&after, 7000) == 1600000001.0); /* yet to come */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fleet),
        cmocka_unit_test(test_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
