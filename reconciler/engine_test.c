/*
 * The engine over a driver of the test's own and a virtual clock. What it drives is deletion: a
 * cluster is a kubeconfig entry and some nodes, which must not exist.
 */
#include "reconciler/engine.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/fake_transport.h"

enum { BOXES_MAX = 8, OBSERVE_MS = 10, APPLY_MS = 100, COLLECT_MS = 50, NODES_MAX = 4 };

/* A cluster as the driver has it. */
struct box {
    const char *name;
    bool nodes[NODES_MAX];
    bool kubeconfig;
    unsigned unreadable; /* looks that fail, from now on */
    unsigned failing;    /* actions that do */
    enum error_kind kind;
    bool stuck; /* actions begin and never end */
    size_t applying, applying_most;
};

struct lab {
    struct driver driver; /* first */
    struct fake_transport transport;
    struct engine *engine;
    struct box boxes[BOXES_MAX];
    size_t box_count;
    size_t clusters_most, applied, finished;
    size_t collected, looking; /* looks after failures: begun, and not ended yet */
    struct text log;
};

struct job {
    struct lab *lab;
    struct op *op;
    struct box *box;
    struct arena *arena;         /* of a look */
    struct cluster_state *state; /* of a look, else NULL */
    struct apply_input input;
    struct evidence *evidence; /* of a look after a failure, else NULL */
    struct transport_timer *timer;
};

static struct lab *lab_of(struct driver *driver)
{
    return (struct lab *)(void *)driver;
}

static struct box *box_of(struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->box_count; i++)
        if (strcmp(lab->boxes[i].name, name) == 0)
            return &lab->boxes[i];
    abort();
}

/* --- the driver --- */

static void end_job(struct job *job, struct error *failure)
{
    struct op *op = job->op;
    if (job->evidence)
        job->lab->looking--;
    else if (!job->state)
        job->box->applying--;
    free(job);
    op->running = NULL;
    op->ended(op, failure);
}

static struct error *failure_of(struct box *box, unsigned *count, const char *what)
{
    struct error *failure = NULL;
    if (*count == 0)
        return NULL;
    --*count;
    error_set(&failure, box->kind, "%s of %s failed", what, box->name);
    return failure;
}

static void look(struct job *job)
{
    static const char *const names[NODES_MAX] = {"n0", "n1", "n2", "n3"};
    struct node_state *nodes = arena_array(job->arena, NODES_MAX, sizeof(*nodes));
    size_t count = 0;
    for (size_t i = 0; i < NODES_MAX; i++)
        if (job->box->nodes[i])
            nodes[count++] = (struct node_state){
                .name = names[i], .id = names[i], .role = "worker", .image = "", .owner = "lab"};
    *job->state = (struct cluster_state){
        .name = job->box->name,
        .nodes = nodes,
        .node_count = count,
        .kubeconfig = job->box->kubeconfig ? SEEN_YES : SEEN_NO,
    };
}

static void over(void *context)
{
    struct job *job = context;
    struct box *box = job->box;
    if (job->evidence) {
        static const char line[] = "inotify_init: too many open files";
        evidence_add(job->evidence, EVIDENCE_KUBELET, "n0", line, strlen(line));
        end_job(job, NULL);
        return;
    }
    struct error *failure =
        failure_of(box, job->state ? &box->unreadable : &box->failing, job->state ? "look" : "act");
    if (failure) {
        end_job(job, failure);
        return;
    }
    if (job->state)
        look(job);
    else if (job->input.action->kind == ACTION_DELETE_NODE)
        box->nodes[job->input.action->subject[1] - '0'] = false;
    else
        box->kubeconfig = false;
    end_job(job, NULL);
}

static struct job *new_job(struct lab *lab, struct op *op, const char *cluster)
{
    struct job *job = memory_new(sizeof(*job));
    *job = (struct job){.lab = lab, .op = op, .box = box_of(lab, cluster)};
    op->running = job;
    return job;
}

static void observe(struct driver *driver, struct op *op, const char *cluster,
                    const struct cluster_spec *desired, struct arena *arena,
                    struct cluster_state *state)
{
    struct lab *lab = lab_of(driver);
    struct job *job = new_job(lab, op, cluster);
    assert_null(desired);
    job->arena = arena;
    job->state = state;
    job->timer = lab->transport.transport.after(&lab->transport.transport, OBSERVE_MS, over, job);
}

static void apply(struct driver *driver, struct op *op, const struct apply_input *input)
{
    struct lab *lab = lab_of(driver);
    struct job *job = new_job(lab, op, input->cluster);
    struct box *box = job->box;
    size_t clusters = 0;
    job->input = *input;
    lab->applied++;
    box->applying++;
    if (box->applying > box->applying_most)
        box->applying_most = box->applying;
    for (size_t i = 0; i < lab->box_count; i++)
        clusters += lab->boxes[i].applying > 0;
    if (clusters > lab->clusters_most)
        lab->clusters_most = clusters;
    op->step(op, "try");
    if (!box->stuck)
        job->timer = lab->transport.transport.after(&lab->transport.transport, APPLY_MS, over, job);
}

