/*
 * What a fleet's status says after reports of each kind, and what a reader of its changes gets.
 */
#include "reconciler/fleet_status.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

static const struct node_spec nodes[] = {{.name = "ci-control-plane"}, {.name = "ci-worker"}};
static const struct cluster_spec ci = {.name = "ci", .nodes = nodes, .node_count = 2};

struct lab {
    struct fleet_status *status;
    struct arena *arena;
    struct plan plan;
    uint64_t now_ms;
    unsigned told;
};

static void changed(void *context)
{
    ((struct lab *)context)->told++;
}

static int open_lab(void **slot)
{
    struct lab *lab = *slot = memory_new(sizeof(*lab));
    lab->status = fleet_status_new();
    lab->arena = arena_new();
    lab->now_ms = 1000;
    plan_init(&lab->plan, lab->arena, "ci");
    fleet_status_listen(lab->status, changed, lab);
    return 0;
}

static int close_lab(void **slot)
{
    struct lab *lab = *slot;
    fleet_status_free(lab->status);
    arena_free(lab->arena);
    free(lab);
    return 0;
}

static void tell(struct lab *lab, struct report report)
{
    report.now_ms = lab->now_ms;
    report.cluster = report.cluster ? report.cluster : "ci";
    report.plan = report.plan ? report.plan : &lab->plan;
    report.total = report.plan->count;
    fleet_status_report(lab->status, &report);
}

static const struct cluster_state *seen(struct lab *lab, enum seen ready)
{
    struct cluster_state *state = arena_alloc(lab->arena, sizeof(*state));
    struct node_state *list = arena_array(lab->arena, 3, sizeof(*list));
    list[0] = (struct node_state){.name = "ci-control-plane",
                                  .role = "control-plane",
                                  .image = "kind.local/node:v1.20.2",
                                  .status = CONTAINER_RUNNING,
                                  .node_ready = SEEN_YES};
    list[1] = (struct node_state){
        .name = "ci-external-load-balancer", .role = ROLE_BALANCER, .status = CONTAINER_RUNNING};
    list[2] = (struct node_state){.name = "ci-worker",
                                  .role = "worker",
                                  .status = CONTAINER_EXITED,
                                  .node_ready = ready,
                                  .trouble = ready == SEEN_NO ? "kubelet is silent" : NULL};
    *state = (struct cluster_state){.name = "ci",
                                    .nodes = list,
                                    .node_count = 3,
                                    .ready = ready,
                                    .ready_count = ready == SEEN_YES ? 2 : 1,
                                    .version = "v1.20.2"};
    return state;
}

static const struct cluster_status *shown(const struct lab *lab)
{
    const struct cluster_status *cluster = fleet_status_find(lab->status, "ci");
    assert_non_null(cluster);
    return cluster;
}

/* All events so far, a line each. */
static char *events(const struct lab *lab)
{
    struct text text;
    text_init(&text, 0);
    uint64_t change = 0;
    for (;;) {
        struct status_news news = fleet_status_after(lab->status, change);
        if (!news.change)
            return text_take(&text);
        change = news.change;
        if (news.event)
            text_add_format(
                &text, "%s %s %s: %s\n", status_level_name(news.event->level), news.event->type,
                news.event->cluster ? news.event->cluster : news.event->source, news.event->text);
    }
}

static void expect_events(const struct lab *lab, const char *want)
{
    cleanup_free char *got = events(lab);
    test_equal(got, want);
}

static void test_pending(void **slot)
{
    struct lab *lab = *slot;
    fleet_status_desire(lab->status, 1, "ci", &ci);
    assert_int_equal(shown(lab)->phase, STATUS_PENDING);
    assert_int_equal(shown(lab)->nodes_wanted, 2);
    assert_int_equal(shown(lab)->synced, SEEN_UNKNOWN);
    assert_int_equal(lab->told, 1);
    fleet_status_desire(lab->status, 2, "ci", &ci);
    assert_int_equal(lab->told, 1);
}

