#include "reconciler/cycle.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "reconciler/backoff.h"
#include "reconciler/notation.h"
#include <string.h>

/*
 * A script is what happened and what came of it, a line an event:
 *   EVENT -> EFFECTS | STATE
 * The events are played, the lines are written anew, and both must be equal.
 * Events: wake; stop; seen STATE; blind KIND (could not look); ok N; fail N
 * KIND (action N of the plan); want SPEC ("want" alone: must not exist). After
 * the state stand the failures in a row, and whether it is stalled. "~4s" is a
 * wake after a backoff of 4 s give or take a quarter.
 */
struct row {
    const char *name, *desired, *options, *script;
};

/* clang-format off */
static const struct row rows[] = {
    {"nothing to do", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:running recorded ready kubeconfig -> settled, wake 60s | idle\n"
     "wake -> observe | observing\n"},
    {"no resync", "cp", "noresync",
     "wake -> observe | observing\n"
     "seen cp:running recorded ready kubeconfig -> settled | idle\n"},
    {"nothing is allowed", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:running:upstream -> settled, wake 60s | idle\n"},
    {"a repair, to the end", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "ok 0 -> start 1 | executing\n"
     "ok 1 -> observe | observing\n"
     "seen cp:running recorded ready kubeconfig -> settled, wake 60s | idle\n"},
    {"a set-up, four at once", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "ok 1 -> | executing\n"
     "ok 0 -> start 2 | executing\n"
     "ok 2 -> start 3 | executing\n"
     "ok 3 -> start 4, start 5, start 6, start 7 | executing\n"
     "ok 6 -> start 8 | executing\n"
     "ok 4 -> start 9 | executing\n"
     "ok 5 -> start 10 | executing\n"
     "ok 7 -> start 11 | executing\n"
     "ok 8 -> | executing\n"
     "ok 9 -> | executing\n"
     "ok 10 -> | executing\n"
     "ok 11 -> start 12 | executing\n"
     "ok 12 -> start 13 | executing\n"
     "ok 13 -> observe | observing\n"},
    {"one at a time", "cp", "p1",
     "wake -> observe | observing\n"
     "seen -> start 0 | executing\n"
     "ok 0 -> start 1 | executing\n"
     "ok 1 -> start 2 | executing\n"},
    {"deletion", NULL, "delete",
     "wake -> observe | observing\n"
     "seen cp:running w:running recorded -> start 0 | executing\n"
     "ok 0 -> start 1, start 2 | executing\n"
     "ok 2 -> | executing\n"
     "ok 1 -> observe | observing\n"
     "seen -> settled, wake 60s | idle\n"},
    {"recreation takes two rounds", "cp image=new", "recreate",
     "wake -> observe | observing\n"
     "seen cp:running:misshapen -> start 0 | executing\n"
     "ok 0 -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"},
    {"a dry run starts nothing", "cp", "dry",
     "wake -> observe | observing\n"
     "seen -> settled, wake 60s | idle\n"},

    /* --- Wakes. --- */
    {"a wake while looking, nothing to do: looks once more", "cp", "",
     "wake -> observe | observing\n"
     "wake -> | observing\n"
     "wake -> | observing\n"
     "seen cp:running recorded ready kubeconfig -> observe | observing\n"
     "seen cp:running recorded ready kubeconfig -> settled, wake 60s | idle\n"},
    {"a wake while looking, something to do: the round looks at its end anyway", "cp", "",
     "wake -> observe | observing\n"
     "wake -> | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "ok 0 -> start 1 | executing\n"},
    {"a wake drains the round and starts another", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "wake -> | draining\n"
     "wake -> | draining\n"
     "ok 0 -> | draining\n"
     "ok 1 -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"},
    {"new wishes are planned from at the next look", "cp", "delete",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "want -> | executing\n"
     "wake -> | draining\n"
     "ok 0 -> | draining\n"
     "ok 1 -> observe | observing\n"
     "seen -> settled, wake 60s | idle\n"
     "want cp -> | idle\n"
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"},

    /* --- Failures. --- */
    {"a failure drains, then backs off", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "fail 1 unavailable -> | draining\n"
     "ok 0 -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "seen -> start 0, start 1 | executing 1\n"
     "ok 1 -> | executing 1\n"
     "fail 0 timeout -> failed, wake ~2s | backing off 2\n"},
    {"two failures in one round count as one, the first", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "fail 1 unavailable -> | draining\n"
     "fail 0 invalid -> failed, wake ~1s | backing off 1\n"},
    {"three alike make it stalled", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "fail 0 timeout -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "seen cp:exited recorded -> start 0 | executing 1\n"
     "fail 0 timeout -> failed, wake ~2s | backing off 2\n"
     "wake -> observe | observing 2\n"
     "seen cp:exited recorded -> start 0 | executing 2\n"
     "fail 0 timeout -> failed | backing off 3 stalled\n"
     "wake -> observe | observing 3\n"
     "seen cp:exited recorded -> start 0 | executing 3\n"
     "fail 0 unavailable -> failed, wake ~8s | backing off 4\n"},
    {"at different actions they are not alike", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "fail 0 timeout -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "seen cp:exited recorded -> start 0 | executing 1\n"
     "ok 0 -> start 1 | executing 1\n"
     "fail 1 timeout -> failed, wake ~2s | backing off 2\n"
     "wake -> observe | observing 2\n"
     "seen cp:exited recorded -> start 0 | executing 2\n"
     "fail 0 timeout -> failed, wake ~4s | backing off 3\n"},
    {"what cannot help is not tried again", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "fail 0 invalid -> failed | backing off 1 stalled\n"
     "wake -> observe | observing 1\n"
     "seen cp:exited recorded -> start 0 | executing 1\n"
     "fail 0 internal -> failed | backing off 2 stalled\n"},
    {"a wake during a round that stalls is honoured later", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "wake -> | draining\n"
     "fail 0 invalid -> failed, wake ~1s | backing off 1 stalled\n"
     "wake -> observe | observing 1\n"},
    {"a conflict is looked at again, after a while", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "fail 0 conflict -> failed, wake ~1s | backing off 1\n"},
    {"blind three times", "cp", "",
     "wake -> observe | observing\n"
     "blind unavailable -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "blind unavailable -> failed, wake ~2s | backing off 2\n"
     "wake -> observe | observing 2\n"
     "blind unavailable -> failed | backing off 3 stalled\n"},
    {"success forgets failures", "cp", "",
     "wake -> observe | observing\n"
     "blind unavailable -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "seen cp:running recorded ready kubeconfig -> settled, wake 60s | idle\n"
     "wake -> observe | observing\n"
     "blind unavailable -> failed, wake ~1s | backing off 1\n"},
    {"new wishes forget failures", "cp", "",
     "wake -> observe | observing\n"
     "blind invalid -> failed | backing off 1 stalled\n"
     "want cp -> | backing off\n"
     "wake -> observe | observing\n"
     "blind unavailable -> failed, wake ~1s | backing off 1\n"},

    /* --- No progress. --- */
    {"all went well, and the same is to do", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "ok 0 -> start 1 | executing\n"
     "ok 1 -> observe | observing\n"
     "seen cp:exited recorded -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "seen cp:exited recorded -> start 0 | executing 1\n"
     "ok 0 -> start 1 | executing 1\n"
     "ok 1 -> observe | observing 1\n"
     "seen cp:paused recorded -> failed, wake ~2s | backing off 2\n"
     "wake -> observe | observing 2\n"
     "seen cp:exited recorded -> start 0 | executing 2\n"
     "ok 0 -> start 1 | executing 2\n"
     "ok 1 -> observe | observing 2\n"
     "seen cp:exited recorded -> failed | backing off 3 stalled\n"},
    {"another reason for the same is no progress", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:running recorded unready kubeconfig message=1_s -> start 0 | executing\n"
     "ok 0 -> observe | observing\n"
     "seen cp:running recorded unready kubeconfig message=2_s -> failed, wake ~1s | backing off 1\n"},
    {"something else to do is progress", "cp", "",
     "wake -> observe | observing\n"
     "blind timeout -> failed, wake ~1s | backing off 1\n"
     "wake -> observe | observing 1\n"
     "seen cp:exited recorded -> start 0 | executing 1\n"
     "ok 0 -> start 1 | executing 1\n"
     "ok 1 -> observe | observing 1\n"
     "seen cp:running recorded unready kubeconfig -> start 0 | executing\n"},
    {"a round that was cut short proves nothing", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "wake -> | draining\n"
     "ok 0 -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"},

    /* --- Stops. --- */
    {"stop while idle", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:running recorded ready kubeconfig -> settled, wake 60s | idle\n"
     "stop -> stopped | stopped\n"
     "wake -> | stopped\n"
     "stop -> | stopped\n"},
    {"stop while looking", "cp", "",
     "wake -> observe | observing\n"
     "stop -> stopped | stopped\n"
     "seen cp:exited recorded -> | stopped\n"},
    {"stop while backing off", "cp", "",
     "wake -> observe | observing\n"
     "blind timeout -> failed, wake ~1s | backing off 1\n"
     "stop -> stopped | stopped 1\n"},
    {"stop before anything", "cp", "", "stop -> stopped | stopped\n"},
    {"the first stop drains", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "stop -> | draining\n"
     "wake -> | draining\n"
     "ok 0 -> | draining\n"
     "ok 1 -> stopped | stopped\n"},
    {"the second cancels, the third does nothing", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "ok 0 -> | executing\n"
     "stop -> | draining\n"
     "stop -> cancel 1 | draining\n"
     "stop -> | draining\n"
     "fail 1 canceled -> stopped | stopped\n"},
    {"a stop after a failure", "cp", "",
     "wake -> observe | observing\n"
     "seen -> start 0, start 1 | executing\n"
     "fail 0 timeout -> | draining\n"
     "stop -> | draining\n"
     "stop -> cancel 1 | draining\n"
     "ok 1 -> stopped | stopped\n"},
    {"canceled, and nobody asked", "cp", "",
     "wake -> observe | observing\n"
     "seen cp:exited recorded -> start 0 | executing\n"
     "fail 0 canceled -> failed, wake ~1s | backing off 1\n"},
};
/* clang-format on */

static struct cycle_options read_options(const char *text)
{
    return (struct cycle_options){
        .policy = {.fleet = NOTATION_FLEET,
                   .network = "kind",
                   .allow_recreate = strstr(text, "recreate") != NULL,
                   .allow_delete = strstr(text, "delete") != NULL},
        .parallel = strstr(text, "p1") ? 1 : 4,
        .resync_ms = strstr(text, "noresync") ? 0 : 60000,
        .seed = 1,
        .dry_run = strstr(text, "dry") != NULL,
    };
}

static enum error_kind read_kind(const char *name)
{
    for (int kind = ERROR_INVALID; kind <= ERROR_INTERNAL; kind++) {
        if (strcmp(name, error_kind_name((enum error_kind)kind)) == 0)
            return (enum error_kind)kind;
    }
    fail_msg("no kind of error: '%s'", name);
    return ERROR_INTERNAL;
}

/* One script being played. */
struct play {
    struct arena *arena;
    struct cycle *cycle;
    const struct cluster_spec *desired;
    uint64_t now_ms;
    struct text text;
};

static void write_wake(struct play *play, uint64_t wake_at_ms, bool failed)
{
    uint64_t wait_ms = wake_at_ms - play->now_ms, middle_ms = 1000;
    if (!failed) {
        text_add_format(&play->text, "wake %us", (unsigned)(wait_ms / 1000));
        return;
    }
    for (unsigned i = 1; i < cycle_failures(play->cycle); i++)
        middle_ms *= 2;
    assert_in_range(wait_ms, middle_ms * 3 / 4, middle_ms * 5 / 4);
    text_add_format(&play->text, "wake ~%us", (unsigned)(middle_ms / 1000));
}

static void write_effect(struct play *play, const struct effects *effects, size_t index)
{
    const struct effect *effect = &effects->items[index];
    text_add(&play->text, index ? ", " : " ");
    switch (effect->kind) {
    case EFFECT_OBSERVE:
        text_add(&play->text, "observe");
        return;
    case EFFECT_START:
        text_add_format(&play->text, "start %zu", effect->action);
        return;
    case EFFECT_CANCEL:
        text_add_format(&play->text, "cancel %zu", effect->action);
        return;
    case EFFECT_WAKE_AT:
        write_wake(play, effect->wake_at_ms,
                   index > 0 && effects->items[index - 1].kind == EFFECT_FAILED);
        return;
    case EFFECT_SETTLED:
        text_add(&play->text, "settled");
        return;
    case EFFECT_FAILED:
        assert_non_null(cycle_failure(play->cycle));
        text_add(&play->text, "failed");
        return;
    case EFFECT_STOPPED:
        text_add(&play->text, "stopped");
        return;
    }
}

static void write_outcome(struct play *play, const struct effects *effects)
{
    text_add(&play->text, " ->");
    for (size_t i = 0; i < effects->count; i++)
        write_effect(play, effects, i);
    text_add_format(&play->text, " | %s", cycle_state_name(cycle_state(play->cycle)));
    if (cycle_failures(play->cycle))
        text_add_format(&play->text, " %u", cycle_failures(play->cycle));
    text_add_format(&play->text, "%s\n", cycle_stalled(play->cycle) ? " stalled" : "");
}

/* "ok 3", "fail 3 timeout", "blind timeout": the number and the failure. */
static void read_ending(char *words, struct event *event, struct error **err)
{
    char *rest = words;
    if (*rest >= '0' && *rest <= '9')
        event->action = strtoul(rest, &rest, 10);
    rest += strspn(rest, " ");
    if (*rest)
        error_set(err, read_kind(rest), "out of luck");
    event->failure = *err;
}

static void play_event(struct play *play, char *words)
{
    struct effects effects = {.count = 0};
    struct event event = {.now_ms = play->now_ms += 1000};
    struct cluster_state seen;
    cleanup_error struct error *err = NULL;
    text_add(&play->text, words);
    char *rest = words, *word = strsep(&rest, " ");
    if (!rest)
        rest = words + strlen(words);
    if (strcmp(word, "want") == 0) {
        play->desired = notation_spec(play->arena, *rest ? rest : NULL);
        cycle_set_desired(play->cycle, play->desired);
        write_outcome(play, &effects);
        return;
    }
    if (strcmp(word, "wake") == 0) {
        event.kind = EVENT_WAKE;
    } else if (strcmp(word, "stop") == 0) {
        event.kind = EVENT_STOP;
    } else if (strcmp(word, "seen") == 0) {
        event.kind = EVENT_OBSERVED;
        seen = notation_state(play->arena, play->desired, rest);
        event.observed = &seen;
    } else {
        event.kind = strcmp(word, "blind") == 0 ? EVENT_OBSERVED : EVENT_ACTION_ENDED;
        read_ending(rest, &event, &err);
    }
    cycle_step(play->cycle, &event, &effects);
    write_outcome(play, &effects);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        struct cycle_options options = read_options(rows[i].options);
        struct play play = {.arena = arena, .desired = notation_spec(arena, rows[i].desired)};
        play.cycle = cycle_new("a", play.desired, &options);
        text_init(&play.text, 0);
        for (const char *line = rows[i].script; *line; line = strchr(line, '\n') + 1) {
            size_t length = (size_t)(strstr(line, " ->") - line);
            play_event(&play, arena_string_n(arena, line, length));
        }
        test_equal(play.text.data, rows[i].script);
        text_done(&play.text);
        cycle_free(play.cycle);
    }
}

static void step(struct cycle *cycle, struct event event)
{
    struct effects effects;
    cycle_step(cycle, &event, &effects);
}

static void test_failure_says_what(void **state)
{
    (void)state;
    test_row("messages");
    cleanup_arena struct arena *arena = arena_new();
    struct cycle_options options = read_options("");
    const struct cluster_spec *desired = notation_spec(arena, "cp");
    struct cluster_state seen = notation_state(arena, desired, "cp:exited recorded");
    struct cycle *cycle = cycle_new("a", desired, &options);
    assert_null(cycle_plan(cycle));
    assert_null(cycle_failure(cycle));

    cleanup_error struct error *err = NULL;
    error_set(&err, ERROR_TIMEOUT, "no answer in 30 s");
    step(cycle, (struct event){.kind = EVENT_WAKE});
    step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen});
    assert_int_equal(cycle_plan(cycle)->count, 2);
    assert_int_equal(cycle_running(cycle), 1);
    step(cycle, (struct event){.kind = EVENT_ACTION_ENDED, .failure = err});
    test_equal(cycle_failure(cycle)->message, "a-control-plane: start node: no answer in 30 s");
    assert_int_equal(cycle_failure(cycle)->kind, ERROR_TIMEOUT);
    assert_int_equal(cycle_running(cycle), 0);

    step(cycle, (struct event){.kind = EVENT_WAKE});
    assert_int_equal(cycle_rounds(cycle), 2);
    step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen});
    step(cycle, (struct event){.kind = EVENT_ACTION_ENDED, .action = 0});
    step(cycle, (struct event){.kind = EVENT_ACTION_ENDED, .action = 1});
    step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen});
    test_equal(cycle_failure(cycle)->message,
               "no progress: start node (a-control-plane) went well, but is still to do");
    assert_int_equal(cycle_failure(cycle)->kind, ERROR_UNAVAILABLE);
    cycle_free(cycle);
}