static void collect(struct driver *driver, struct op *op, const struct apply_input *input,
                    const struct error *failure, struct evidence *evidence)
{
    struct lab *lab = lab_of(driver);
    struct job *job = new_job(lab, op, input->cluster);
    test_equal(evidence->count ? "something" : "nothing", "nothing");
    assert_non_null(failure->message);
    lab->collected++;
    lab->looking++;
    job->evidence = evidence;
    job->timer = lab->transport.transport.after(&lab->transport.transport, COLLECT_MS, over, job);
}

static void drain(struct driver *driver, struct op *op)
{
    const struct job *job = op->running;
    (void)driver;
    assert_non_null(job);
    assert_null(job->evidence); /* a look is canceled */
}

static void cancel(struct driver *driver, struct op *op)
{
    struct lab *lab = lab_of(driver);
    struct job *job = op->running;
    struct error *canceled = NULL;
    if (job->timer)
        lab->transport.transport.cancel_timer(&lab->transport.transport, job->timer);
    error_set(&canceled, ERROR_CANCELED, "canceled");
    end_job(job, canceled);
}

static const struct driver_vtable vtable = {
    .name = "test", .observe = observe, .apply = apply, .drain = drain, .cancel = cancel};

static const struct driver_vtable looking_vtable = {.name = "test",
                                                    .observe = observe,
                                                    .apply = apply,
                                                    .collect = collect,
                                                    .drain = drain,
                                                    .cancel = cancel};

/* --- the engine on it --- */

/* Without what it was wrapped in. */
static const char *innermost(const struct error *failure)
{
    const char *colon = strrchr(failure->message, ':');
    return colon ? colon + 2 : failure->message;
}

static void told(void *context, const struct report *report)
{
    struct lab *lab = context;
    static const char *const words[] = {"planned", "begins",  "step",    "ends",
                                        "retry",   "settled", "stalled", "note"};
    assert_true(report->done <= report->total);
    text_add_format(&lab->log, "%s%s %s", lab->log.length ? ", " : "", report->cluster,
                    words[report->kind]);
    if (report->action)
        text_add_format(&lab->log, " %s", report->action->subject);
    if (report->failure)
        text_add_format(&lab->log, " (%s)", innermost(report->failure));
    if (diagnosis_cause(report->diagnosis))
        text_add_format(&lab->log, " [%s]", diagnosis_cause(report->diagnosis)->id);
    if (report->kind == REPORT_ACTION_ENDS && report->failure)
        assert_true((report->diagnosis != NULL) == (report->failure->kind != ERROR_CANCELED));
}

static void finished(void *context)
{
    ((struct lab *)context)->finished++;
}

struct setting {
    size_t parallel, clusters_parallel;
    bool dry_run, looks; /* looks: evidence is collected */
};

static struct engine *open_lab(struct lab *lab, struct setting setting)
{
    *lab = (struct lab){.driver = {.vtable = setting.looks ? &looking_vtable : &vtable}};
    text_init(&lab->log, 0);
    fake_transport_init(&lab->transport, NULL);
    const struct engine_options options = {
        .driver = &lab->driver,
        .transport = &lab->transport.transport,
        .cycle = {.policy = {.fleet = "lab", .network = "kind", .allow_delete = true},
                  .parallel = setting.parallel,
                  .dry_run = setting.dry_run},
        .clusters_parallel = setting.clusters_parallel,
        .report = told,
        .report_context = lab,
        .finished = finished,
        .finished_context = lab,
    };
    lab->engine = engine_new(&options);
    return lab->engine;
}

static struct box *add_box(struct lab *lab, const char *name, size_t nodes)
{
    struct box *box = &lab->boxes[lab->box_count++];
    *box = (struct box){.name = name, .kubeconfig = nodes > 0, .kind = ERROR_UNAVAILABLE};
    for (size_t i = 0; i < nodes; i++)
        box->nodes[i] = true;
    engine_add(lab->engine, name, NULL);
    return box;
}

static void run(struct lab *lab)
{
    for (size_t turns = 0; lab->finished == 0; turns++) {
        assert_true(turns < 100000);
        assert_true(fake_transport_turn(&lab->transport));
    }
}

static void close_lab(struct lab *lab)
{
    assert_int_equal(lab->finished, 1);
    engine_free(lab->engine);
    assert_true(fake_transport_idle(&lab->transport));
    text_done(&lab->log);
}

static const char *outcome_of(const struct lab *lab, size_t index)
{
    static const char *const words[] = {"working", "settled", "stalled", "stopped"};
    return words[engine_result(lab->engine, index).outcome];
}