static void test_made(void **slot)
{
    struct lab *lab = *slot;
    plan_add(&lab->plan, ACTION_CREATE_NODE, CHANGE_LIVE, "ci-worker", "missing");
    plan_add(&lab->plan, ACTION_JOIN, CHANGE_LIVE, "ci-worker", "missing");
    const struct action *create = &lab->plan.actions[0];
    tell(lab, (struct report){.kind = REPORT_PLANNED, .desired = &ci});
    assert_int_equal(shown(lab)->phase, STATUS_WORKING);
    assert_int_equal(shown(lab)->total, 2);
    tell(lab, (struct report){.kind = REPORT_ACTION_BEGINS, .desired = &ci, .action = create});
    tell(lab,
         (struct report){.kind = REPORT_STEP, .desired = &ci, .action = create, .step = "boot it"});
    assert_int_equal(shown(lab)->running_count, 1);
    test_equal(shown(lab)->running[0].step, "boot it");
    lab->now_ms += 2500;
    tell(lab, (struct report){.kind = REPORT_ACTION_ENDS,
                              .desired = &ci,
                              .action = create,
                              .done = 1,
                              .elapsed_ms = 2500});
    assert_int_equal(shown(lab)->running_count, 0);
    assert_int_equal(shown(lab)->done, 1);
    lab->now_ms += 500;
    tell(lab,
         (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_YES)});
    assert_int_equal(shown(lab)->phase, STATUS_SETTLED);
    assert_int_equal(shown(lab)->synced, SEEN_YES);
    assert_int_equal(shown(lab)->ready, SEEN_YES);
    assert_int_equal(shown(lab)->node_count, 3);
    assert_int_equal(shown(lab)->nodes_seen, 2);
    expect_events(lab, "info planned ci: 2 to do: create node ci-worker, join node ci-worker\n"
                       "detail action-ends ci: create node ci-worker, in 2.5 s\n"
                       "good settled ci: Ready, 2 nodes, in 3.0 s\n");
    const struct status_totals *totals = fleet_status_totals(lab->status);
    assert_int_equal(totals->rounds[STATUS_SUCCESS], 1);
    assert_int_equal(totals->round_seconds.buckets[5], 1); /* 2.5 s to 5 s */
    assert_int_equal(totals->action_seconds[ACTION_CREATE_NODE].count, 1);
}

/* The round that finds nothing to do is counted, and is no change. */
static void test_idle(void **slot)
{
    struct lab *lab = *slot;
    for (int i = 0; i < 3; i++) {
        lab->now_ms += 60000;
        tell(lab,
             (struct report){.kind = REPORT_PLANNED, .desired = &ci, .state = seen(lab, SEEN_YES)});
        tell(lab,
             (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_YES)});
    }
    assert_int_equal(lab->told, 2); /* seen, and settled */
    expect_events(lab, "good settled ci: Ready, 2 nodes\n");
    assert_int_equal(shown(lab)->rounds_total, 3);
    assert_int_equal(shown(lab)->settled_at_ms, 61000);
    tell(lab, (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_NO)});
    expect_events(lab, "good settled ci: Ready, 2 nodes\n"
                       "info settled ci: not Ready, 2 nodes\n");
    test_equal(shown(lab)->nodes[2].trouble, "kubelet is silent");
}

static struct error *failure_of(const char *message)
{
    struct error *failure = NULL;
    error_set(&failure, ERROR_TIMEOUT, "%s", message);
    return failure;
}

static struct diagnosis *diagnosis_of(const char *journal)
{
    struct diagnosis *diagnosis = diagnosis_new();
    evidence_add(&diagnosis->evidence, EVIDENCE_KUBELET, "ci-worker", journal, strlen(journal));
    diagnosis_conclude(diagnosis, "ci", "ci-worker");
    return diagnosis;
}

static void fail_join(struct lab *lab, const char *message, unsigned failures)
{
    struct error *failure = failure_of(message);
    struct diagnosis *diagnosis = diagnosis_of("kubelet: inotify_init: too many open files\n");
    const struct action *join = &lab->plan.actions[0];
    tell(lab, (struct report){.kind = REPORT_PLANNED, .desired = &ci});
    tell(lab, (struct report){.kind = REPORT_ACTION_BEGINS, .desired = &ci, .action = join});
    tell(lab, (struct report){.kind = REPORT_ACTION_ENDS,
                              .desired = &ci,
                              .action = join,
                              .failure = failure,
                              .diagnosis = diagnosis,
                              .elapsed_ms = 70000});
    tell(lab, (struct report){.kind = failures < 3 ? REPORT_RETRY : REPORT_STALLED,
                              .desired = &ci,
                              .failure = failure,
                              .diagnosis = diagnosis,
                              .failures = failures,
                              .wait_ms = 4000});
    diagnosis_free(diagnosis);
    error_free(failure);
}

