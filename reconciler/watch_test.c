/*
 * The watcher over the docker driver over the fake world, in process and under a virtual clock:
 * days of watching pass in a moment.
 */
#include "reconciler/watch.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/fake_lab.h"
#include <jansson.h>
#include <stdio.h>

enum { TURNS_MAX = 2000000, MINUTE_MS = 60 * 1000 };

struct play {
    struct fake_lab lab;
    struct watch *watch;
    struct text log;      /* "a settled", "a goes", "engine away" */
    int64_t wall_ahead_s; /* of what the virtual clock says, which is the time of day */
    bool away;            /* the engine is */
    bool over;
};

static struct play *playing; /* for the clock, which has no context */

static uint64_t now_s(void)
{
    return playing->lab.transport.now_ms / 1000 + (uint64_t)playing->wall_ahead_s;
}

static void note(struct play *play, const char *what, const char *how)
{
    text_add_format(&play->log, "%s%s%s%s", play->log.length ? ", " : "", what, *how ? " " : "",
                    how);
}

static void reported(void *context, const struct report *report)
{
    if (report->kind == REPORT_ACTION_BEGINS)
        note(context, report->cluster, action_kind_name(report->action->kind));
    if (report->kind == REPORT_SETTLED)
        note(context, report->cluster, "settled");
    if (report->kind == REPORT_RETRY)
        note(context, report->cluster, "retry");
    if (report->kind == REPORT_STALLED)
        note(context, report->cluster, "stalled");
    if (report->kind == REPORT_NOTE && report->text)
        note(context, report->cluster, report->text);
}

static void judged(void *context, const struct rails_verdict *verdict)
{
    note(context, verdict->cluster, verdict->remove ? "goes" : verdict->reason);
}

static void engine_told(void *context, const struct error *why)
{
    note(context, "engine", why ? "away" : "there");
}

static void dropped(void *context, const char *cluster)
{
    note(context, cluster, "dropped");
}

static struct fake_trouble meddle(void *context, const struct request *request)
{
    const struct play *play = context;
    bool lost = play->away && request->unix_path;
    return (struct fake_trouble){.lost = lost, .dropped = lost};
}

static void finished(void *context)
{
    ((struct play *)context)->over = true;
}

static void open_play(struct play *play, bool prune)
{
    static const struct fake_settings quick = {
        .boot_ms = 1, .exec_ms = 1, .api_ms = 1, .ready_ms = 1, .lost_ms = 40000};
    *play = (struct play){.over = false};
    playing = play;
    fake_lab_open(&play->lab, &quick);
    text_init(&play->log, 0);
    play->lab.transport.meddler = meddle;
    play->lab.transport.meddler_context = play;
    const struct watch_options options = {
        .driver = play->lab.driver,
        .transport = &play->lab.transport.transport,
        .cycle = {.policy = {.fleet = "default", .network = "kind", .allow_delete = true},
                  .parallel = 8},
        .rails = {.fleet = "default", .prune = prune},
        .clusters_default = 2,
        .seed = 7,
        .now_s = now_s,
        .context = play,
        .report = reported,
        .judged = judged,
        .engine_told = engine_told,
        .dropped = dropped,
        .finished = finished,
    };
    play->watch = watch_new(&options);
    watch_start(play->watch);
}

/* Virtual time passes. */
static void pass(struct play *play, uint64_t ms)
{
    uint64_t until_ms = play->lab.transport.now_ms + ms;
    for (size_t turns = 0; play->lab.transport.now_ms < until_ms; turns++) {
        assert_true(turns < TURNS_MAX);
        if (!fake_transport_turn(&play->lab.transport))
            return;
    }
}

static void close_play(struct play *play)
{
    watch_stop(play->watch);
    while (!play->over)
        assert_true(fake_transport_turn(&play->lab.transport));
    watch_free(play->watch);
    text_done(&play->log);
    fake_lab_close(&play->lab);
}

static struct desired *revision_of(const char *yaml)
{
    struct arena *arena = arena_new();
    struct desired *desired = arena_alloc(arena, sizeof(*desired));
    const struct load_text text = {"test.yaml", arena_string(arena, yaml), strlen(yaml)};
    const struct load_options options = {.base_folder = "/", .allow_empty = true};
    struct problem_list problems;
    problem_list_init(&problems, arena);
    desired->arena = arena;
    desired->revision = "r";
    desired->warnings = "";
    assert_int_equal(load_fleet(&text, 1, &options, &desired->fleet, &problems), 0);
    return desired;
}

static void take(struct play *play, const char *yaml)
{
    watch_take(play->watch, revision_of(yaml));
}