#define TRY(node) "a begins " node ", a step " node
#define FORGET "a planned, " TRY("a") ", a ends a, "

/* What is told, in which order, with one action at a time. */
static const struct {
    const char *name;
    size_t nodes;
    struct setting setting;
    unsigned unreadable, failing;
    enum error_kind kind;
    const char *want, *outcome;
} rows[] = {
    {"nothing there", 0, {1, 1, false}, 0, 0, 0, "a planned, a settled", "settled"},
    {"goes",
     2,
     {1, 1, false},
     0,
     0,
     0,
     "a planned, " TRY("a") ", a ends a, " TRY("n0") ", a ends n0, " TRY(
         "n1") ", a ends n1, a planned, a settled",
     "settled"},
    {"dry", 2, {1, 1, true}, 0, 0, 0, "a planned, a settled", "settled"},
    {"fails once",
     1,
     {1, 1, false},
     0,
     1,
     ERROR_UNAVAILABLE,
     "a planned, " TRY("a") ", a ends a (act of a failed), a retry (act of a failed), a "
                            "planned, " TRY("a") ", a ends a, " TRY(
                                "n0") ", a ends n0, a planned, a settled",
     "settled"},
    {"fails for ever",
     1,
     {1, 1, false},
     0,
     99,
     ERROR_UNAVAILABLE,
     "a planned, " TRY("a") ", a ends a (act of a failed), a retry (act of a failed), a "
                            "planned, " TRY("a") ", a ends a (act of a failed), a retry (act of a "
                                                 "failed), a planned, " TRY(
                                                     "a") ", a ends a (act of a failed), a stalled "
                                                          "(act of a failed)",
     "stalled"},
    {"fails for good",
     1,
     {1, 1, false},
     0,
     1,
     ERROR_INVALID,
     "a planned, " TRY("a") ", a ends a (act of a failed), a stalled (act of a failed)",
     "stalled"},
    {"cannot be seen at first",
     0,
     {1, 1, false},
     2,
     0,
     ERROR_UNAVAILABLE,
     "a retry (look of a failed), a retry (look of a failed), a planned, a settled",
     "settled"},
    {"cannot be seen",
     0,
     {1, 1, false},
     99,
     0,
     ERROR_UNAVAILABLE,
     "a retry (look of a failed), a retry (look of a failed), a stalled (look of a failed)",
     "stalled"},
};

static void tells_what_happens(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab;
        test_row(rows[i].name);
        open_lab(&lab, rows[i].setting);
        struct box *box = add_box(&lab, "a", rows[i].nodes);
        box->unreadable = rows[i].unreadable;
        box->failing = rows[i].failing;
        box->kind = rows[i].kind;
        engine_start(lab.engine);
        test_equal(lab.log.data, ""); /* nothing before the loop */
        run(&lab);
        test_equal(lab.log.data, rows[i].want);
        test_equal(outcome_of(&lab, 0), rows[i].outcome);
        struct engine_result result = engine_result(lab.engine, 0);
        assert_true(!result.state || result.state->name);
        assert_true(result.failure || result.outcome == ENGINE_SETTLED);
        close_lab(&lab);
    }
}

/* The cycle hears of a failure when its evidence is there: nothing is tried again before. */
static void looks_before_it_goes_on(void **state)
{
    (void)state;
    struct lab lab;
    open_lab(&lab, (struct setting){1, 1, false, true});
    add_box(&lab, "a", 1)->failing = 1;
    engine_start(lab.engine);
    while (!lab.looking)
        assert_true(fake_transport_turn(&lab.transport));
    uint64_t failed_at_ms = lab.transport.now_ms;
    assert_null(strstr(lab.log.data, "ends"));
    while (!strstr(lab.log.data, "ends"))
        assert_true(fake_transport_turn(&lab.transport));
    assert_int_equal(lab.transport.now_ms, failed_at_ms + COLLECT_MS);
    assert_int_equal(lab.applied, 1);
    run(&lab);
    test_equal(lab.log.data,
               "a planned, " TRY("a") ", a ends a (act of a failed) [inotify-instances], a retry "
                                      "(act of a failed) [inotify-instances], a planned, " TRY(
                                          "a") ", a ends a, " TRY("n0") ", a ends n0, a planned, a "
                                                                        "settled");
    assert_int_equal(lab.collected, 1);
    close_lab(&lab);

    /* Wrong input is its own evidence. */
    open_lab(&lab, (struct setting){1, 1, false, true});
    struct box *box = add_box(&lab, "a", 1);
    box->failing = 1;
    box->kind = ERROR_INVALID;
    engine_start(lab.engine);
    run(&lab);
    assert_int_equal(lab.collected, 0);
    assert_non_null(engine_result(lab.engine, 0).diagnosis);
    close_lab(&lab);

    /* Who stops does not wait for a look. */
    open_lab(&lab, (struct setting){1, 1, false, true});
    add_box(&lab, "a", 1)->failing = 1;
    engine_start(lab.engine);
    while (!lab.looking)
        assert_true(fake_transport_turn(&lab.transport));
    failed_at_ms = lab.transport.now_ms;
    engine_stop(lab.engine);
    assert_int_equal(lab.looking, 0);
    run(&lab);
    assert_int_equal(lab.transport.now_ms, failed_at_ms);
    test_equal(outcome_of(&lab, 0), "stopped");
    close_lab(&lab);
}