static void test_failure(void **slot)
{
    struct lab *lab = *slot;
    plan_add(&lab->plan, ACTION_JOIN, CHANGE_LIVE, "ci-worker", "missing");
    fail_join(lab, "ci-worker: kubeadm join: token=abcdef.0123456789abcdef", 1);
    const struct status_failure *failure = shown(lab)->failure;
    assert_non_null(failure);
    assert_int_equal(shown(lab)->phase, STATUS_RETRYING);
    assert_int_equal(failure->cause_count, 1);
    test_equal(failure->causes[0].id, "inotify-instances");
    test_equal(failure->causes[0].subject, "ci-worker");
    test_equal(failure->what, "join node ci-worker");
    assert_int_equal(failure->next_at_ms, 5000);
    assert_null(strstr(failure->message, "0123456789abcdef"));
    lab->now_ms += 4000;
    fail_join(lab, "again", 2);
    fail_join(lab, "again", 3);
    failure = shown(lab)->failure;
    assert_int_equal(shown(lab)->phase, STATUS_STALLED);
    assert_int_equal(shown(lab)->stalled, SEEN_YES);
    assert_int_equal(failure->first_at_ms, 1000);
    assert_int_equal(failure->next_at_ms, 0);
    expect_events(lab,
                  "info planned ci: 1 to do: join node ci-worker\n"
                  "bad action-ends ci: join node ci-worker, after 1 min 10 s: ci-worker: kubeadm "
                  "join: token=(removed)\n"
                  "bad retry ci: next try in 4.0 s\n"
                  "bad action-ends ci: join node ci-worker, after 1 min 10 s: again\n"
                  "bad retry ci: next try in 4.0 s (2 failures in a row)\n"
                  "bad action-ends ci: join node ci-worker, after 1 min 10 s: again\n"
                  "bad stalled ci: given up (3 failures in a row)\n");
    tell(lab,
         (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_YES)});
    assert_null(shown(lab)->failure);
    assert_int_equal(shown(lab)->stalled, SEEN_NO);
}

/* The engine is away: nothing is known, and the message says why. */
static void test_blind(void **slot)
{
    struct lab *lab = *slot;
    struct error *failure = failure_of("reach the engine: connection refused");
    tell(lab,
         (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_YES)});
    tell(lab,
         (struct report){.kind = REPORT_RETRY, .desired = &ci, .failure = failure, .failures = 1});
    error_free(failure);
    assert_int_equal(shown(lab)->ready, SEEN_UNKNOWN);
    assert_int_equal(shown(lab)->synced, SEEN_UNKNOWN);
    assert_null(shown(lab)->failure->what);
    expect_events(lab, "good settled ci: Ready, 2 nodes\n"
                       "bad retry ci: next try in 0.0 s: reach the engine: connection refused\n");
}

static void test_refused_and_held(void **slot)
{
    struct lab *lab = *slot;
    plan_refuse(&lab->plan, CHANGE_RECREATE, "networking.podSubnet", "10.1/16 -> 10.2/16; refused");
    tell(lab, (struct report){.kind = REPORT_PLANNED, .desired = &ci});
    tell(lab,
         (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_YES)});
    assert_int_equal(shown(lab)->synced, SEEN_NO);
    assert_int_equal(shown(lab)->refused_count, 1);
    test_equal(shown(lab)->refused[0].subject, "networking.podSubnet");
    struct plan held;
    plan_init(&held, lab->arena, "ci");
    plan_hold(&held, "stopped by hand");
    tell(lab, (struct report){.kind = REPORT_PLANNED, .desired = &ci, .plan = &held});
    tell(lab,
         (struct report){
             .kind = REPORT_SETTLED, .desired = &ci, .plan = &held, .state = seen(lab, SEEN_NO)});
    assert_int_equal(shown(lab)->synced, SEEN_UNKNOWN);
    test_equal(shown(lab)->held, "stopped by hand");
    assert_int_equal(shown(lab)->refused_count, 0);
}

static void test_gone(void **slot)
{
    struct lab *lab = *slot;
    struct cluster_state nothing = {.name = "ci"};
    tell(lab, (struct report){.kind = REPORT_SETTLED, .state = seen(lab, SEEN_YES)});
    assert_true(shown(lab)->leaving);
    tell(lab, (struct report){.kind = REPORT_SETTLED, .state = &nothing});
    assert_null(fleet_status_find(lab->status, "ci"));
    assert_int_equal(fleet_status_count(lab->status), 0);
    fleet_status_forget(lab->status, 1, "never there");
    fleet_status_desire(lab->status, 1, "b", &ci);
    fleet_status_forget(lab->status, 1, "b");
    expect_events(lab, "good settled ci: Ready, 2 nodes\n"
                       "info gone ci: deleted\n"
                       "info gone b: no cluster of ours\n");
}