/* What happened since, and forgets it. */
static const char *happened(struct play *play)
{
    const char *copy = arena_string(play->lab.arena, play->log.data);
    text_clear(&play->log);
    return copy;
}

static size_t requests(struct play *play)
{
    return play->lab.transport.requests;
}

static void fake(struct play *play, const char *line, const char *json)
{
    fake_lab_control(&play->lab, line, json);
}

#define IMAGE "image: \"kind.local/node:v1.20.2\""
#define CLUSTER(name)                                                                              \
    "---\nkind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: " name                          \
    "\nnodes:\n- {role: control-plane, " IMAGE "}\n"
#define WORKER "- {role: worker, " IMAGE "}\n"
#define FLEET_CLUSTER(name, spec)                                                                  \
    "---\nkind: Cluster\napiVersion: fleet.kind/v1alpha1\nmetadata: {name: " name                  \
    "}\nspec: {" spec "nodes: [{role: control-plane, " IMAGE "}]}\n"

static size_t test_count(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static bool says(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static void makes_and_keeps(void **state)
{
    (void)state;
    struct play play;
    open_play(&play, true);
    pass(&play, MINUTE_MS);
    test_equal(happened(&play), "engine there"); /* nothing is known, nothing is done */
    take(&play, CLUSTER("a") CLUSTER("b"));
    pass(&play, 5000);
    const char *log = happened(&play);
    assert_true(says(log, "a settled") && says(log, "b settled"));

    test_row("idle: a list a minute");
    size_t before = requests(&play);
    pass(&play, 5 * (uint64_t)MINUTE_MS);
    test_equal(happened(&play), "");
    assert_in_range(requests(&play) - before, 4, 6);

    test_row("each is looked at now and then");
    pass(&play, 10 * (uint64_t)MINUTE_MS);
    log = happened(&play);
    assert_true(says(log, "a settled") && says(log, "b settled"));

    test_row("a container is killed");
    uint64_t killed_ms = play.lab.transport.now_ms;
    fake(&play, "POST /_fake/exit?container=a-control-plane&code=137", NULL);
    while (!says(play.log.data, "a start-node"))
        assert_true(fake_transport_turn(&play.lab.transport));
    assert_true(play.lab.transport.now_ms - killed_ms < 100);
    pass(&play, 5000);
    assert_true(says(happened(&play), "a settled"));

    test_row("a worker more, and the other goes");
    take(&play, CLUSTER("a") WORKER);
    pass(&play, 5000);
    log = happened(&play);
    assert_true(says(log, "a join") && says(log, "b goes") && says(log, "b delete-node"));
    pass(&play, 2 * (uint64_t)MINUTE_MS);
    test_equal(happened(&play), "b dropped");
    assert_int_equal(engine_count(watch_engine(play.watch)), 1);
    close_play(&play);
}

/* Docker tells of a death before its lists know of it. */
static void repairs_what_lists_show_late(void **state)
{
    (void)state;
    static const struct {
        const char *name, *settings;
        uint64_t late_ms, within_ms;
        bool by_word; /* else the list of the next minute shows it */
    } rows[] = {
        {"at once", "{\"late_ms\": 0}", 0, 100, true},
        {"a little late", "{\"late_ms\": 200}", 200, 350, true},
        {"late", "{\"late_ms\": 1500}", 1500, 1650, true},
        {"later than anybody waits", "{\"late_ms\": 20000}", 20000, 120000, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct play play;
        open_play(&play, true);
        take(&play, CLUSTER("a") WORKER CLUSTER("b"));
        pass(&play, 10000);
        happened(&play);
        fake(&play, "POST /_fake/settings", rows[i].settings);
        uint64_t killed_ms = play.lab.transport.now_ms;
        size_t before = requests(&play);
        fake(&play, "POST /_fake/exit?container=a-worker&code=137", NULL);
        while (!says(play.log.data, "a start-node"))
            assert_true(fake_transport_turn(&play.lab.transport));
        uint64_t took_ms = play.lab.transport.now_ms - killed_ms;
        assert_in_range(took_ms, rows[i].late_ms, rows[i].within_ms);
        /* Every 50 ms while it must be wrong, by who lists all and who looks, and no longer. */
        assert_true(requests(&play) - before < (rows[i].by_word ? 12 + took_ms / 25 : 110));
        pass(&play, 5000);
        const char *log = happened(&play);
        assert_true(says(log, "a settled") && !says(log, "b "));
        close_play(&play);
    }
}

static void obeys_rails(void **state)
{
    (void)state;
    struct play play;
    open_play(&play, true);
    take(&play, CLUSTER("a") CLUSTER("b") CLUSTER("c"));
    pass(&play, 10000);
    happened(&play);

    test_row("empty");
    take(&play, "# none\n");
    pass(&play, 3 * (uint64_t)MINUTE_MS);
    const char *log = happened(&play);
    assert_true(says(log, "a the sources are empty; --allow-empty would delete it"));
    assert_false(says(log, "delete-node"));

    test_row("one in a pass");
    take(&play, CLUSTER("c"));
    pass(&play, 5000);
    log = happened(&play);
    assert_true(says(log, "a goes") && says(log, "b not in the sources any more; stays for now"));
    assert_false(says(log, "b delete-node"));
    pass(&play, 2 * (uint64_t)MINUTE_MS);
    assert_true(says(happened(&play), "b delete-node"));
    close_play(&play);

    test_row("no prune");
    open_play(&play, false);
    take(&play, CLUSTER("a") CLUSTER("b"));
    pass(&play, 5000);
    happened(&play);
    take(&play, CLUSTER("b"));
    pass(&play, 3 * (uint64_t)MINUTE_MS);
    test_equal(happened(&play),
               "a not in the sources any more; --prune would delete it, a dropped");
    take(&play, CLUSTER("a") CLUSTER("b"));
    pass(&play, 5000);
    test_equal(happened(&play), "a settled");
    close_play(&play);
}

static void ends_by_the_clock(void **state)
{
    (void)state;
    struct play play;
    test_row("ttl");
    open_play(&play, false);
    take(&play, FLEET_CLUSTER("a", "ttl: 90s, ") FLEET_CLUSTER("b", ""));
    pass(&play, 80000);
    assert_false(says(play.log.data, "a delete-node"));
    pass(&play, 20000); /* to the moment, not to the next list */
    assert_true(says(play.log.data, "a goes") && says(play.log.data, "a delete-node"));
    pass(&play, 5 * (uint64_t)MINUTE_MS);
    assert_false(says(play.log.data, "b delete-node"));

    test_row("a clock that jumps ahead");
    happened(&play);
    take(&play, FLEET_CLUSTER("b", "ttl: 24h, "));
    pass(&play, 5000);
    play.wall_ahead_s = INT64_C(20) * 365 * 86400;
    pass(&play, 3 * (uint64_t)MINUTE_MS);
    assert_true(says(happened(&play), "days later, and may be wrong"));
    play.wall_ahead_s = INT64_C(-20) * 365 * 86400;
    pass(&play, 3 * (uint64_t)MINUTE_MS);
    assert_false(says(happened(&play), "delete-node"));
    play.wall_ahead_s = 0;
    pass(&play, UINT64_C(25) * 60 * MINUTE_MS);
    assert_true(says(happened(&play), "b delete-node"));
    close_play(&play);
}

static void engine_goes(struct play *play)
{
    play->away = true;
    fake(play, "POST /_fake/end-events", NULL);
}

/* An hour without an engine: few requests, and one list when it is back. */
static void waits_for_the_engine(void **state)
{
    (void)state;
    struct play play;
    open_play(&play, false);
    take(&play, CLUSTER("a") CLUSTER("b") CLUSTER("c"));
    pass(&play, 10000);
    happened(&play);
    size_t before = requests(&play);
    engine_goes(&play);
    pass(&play, 60 * (uint64_t)MINUTE_MS);
    test_equal(happened(&play), "engine away");
    assert_in_range(requests(&play) - before, 100, 160); /* one in half a minute */

    test_row("back, as it was");
    play.away = false;
    before = requests(&play);
    pass(&play, 40000);
    test_equal(happened(&play), "engine there");
    assert_int_equal(requests(&play) - before, 2); /* events, list */

    test_row("back, with a container less");
    engine_goes(&play);
    pass(&play, 10 * (uint64_t)MINUTE_MS);
    fake(&play, "POST /_fake/exit?container=b-control-plane&code=137", NULL);
    take(&play, CLUSTER("a") CLUSTER("b") CLUSTER("c") WORKER);
    pass(&play, MINUTE_MS);
    test_equal(happened(&play), "engine away");
    play.away = false;
    pass(&play, 40000);
    const char *log = happened(&play);
    assert_true(says(log, "b start-node") && says(log, "b settled") && says(log, "c join"));
    assert_false(says(log, "a settled"));

    test_row("gone in the middle of work");
    take(&play, CLUSTER("a") WORKER CLUSTER("b") WORKER CLUSTER("c") WORKER CLUSTER("d"));
    while (!says(play.log.data, "a create-node"))
        assert_true(fake_transport_turn(&play.lab.transport));
    engine_goes(&play);
    pass(&play, 30 * (uint64_t)MINUTE_MS);
    happened(&play);
    play.away = false;
    pass(&play, 2 * (uint64_t)MINUTE_MS);
    log = happened(&play);
    assert_true(says(log, "a settled") && says(log, "b settled") && says(log, "d settled"));
    close_play(&play);
}

/* One that fails is tried again more and more seldom, and given up; asking tries it again. */
static void gives_up_and_is_asked(void **state)
{
    (void)state;
    struct play play;
    open_play(&play, false);
    fake(&play, "POST /_fake/fault",
         "{\"action\": \"fail\", \"match\": \"POST /containers/create\", \"count\": 1000}");
    take(&play, CLUSTER("a"));
    pass(&play, 60 * (uint64_t)MINUTE_MS);
    const char *log = happened(&play);
    assert_true(says(log, "a retry") && says(log, "a stalled"));
    assert_int_equal(test_count(log, "a create-node"), 3);
    fake(&play, "POST /_fake/clear", NULL);
    pass(&play, 60 * (uint64_t)MINUTE_MS);
    test_equal(happened(&play), "");
    watch_look(play.watch);
    pass(&play, 10000);
    assert_true(says(happened(&play), "a settled"));

    test_row("an edit, too");
    fake(&play, "POST /_fake/fault",
         "{\"action\": \"fail\", \"match\": \"POST /containers/create\", \"count\": 1000}");
    take(&play, CLUSTER("a") WORKER);
    pass(&play, 60 * (uint64_t)MINUTE_MS);
    assert_true(says(happened(&play), "a stalled"));
    fake(&play, "POST /_fake/clear", NULL);
    take(&play, CLUSTER("a"));
    pass(&play, 10000);
    assert_true(says(happened(&play), "a settled"));
    close_play(&play);
}

/* What is edited while it is worked on drains and begins anew; so does what leaves and comes back.
 */
static void is_edited_at_any_moment(void **state)
{
    (void)state;
    static const char *const edits[] = {CLUSTER("a") WORKER WORKER, "# none\n", CLUSTER("b"),
                                        CLUSTER("a")};
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        for (size_t moment = 1; moment < 300; moment += 23) {
            struct play play;
            char row[40];
            snprintf(row, sizeof(row), "edit %zu after %zu", i, moment);
            test_row(row);
            open_play(&play, true);
            take(&play, CLUSTER("a") WORKER);
            for (size_t turn = 0; turn < moment; turn++)
                assert_true(fake_transport_turn(&play.lab.transport));
            take(&play, edits[i]);
            for (size_t turn = 0; turn < moment % 13; turn++)
                assert_true(fake_transport_turn(&play.lab.transport));
            take(&play, CLUSTER("a") WORKER WORKER);
            pass(&play, 5 * (uint64_t)MINUTE_MS);
            struct engine_sight sight;
            assert_true(engine_look(watch_engine(play.watch), "a", &sight));
            assert_true(sight.upheld && !sight.working);
            assert_int_equal(sight.desired->node_count, 3);
            close_play(&play);
        }
    }
}

static void begins_in_order(void **state)
{
    (void)state;
    struct play play;
    open_play(&play, false);
    take(&play, FLEET_CLUSTER("a", "dependsOn: [b], ") FLEET_CLUSTER("b", ""));
    pass(&play, 10000);
    const char *log = happened(&play);
    assert_true(says(log, "a waits until b is Ready") && says(log, "a settled"));
    assert_true(strstr(log, "b settled") < strstr(log, "a create-node"));
    close_play(&play);
}

static void stops_at_any_moment(void **state)
{
    (void)state;
    for (size_t moment = 0; moment < 400; moment += 19) {
        for (unsigned stops = 1; stops <= 2; stops++) {
            struct play play;
            char row[40];
            snprintf(row, sizeof(row), "%u after %zu", stops, moment);
            test_row(row);
            open_play(&play, true);
            take(&play, CLUSTER("a") CLUSTER("b") WORKER);
            for (size_t i = 0; i < moment; i++)
                (void)fake_transport_turn(&play.lab.transport);
            if (stops == 2)
                watch_stop(play.watch);
            close_play(&play);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_and_keeps),
        cmocka_unit_test(repairs_what_lists_show_late),
        cmocka_unit_test(obeys_rails),
        cmocka_unit_test(ends_by_the_clock),
        cmocka_unit_test(waits_for_the_engine),
        cmocka_unit_test(gives_up_and_is_asked),
        cmocka_unit_test(is_edited_at_any_moment),
        cmocka_unit_test(begins_in_order),
        cmocka_unit_test(stops_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
