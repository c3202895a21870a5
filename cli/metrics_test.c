/* The metrics of a whole fleet, line by line; and what a label may hold. */
#include "cli/metrics.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/fleet_story_test.h"

static const struct status_clock moment = {.now_ms = 100000, .unix_ms = 1700000100000};

static void test_labels(void **state)
{
    static const struct {
        const char *name, *value, *want;
    } rows[] = {
        {"plain", "ci", "ci"},
        {"quote", "a\"b", "a\\\"b"},
        {"backslash", "a\\n", "a\\\\n"},
        {"newline", "a\nb", "a\\nb"},
        {"other letters", "käse", "käse"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_text struct text text;
        test_row(rows[i].name);
        text_init(&text, 0);
        metrics_add_label_value(&text, rows[i].value);
        test_equal(text.data, rows[i].want);
    }
}

/* The version is another with each release. */
static char *without_version(char *text)
{
    char *at = strstr(text, KIND_VERSION);
    assert_non_null(at);
    cleanup_free char *rest = memory_string(at + strlen(KIND_VERSION));
    size_t before = (size_t)(at - text);
    return memory_format("%.*sVERSION%s", (int)before, text, rest);
}

static void test_fleet(void **state)
{
    const struct metrics_service service = {.hooks = {5, 2, 0},
                                            .polls_by_hook = 1,
                                            .requests = 20,
                                            .refused = 3,
                                            .connections = 4,
                                            .streams = 1,
                                            .ready = true};
    const struct metrics_process process = {.cpu_s = 1.25,
                                            .start_unix_s = 1700000000.5,
                                            .resident_bytes = 9437184,
                                            .virtual_bytes = 103809024,
                                            .open_fds = 17,
                                            .max_fds = 1024};
    struct fleet_story story;
    cleanup_text struct text text;
    (void)state;
    story_open(&story, moment.now_ms);
    story_run(&story);
    text_init(&text, 0);
    metrics_add(&text, &moment, "lab \"1\"", story.status, &service, &process);
    cleanup_free char *got = without_version(text.data);
    test_golden(got, "cli/testdata/metrics.prom");
    story_close(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_fleet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
