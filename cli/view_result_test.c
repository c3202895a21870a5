/* view_result_test.c - one fleet with one cluster of each fate: as table, sum and JSON. */
#include "cli/view_result.h"

#include "base/memory.h"
#include "base/test.h"

static const struct cluster_spec spec = {.name = "x", .node_count = 3};
static const struct node_state nodes[] = {{.name = "x-control-plane"}, {.name = "x-worker"}};
static const struct cluster_state there = {
    .name = "x", .nodes = nodes, .node_count = 2, .ready = SEEN_YES, .version = "v1.20.2"};
static const struct cluster_state absent = {.name = "x"};
static const struct cluster_state sick = {.name = "x",
                                          .nodes = nodes,
                                          .node_count = 2,
                                          .ready = SEEN_NO,
                                          .message = "x-worker: \033[1mnot Ready"};
static const struct error no_engine = {ERROR_UNAVAILABLE,
                                       (char *)(uintptr_t) "cannot look at x: timed out"};

/* A plan from rows "kind class subject reason". */
struct step_row {
    enum action_kind kind;
    enum change_class change;
    const char *subject, *reason;
};

static const struct plan *plan_of(struct arena *arena, const char *cluster,
                                  const struct step_row *steps, size_t count)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    plan_init(plan, arena, cluster);
    for (size_t i = 0; i < count; i++)
        plan_add(plan, steps[i].kind, steps[i].change, steps[i].subject, steps[i].reason);
    return plan;
}

static const struct plan *refusing_plan(struct arena *arena, const char *cluster)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    plan_init(plan, arena, cluster);
    plan_add(plan, ACTION_START_NODE, CHANGE_LIVE, "held-control-plane", "exited");
    plan_refuse(
        plan, CHANGE_RECREATE, "networking.podSubnet",
        "10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow recreate (all its data would go)");
    plan_refuse(plan, CHANGE_LIVE, cluster, "cannot be read now: no reason is known");
    return plan;
}

static const struct step_row setup[] = {
    {ACTION_IMAGE, CHANGE_LIVE, "default", "new cluster"},
    {ACTION_CREATE_NODE, CHANGE_LIVE, "new-control-plane", "missing"},
    {ACTION_BOOTSTRAP, CHANGE_LIVE, "new-control-plane", "new cluster"},
    {ACTION_DNS, CHANGE_LIVE, "new", "new cluster"},
};
static const struct step_row unfinished[] = {
    {ACTION_BOOTSTRAP, CHANGE_LIVE, "half-control-plane", "set-up is not finished"},
    {ACTION_DNS, CHANGE_LIVE, "half", "set-up is not finished"},
    {ACTION_DELETE_NODE, CHANGE_REMOVE, "half-worker2", "not in the spec"},
};
static const struct step_row mend[] = {
    {ACTION_START_NODE, CHANGE_LIVE, "ci-control-plane", "exited"},
    {ACTION_KUBECONFIG, CHANGE_LIVE, "ci", "entry is missing or out of date"},
    {ACTION_AWAIT_READY, CHANGE_LIVE, "ci", "something changed"},
};
static const struct step_row recreate[] = {
    {ACTION_DELETE_NODE, CHANGE_RECREATE, "nightly-control-plane", "networking.podSubnet: a -> b"},
    {ACTION_DELETE_NODE, CHANGE_RECREATE, "nightly-worker", "networking.podSubnet: a -> b"},
};
static const struct step_row start_over[] = {
    {ACTION_DELETE_NODE, CHANGE_LIVE, "odd-control-plane",
     "made for other settings, and never finished"},
    {ACTION_DELETE_NODE, CHANGE_LIVE, "odd-worker", "made for other settings, and never finished"},
};
static const struct step_row delete_all[] = {
    {ACTION_FORGET, CHANGE_DELETE, "old", "not wanted any more"},
    {ACTION_DELETE_NODE, CHANGE_DELETE, "old-control-plane", "not wanted any more"},
    {ACTION_DELETE_NODE, CHANGE_DELETE, "old-worker", "not wanted any more"},
};

