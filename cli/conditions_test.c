#include "cli/conditions.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

static const struct node_state running[] = {
    {.name = "a-control-plane", .status = CONTAINER_RUNNING}};
static const struct node_state ended[] = {{.name = "a-control-plane", .status = CONTAINER_EXITED}};

#define STATE(containers, is_recorded, is_ready, words)                                            \
    {                                                                                              \
        .name = "a", .nodes = containers, .node_count = 1, .recorded = is_recorded,                \
        .ready = is_ready, .message = words                                                        \
    }

static const struct last_failure retrying = {
    .first_at_s = 86400, .at_s = 86500, .kind = "unavailable", .message = "it failed"};
static const struct last_failure given_up = {.first_at_s = 86400,
                                             .at_s = 86500,
                                             .stalled = true,
                                             .message = "it failed",
                                             .causes = {{.id = "inotify-instances"}},
                                             .cause_count = 1};

static void conditions_are(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct cluster_state state;
        const char *looked;
        const struct last_failure *last;
        const char *want; /* "Synced=True AsApplied; ..." and what else it says */
    } rows[] = {
        {"well", STATE(running, SEEN_YES, SEEN_YES, NULL), NULL, NULL,
         "Synced=True AsApplied; Ready=True NodesReady; Stalled=False NoFailure"},
        {"not Ready", STATE(running, SEEN_YES, SEEN_NO, "x is NotReady"), NULL, NULL,
         "Synced=True AsApplied; Ready=False NodesNotReady (x is NotReady); Stalled=False "
         "NoFailure"},
        {"not asked", STATE(running, SEEN_YES, SEEN_UNKNOWN, NULL), NULL, NULL,
         "Synced=True AsApplied; Ready=Unknown NotAsked (the API was not asked); Stalled=False "
         "NoFailure"},
        {"unfinished", STATE(running, SEEN_NO, SEEN_UNKNOWN, NULL), NULL, NULL,
         "Synced=False SetupUnfinished (set-up is not finished; `kind apply` goes on with it); "
         "Ready=Unknown NotAsked (the API was not asked); Stalled=False NoFailure"},
        {"record unreadable", STATE(running, SEEN_UNKNOWN, SEEN_UNKNOWN, "broken"), NULL, NULL,
         "Synced=Unknown RecordUnreadable (broken); Ready=Unknown NotAsked (broken); "
         "Stalled=False NoFailure"},
        {"record unreadable, no words", STATE(running, SEEN_UNKNOWN, SEEN_YES, NULL), NULL, NULL,
         "Synced=Unknown RecordUnreadable; Ready=True NodesReady; Stalled=False NoFailure"},
        {"a container has ended", STATE(ended, SEEN_YES, SEEN_UNKNOWN, NULL), NULL, NULL,
         "Synced=False ContainerNotRunning (a-control-plane is exited); Ready=False "
         "ContainerNotRunning (a-control-plane is exited); Stalled=False NoFailure"},
        {"stopped by hand",
         {.name = "a",
          .nodes = ended,
          .node_count = 1,
          .recorded = SEEN_YES,
          .marks = {.stopped = true}},
         NULL,
         NULL,
         "Synced=True AsApplied; Ready=False Stopped (it was stopped; `kind start` starts it); "
         "Stalled=False NoFailure"},
        {"suspended",
         {.name = "a",
          .nodes = running,
          .node_count = 1,
          .recorded = SEEN_YES,
          .ready = SEEN_YES,
          .marks = {.suspended = true}},
         NULL,
         NULL,
         "Synced=Unknown Suspended (left alone until it is resumed); Ready=True NodesReady; "
         "Stalled=False NoFailure"},
        {"the look failed", STATE(running, SEEN_UNKNOWN, SEEN_UNKNOWN, NULL), "no answer", NULL,
         "Synced=Unknown LookFailed (no answer); Ready=Unknown LookFailed (no answer); "
         "Stalled=False NoFailure"},
        {"failed", STATE(running, SEEN_YES, SEEN_YES, NULL), NULL, &retrying,
         "Synced=False ApplyFailed (it failed) 1970-01-02T00:00:00Z; Ready=True NodesReady; "
         "Stalled=False Retrying (it failed)"},
        {"given up", STATE(running, SEEN_YES, SEEN_YES, NULL), NULL, &given_up,
         "Synced=False InotifyInstances (it failed) 1970-01-02T00:00:00Z; Ready=True NodesReady; "
         "Stalled=True InotifyInstances (it failed) 1970-01-02T00:01:40Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        struct condition conditions[CONDITIONS];
        conditions_of(arena, &rows[i].state, rows[i].looked, rows[i].last, conditions);
        json_t *json = conditions_json(conditions), *one;
        cleanup_text struct text text;
        text_init(&text, 0);
        size_t index;
        json_array_foreach(json, index, one)
        {
            const char *message = json_string_value(json_object_get(one, "message"));
            const char *time = json_string_value(json_object_get(one, "lastTransitionTime"));
            text_add_format(&text, "%s%s=%s %s", index ? "; " : "",
                            json_string_value(json_object_get(one, "type")),
                            json_string_value(json_object_get(one, "status")),
                            json_string_value(json_object_get(one, "reason")));
            if (*message)
                text_add_format(&text, " (%s)", message);
            if (time)
                text_add_format(&text, " %s", time);
        }
        json_decref(json);
        test_equal(text.data, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conditions_are)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