/* Two plans in turn, each done and each undone again: rounds without an end are counted. */
static void test_circles(void **state)
{
    (void)state;
    test_row("circles");
    cleanup_arena struct arena *arena = arena_new();
    struct cycle_options options = read_options("p1");
    const struct cluster_spec *desired = notation_spec(arena, "cp");
    const struct cluster_state seen[] = {
        notation_state(arena, desired, "cp:running recorded unready kubeconfig"),
        notation_state(arena, desired, "cp:running recorded ready nokubeconfig")};
    struct cycle *cycle = cycle_new("a", desired, &options);
    step(cycle, (struct event){.kind = EVENT_WAKE});
    for (int i = 0; i < 32; i++) {
        step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen[i % 2]});
        assert_int_equal(cycle_state(cycle), CYCLE_EXECUTING);
        step(cycle, (struct event){.kind = EVENT_ACTION_ENDED, .action = 0});
    }
    step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen[0]});
    assert_int_equal(cycle_state(cycle), CYCLE_BACKING_OFF);
    test_equal(cycle_failure(cycle)->message, "no progress: 33 rounds without an end");
    cycle_free(cycle);
}

static void test_limits(void **state)
{
    (void)state;
    test_row("limits");
    cleanup_arena struct arena *arena = arena_new();
    struct node_state nodes[100];
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        nodes[i] = (struct node_state){.name = arena_format(arena, "a-worker%02zu", i),
                                       .role = "worker",
                                       .owner = NOTATION_FLEET};
    const struct cluster_state seen = {.name = "a", .nodes = nodes, .node_count = COUNT_OF(nodes)};
    struct cycle_options options = read_options("delete");
    options.parallel = 1000;
    struct cycle *cycle = cycle_new("a", NULL, &options);
    step(cycle, (struct event){.kind = EVENT_WAKE});
    step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen});
    step(cycle, (struct event){.kind = EVENT_ACTION_ENDED, .action = 0});
    assert_int_equal(cycle_running(cycle), CYCLE_PARALLEL_MAX);
    step(cycle, (struct event){.kind = EVENT_STOP});
    struct effects effects;
    cycle_step(cycle, &(struct event){.kind = EVENT_STOP}, &effects);
    assert_int_equal(effects.count, CYCLE_PARALLEL_MAX);
    cycle_free(cycle);
    cycle_free(NULL);
}

/* None at once would be for ever. */
static void test_one_at_least(void **state)
{
    (void)state;
    test_row("parallel 0");
    struct node_state nodes[] = {
        {.name = "a-control-plane", .role = "control-plane", .owner = NOTATION_FLEET},
        {.name = "a-worker", .role = "worker", .owner = NOTATION_FLEET},
    };
    const struct cluster_state seen = {.name = "a", .nodes = nodes, .node_count = COUNT_OF(nodes)};
    struct cycle_options options = read_options("delete");
    options.parallel = 0;
    struct cycle *cycle = cycle_new("a", NULL, &options);
    step(cycle, (struct event){.kind = EVENT_WAKE});
    step(cycle, (struct event){.kind = EVENT_OBSERVED, .observed = &seen});
    step(cycle, (struct event){.kind = EVENT_ACTION_ENDED, .action = 0});
    assert_int_equal(cycle_running(cycle), 1);
    cycle_free(cycle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_failure_says_what),
        cmocka_unit_test(test_circles),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_one_at_least),
    };
    return cmocka_run_group_tests_name("cycle", tests, NULL, NULL);
}