#define PLAN(name, rows) plan_of(arena, name, rows, COUNT_OF(rows))

enum { FLEET = 9 };

static void fleet_init(struct arena *arena, struct engine_result *items)
{
    const struct plan *nothing = plan_of(arena, "calm", NULL, 0);
    const struct engine_result all[FLEET] = {
        {"calm", &spec, ENGINE_SETTLED, nothing, NULL, &there, 1},
        {"ci", &spec, ENGINE_SETTLED, PLAN("ci", mend), NULL, &sick, 1},
        {"half", &spec, ENGINE_SETTLED, PLAN("half", unfinished), NULL, &there, 1},
        {"held", &spec, ENGINE_SETTLED, refusing_plan(arena, "held"), NULL, &there, 1},
        {"new", &spec, ENGINE_SETTLED, PLAN("new", setup), NULL, &absent, 1},
        {"nightly", &spec, ENGINE_STALLED, PLAN("nightly", recreate), &no_engine, &there, 3},
        {"odd", &spec, ENGINE_STOPPED, PLAN("odd", start_over), NULL, &there, 1},
        {"old", NULL, ENGINE_SETTLED, PLAN("old", delete_all), NULL, &there, 1},
        {"unseen", &spec, ENGINE_STALLED, NULL, &no_engine, NULL, 3},
    };
    memcpy(items, all, sizeof(all));
}

static const struct rails_verdict verdict_items[] = {
    {"old", true, "not in the sources any more"},
    {"older", false, "not in the sources any more; --prune would delete it"},
};
static const struct rails_verdicts verdicts = {verdict_items, COUNT_OF(verdict_items)};

static void a_fleet_of_all_fates(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct engine_result items[FLEET];
    fleet_init(arena, items);
    const struct view_results results = {items, FLEET, &verdicts};
    const struct common_options common = {
        .sources = {.items = {"lab/", "my file.yaml"}, .count = 2}, .fleet = "lab"};
    cleanup_text struct text plans, outcome, json;
    text_init(&plans, 0);
    text_init(&outcome, 0);
    text_init(&json, 0);
    test_row("plans");
    view_results_plans(&plans, &results, &common);
    test_golden(plans.data, "cli/testdata/view/plans.txt");
    test_row("outcome");
    view_results_outcome(&outcome, &results);
    test_golden(outcome.data, "cli/testdata/view/outcome.txt");
    test_row("json");
    view_results_json(&json, &results);
    test_golden(json.data, "cli/testdata/view/result.json");
}

static void print_plans(const struct view_results *results, char **got)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    const struct common_options common = {.sources = {.items = {"it's.yaml"}, .count = 1},
                                          .fleet = "default"};
    view_results_plans(&text, results, &common);
    *got = text_take(&text);
}

static void small_fleets(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    const struct plan *nothing = plan_of(arena, "calm", NULL, 0);
    const struct engine_result calm = {"calm", &spec, ENGINE_SETTLED, nothing, NULL, &there, 1};
    const struct engine_result fresh = {"new",   &spec, ENGINE_SETTLED, PLAN("new", setup), NULL,
                                        &absent, 1};
    const struct {
        const char *name;
        struct view_results results;
        const char *want;
    } rows[] = {
        {"none", {NULL, 0, NULL}, "= 0 clusters in sync\n"},
        {"in sync", {&calm, 1, NULL}, "= 1 cluster in sync\n"},
        {"new",
         {&fresh, 1, NULL},
         "+ new  + 3 nodes  live  new cluster\n1 live.  Apply with: kind apply -f "
         "'it'\\''s.yaml'\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *got = NULL;
        print_plans(&rows[i].results, &got);
        test_equal(got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fleet_of_all_fates),
                                       cmocka_unit_test(small_fleets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