static void test_source(void **slot)
{
    struct lab *lab = *slot;
    struct source_status source = {
        .kind = "git", .where = "https://lab:hunter2@git.example/lab.git", .checked_at_ms = 5};
    source.revision = "0123456789abcdef0123456789abcdef01234567";
    source.author = "Ada";
    source.subject = "lab: add ci";
    fleet_status_source(lab->status, 10, &source);
    source.checked_at_ms = 6;
    fleet_status_source(lab->status, 11, &source);
    source.pending = "fedcba9876543210fedcba9876543210fedcba98";
    source.problem = "lab/ci.yaml:3:1: unknown field\nlab/ci.yaml:4:1: password: hunter2";
    fleet_status_source(lab->status, 12, &source);
    fleet_status_source(lab->status, 12, &source);
    source.pending = source.problem = NULL;
    fleet_status_source(lab->status, 13, &source);
    assert_int_equal(fleet_status_source_count(lab->status), 1);
    const struct source_status *told = &fleet_status_source_at(lab->status, 0)->told;
    assert_null(strstr(told->where, "hunter2"));
    test_equal(told->revision, "0123456789abcdef0123456789abcdef01234567");
    cleanup_free char *got = events(lab);
    assert_null(strstr(got, "hunter2"));
    assert_non_null(strstr(got, ": revision 0123456789ab is in force, by Ada: lab: add ci\n"));
    assert_non_null(strstr(got, ": revision fedcba987654 is refused: lab/ci.yaml:3:1: unknown "));
    assert_non_null(strstr(got, ": well again\n"));
    assert_int_equal(lab->told, 4);
    tell(lab,
         (struct report){.kind = REPORT_SETTLED, .desired = &ci, .state = seen(lab, SEEN_YES)});
    test_equal(shown(lab)->author, "Ada");
}

/* Whoever reads slowly gets each cluster once, as it is by then. */
static void test_reader(void **slot)
{
    struct lab *lab = *slot;
    static const char *const names[] = {"b", "a", "c"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        fleet_status_desire(lab->status, 1, names[i], &ci);
    test_equal(fleet_status_cluster(lab->status, 0)->name, "a");
    struct status_news news = fleet_status_after(lab->status, 0);
    test_equal(news.cluster->name, "b");
    fleet_status_desire(lab->status, 2, "a", NULL);
    fleet_status_desire(lab->status, 3, "a", &ci);
    news = fleet_status_after(lab->status, news.change);
    test_equal(news.cluster->name, "c");
    news = fleet_status_after(lab->status, news.change);
    test_equal(news.cluster->name, "a");
    assert_int_equal(news.change, fleet_status_change(lab->status));
    assert_int_equal(fleet_status_after(lab->status, news.change).change, 0);
}

/* The ring forgets the oldest, and says up to where. */
static void test_ring(void **slot)
{
    struct lab *lab = *slot;
    for (int i = 0; i < STATUS_EVENTS_MAX + 10; i++)
        tell(lab, (struct report){.kind = REPORT_NOTE, .desired = &ci, .text = "x"});
    uint64_t horizon = fleet_status_horizon(lab->status);
    assert_true(horizon > 0);
    struct status_news news = fleet_status_after(lab->status, 0);
    size_t count = 0;
    for (; news.change; news = fleet_status_after(lab->status, news.change)) {
        assert_true(!news.event || news.change > horizon);
        count += news.event != NULL;
    }
    assert_int_equal(count, STATUS_EVENTS_MAX);
}

/* Whatever comes in is one line of text, or a few; and not without end. */
static void test_bounds(void **slot)
{
    struct lab *lab = *slot;
    struct text text;
    text_init(&text, 0);
    text_add(&text, "a\x1b[31m\xff <script>\n");
    text_add_char(&text, 'x', 100000);
    cleanup_free char *note = text_take(&text);
    text_done(&text);
    tell(lab, (struct report){.kind = REPORT_NOTE, .desired = &ci, .text = note});
    assert_true(strlen(shown(lab)->note) <= STATUS_WORDS_MAX);
    assert_memory_equal(shown(lab)->note, "a?[31m? <script>\n", 16);
    tell(lab, (struct report){.kind = REPORT_NOTE, .desired = &ci, .text = NULL});
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        TEST(test_pending), TEST(test_made),   TEST(test_idle),
        TEST(test_failure), TEST(test_blind),  TEST(test_refused_and_held),
        TEST(test_gone),    TEST(test_source), TEST(test_reader),
        TEST(test_ring),    TEST(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