static void keeps_bounds(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t clusters = 1; clusters <= 7; clusters += 2) {
        for (size_t parallel = 1; parallel <= 4; parallel++) {
            struct lab lab;
            open_lab(&lab, (struct setting){parallel, clusters, false});
            for (size_t i = 0; i < COUNT_OF(names); i++)
                add_box(&lab, names[i], i == 2 ? 0 : NODES_MAX);
            engine_start(lab.engine);
            run(&lab);
            assert_int_equal(lab.clusters_most, clusters < 5 ? clusters : 5);
            assert_int_equal(engine_count(lab.engine), COUNT_OF(names));
            for (size_t i = 0; i < COUNT_OF(names); i++) {
                test_equal(engine_result(lab.engine, i).cluster, names[i]);
                test_equal(outcome_of(&lab, i), "settled");
                assert_true(lab.boxes[i].applying_most == (i == 2 ? 0 : parallel));
            }
            close_lab(&lab);
        }
    }
}

/* One that is stuck or gives up holds nobody else up. */
static void others_go_on(void **state)
{
    (void)state;
    struct lab lab;
    open_lab(&lab, (struct setting){2, 2, false});
    add_box(&lab, "a", 2)->stuck = true;
    add_box(&lab, "b", 2)->failing = 99;
    add_box(&lab, "c", 2);
    engine_start(lab.engine);
    while (fake_transport_turn(&lab.transport))
        ;
    assert_int_equal(lab.finished, 0);
    test_equal(outcome_of(&lab, 0), "working");
    test_equal(outcome_of(&lab, 1), "stalled");
    test_equal(outcome_of(&lab, 2), "settled");
    engine_stop(lab.engine);
    assert_false(fake_transport_turn(&lab.transport)); /* its step has not ended */
    engine_stop(lab.engine);
    run(&lab);
    test_equal(outcome_of(&lab, 0), "stopped");
    close_lab(&lab);
}

/* Stopped so often after so many turns; false if it had finished before. */
static bool stopped(size_t moment, unsigned stops)
{
    struct lab lab;
    open_lab(&lab, (struct setting){2, 2, false, true});
    add_box(&lab, "a", 3);
    add_box(&lab, "b", 3)->failing = 2;
    add_box(&lab, "c", 0)->unreadable = 1;
    add_box(&lab, "d", 1);
    engine_start(lab.engine);
    while (lab.finished == 0 && moment--)
        assert_true(fake_transport_turn(&lab.transport));
    bool in_time = lab.finished == 0;
    size_t applied = lab.applied;
    uint64_t at_ms = lab.transport.now_ms;
    for (unsigned i = 0; i < stops; i++)
        engine_stop(lab.engine);
    run(&lab);
    assert_int_equal(lab.applied, applied);
    assert_true(lab.transport.now_ms - at_ms <= (stops > 1 ? 0 : APPLY_MS));
    for (size_t i = 0; i < lab.box_count; i++) {
        assert_int_not_equal(engine_result(lab.engine, i).outcome, ENGINE_WORKING);
        assert_int_equal(lab.boxes[i].applying, 0);
    }
    close_lab(&lab);
    return in_time;
}

static void stops_at_every_moment(void **state)
{
    (void)state;
    for (unsigned stops = 1; stops <= 3; stops++) {
        size_t moment = 0;
        while (stopped(moment, stops))
            assert_true(++moment < 1000);
    }
}

static void ends_without_work(void **state)
{
    (void)state;
    struct lab lab;
    test_row("no clusters");
    open_lab(&lab, (struct setting){1, 1, false});
    engine_start(lab.engine);
    assert_int_equal(lab.finished, 0);
    run(&lab);
    close_lab(&lab);
    test_row("never started");
    open_lab(&lab, (struct setting){1, 1, false});
    add_box(&lab, "a", 1);
    lab.finished = 1;
    close_lab(&lab);
    engine_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_happens),    cmocka_unit_test(looks_before_it_goes_on),
        cmocka_unit_test(keeps_bounds),          cmocka_unit_test(others_go_on),
        cmocka_unit_test(stops_at_every_moment), cmocka_unit_test(ends_without_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
