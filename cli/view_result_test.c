/* view_result_test.c - one fleet with one cluster of each fate: as table, sum and JSON. */
#include "cli/view_result.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/converge.h"

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

static const struct step_row growth[] = {
    {ACTION_BALANCER, CHANGE_LIVE, "big-external-load-balancer", "exited"},
    {ACTION_NETWORK, CHANGE_LIVE, "kind", "a node is missing"},
    {ACTION_IMAGE, CHANGE_LIVE, "default", "a node is missing"},
    {ACTION_START_NODE, CHANGE_LIVE, "big-worker", "exited"},
    {ACTION_CREATE_NODE, CHANGE_LIVE, "big-worker3", "missing"},
    {ACTION_PRELOAD, CHANGE_LIVE, "big-worker3", "a node is missing"},
    {ACTION_JOIN, CHANGE_LIVE, "big-worker", "not known to have joined"},
    {ACTION_JOIN, CHANGE_LIVE, "big-worker2", "not known to have joined"},
    {ACTION_JOIN, CHANGE_LIVE, "big-worker3", "a node is missing"},
    {ACTION_AWAIT_READY, CHANGE_LIVE, "big", "something changed"},
    {ACTION_RECORD, CHANGE_LIVE, "big", "a node is missing"},
};
static const struct step_row loss[] = {
    {ACTION_DELETE_NODE, CHANGE_LIVE, "big-worker", "the container is dead"},
    {ACTION_DELETE_NODE, CHANGE_REMOVE, "big-worker2", "not in the spec, and never finished"},
};
static const struct step_row way_gone[] = {
    {ACTION_NETWORK, CHANGE_LIVE, "kind", "a node is missing"},
    {ACTION_BALANCER, CHANGE_LIVE, "big-external-load-balancer", "missing"},
    {ACTION_KUBECONFIG, CHANGE_LIVE, "big", "entry is missing or out of date"},
    {ACTION_AWAIT_READY, CHANGE_LIVE, "big", "something changed"},
};
static const struct step_row unrecorded[] = {
    {ACTION_PRELOAD, CHANGE_LIVE, "big-worker", "not known to have joined"},
    {ACTION_JOIN, CHANGE_LIVE, "big-worker", "not known to have joined"},
    {ACTION_RECORD, CHANGE_LIVE, "big", "a node is missing"},
};
static const struct step_row follows[] = {
    {ACTION_NODE_SETTINGS, CHANGE_LIVE, "big-worker", "labels tier: web -> db"},
    {ACTION_MANIFESTS, CHANGE_LIVE, "big", "manifests app.yaml: none -> sha256:690b80d89912"},
    {ACTION_PRELOAD, CHANGE_LIVE, "big-worker", "preload busybox:v1: none -> wanted"},
    {ACTION_DRAIN, CHANGE_REMOVE, "big-worker2", "not in the spec"},
    {ACTION_DELETE_NODE, CHANGE_REMOVE, "big-worker2", "not in the spec"},
    {ACTION_RECORD, CHANGE_LIVE, "big", "2 settings differ"},
};
static const struct step_row replaced[] = {
    {ACTION_DRAIN, CHANGE_REPLACE, "big-worker", "image a -> b"},
    {ACTION_DELETE_NODE, CHANGE_REPLACE, "big-worker", "image a -> b"},
};
static const struct step_row plane_goes[] = {
    {ACTION_IMAGE, CHANGE_REPLACE, "b", "image a -> b"},
    {ACTION_CHECK_VERSION, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_SAVE_ETCD, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_DRAIN, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_LEAVE_ETCD, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_DELETE_NODE, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
};
static const struct step_row plane_comes[] = {
    {ACTION_JOIN, CHANGE_LIVE, "big-control-plane", "not known to have joined"},
    {ACTION_UPLOAD_CONFIG, CHANGE_LIVE, "big", "comes with the image"},
    {ACTION_PROXY, CHANGE_LIVE, "big", "comes with the image"},
    {ACTION_AWAIT_READY, CHANGE_LIVE, "big", "not Ready"},
    {ACTION_RECORD, CHANGE_LIVE, "big", "a node is missing"},
};
static const struct step_row lone[] = {
    {ACTION_SET_ASIDE, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_CREATE_NODE, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_BOOTSTRAP, CHANGE_REPLACE, "big-control-plane", "image a -> b"},
    {ACTION_PROXY, CHANGE_REPLACE, "big", "image a -> b"},
    {ACTION_RECORD, CHANGE_REPLACE, "big", "image a -> b"},
    {ACTION_DELETE_NODE, CHANGE_REPLACE, "big-control-plane_before", "image a -> b"},
};
static const struct step_row less[] = {
    {ACTION_RECORD, CHANGE_LIVE, "big", "2 nodes less"},
};
static const struct step_row leftover[] = {
    {ACTION_DELETE_NODE, CHANGE_LIVE, "big-external-load-balancer",
     "the first control plane is gone"},
};
static const struct step_row big_end[] = {
    {ACTION_FORGET, CHANGE_DELETE, "big", "not wanted any more"},
    {ACTION_DELETE_NODE, CHANGE_DELETE, "big-control-plane", "not wanted any more"},
    {ACTION_DELETE_NODE, CHANGE_DELETE, "big-control-plane2", "not wanted any more"},
    {ACTION_DELETE_NODE, CHANGE_DELETE, "big-external-load-balancer", "not wanted any more"},
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
    {"again", .asked = true, .unmade = true,
     .reason = "expired at 2026-01-31T18:00:00Z; not made again"},
    {"old", .remove = true, .asked = true, .reason = "not in the sources any more"},
    {"older", .asked = true, .reason = "not in the sources any more; stays: it is protected"},
};
static const struct rails_verdicts verdicts = {verdict_items, COUNT_OF(verdict_items)};

static void a_fleet_of_all_fates(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct engine_result items[FLEET];
    fleet_init(arena, items);
    const struct common_options common = {
        .sources = {.items = {"lab/", "my file.yaml"}, .count = 2},
        .fleet = "lab",
        .engine = "unix:///run/lab docker.sock",
        .kubeconfig = "lab.conf"};
    /* As it was typed. */
    struct converge_options typed = {
        .prune = true,
        .allow_empty = true,
        .max_deletions = 3,
        .repo = {.options = {.ref = "it's", .token_file = "/etc/kind/token"}, .timeout_ms = 90000},
        .policy = "lab policy.yaml",
        .output = VIEW_JSON,
        .wait_ms = 1000};
    const struct option_table given = {command_find("apply")->options, &typed};
    const struct view_results results = {items, FLEET, &verdicts, &common, &given, true};
    cleanup_text struct text plans, outcome, json;
    text_init(&plans, 0);
    text_init(&outcome, 0);
    text_init(&json, 0);
    test_row("plans");
    view_results_plans(&plans, &results);
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
    struct view_results with_source = *results;
    with_source.common = &common;
    view_results_plans(&text, &with_source);
    *got = text_take(&text);
}

static char *print_outcome(const struct view_results *results)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    view_results_outcome(&text, results);
    return text_take(&text);
}

/* The last line, for fleets of few clusters. */
static void sums(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    const struct plan *nothing = plan_of(arena, "x", NULL, 0);
    const struct engine_result as_was = {"calm", &spec, ENGINE_SETTLED, nothing, NULL, &there, 1},
                               made = {"new", &spec, ENGINE_SETTLED, nothing, NULL, &there, 2},
                               failed = {"bad", &spec, ENGINE_STALLED, nothing, &no_engine,
                                         NULL,  3},
                               gone = {"old", NULL, ENGINE_SETTLED, nothing, NULL, &absent, 2};
    const struct engine_result calm[] = {as_was, as_was, as_was}, mixed[] = {as_was, made, gone},
                               pruned[] = {as_was, gone}, half[] = {made, failed};
    static const struct rails_verdict stays[] = {{"b"}, {"c"}};
    static const struct rails_verdict asked[] = {
        {"b", .asked = true, .reason = "one pass deletes at most 1"}};
    static const struct rails_verdicts one = {stays, 1}, two = {stays, 2}, kept = {asked, 1};
    const struct {
        struct view_results results;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "Nothing to do: no cluster is described.\n"},
        {{&as_was, 1}, "Nothing to do: calm is as described.\n"},
        {{calm, 3}, "Nothing to do: 3 clusters are as described.\n"},
        {{&made, 1}, "new is Ready.\n"},
        {{&failed, 1}, "bad is not as described.\n"},
        {{mixed, 3}, "2 of 2 clusters are as described, 1 deleted.\n"},
        {{half, 2}, "1 of 2 clusters are as described.\n"},
        {{pruned, 2}, "calm is Ready, 1 deleted.\n"},
        {{&gone, 1}, "1 cluster deleted.\n"},
        {{&as_was, 1, &one},
         "1 other cluster of fleet 'default' is not in these sources (b); --prune would delete "
         "it\n"
         "Nothing to do: calm is as described.\n"},
        {{&as_was, 1, &two},
         "2 other clusters of fleet 'default' are not in these sources (b, c); --prune would "
         "delete them\n"
         "Nothing to do: calm is as described.\n"},
        {{&as_was, 1, &kept, .prune = true},
         "! b  cluster  delete  one pass deletes at most 1\n"
         "calm is Ready, 1 not deleted.\n"},
        {{&gone, 1, &kept, .prune = true},
         "! b  cluster  delete  one pass deletes at most 1\n"
         "1 cluster deleted, 1 not deleted.\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].want);
        cleanup_free char *got = print_outcome(&rows[i].results);
        test_equal(got, rows[i].want);
    }
}

static void small_fleets(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    const struct plan *nothing = plan_of(arena, "calm", NULL, 0);
    const struct engine_result calm = {"calm", &spec, ENGINE_SETTLED, nothing, NULL, &there, 1};
    const struct engine_result fresh = {"new",   &spec, ENGINE_SETTLED, PLAN("new", setup), NULL,
                                        &absent, 1};
    static const struct rails_verdict items[] = {{"b"}, {"c"}, {"d"}, {"e"}};
    static const struct rails_verdicts one = {items, 1}, four = {items, 4};
    const struct {
        const char *name;
        struct view_results results;
        const char *want;
    } rows[] = {
        {"a part of the fleet",
         {&calm, 1, &one},
         "= 1 cluster in sync\n1 other cluster of fleet 'default' is not in these sources (b); "
         "--prune would delete it\n"},
        {"a small part of it",
         {&calm, 1, &four},
         "= 1 cluster in sync\n4 other clusters of fleet 'default' are not in these sources; "
         "--prune would delete them\n"},
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

/* Several control planes behind a load balancer, and what may happen to their cluster. */
static void several_nodes(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    static const struct node_state big_nodes[] = {
        {.name = "big-control-plane", .role = "control-plane"},
        {.name = "big-control-plane2", .role = "control-plane"},
        {.name = "big-external-load-balancer", .role = ROLE_BALANCER}};
    static const struct cluster_state big = {.name = "big", .nodes = big_nodes, .node_count = 3};
    static const struct cluster_state left = {
        .name = "big", .nodes = &big_nodes[2], .node_count = 1};
    static const struct cluster_state alone = {
        .name = "big", .nodes = big_nodes, .node_count = 1, .recorded = SEEN_YES};
    const struct {
        const char *name;
        struct engine_result result;
        const char *want;
    } rows[] = {
        {"one of several control planes goes",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", plane_goes), NULL, &big, 1},
         "~ big  \xc2\xb1 big-control-plane  replace  image a -> b\n"
         "1 replace.  Apply with: kind apply -f 'it'\\''s.yaml' --allow replace-nodes\n"},
        {"and comes",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", plane_comes), NULL, &big, 1},
         "~ big  ~ wait until Ready  live  not Ready\n"
         "1 live.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"a lone one is replaced, which is all there is",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", lone), NULL, &alone, 1},
         "~ big  \xc2\xb1 big-control-plane  replace  image a -> b; the API is away meanwhile, its "
         "data stays\n"
         "1 replace.  Apply with: kind apply -f 'it'\\''s.yaml' --allow replace-nodes\n"},
        {"mended, and a worker more",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", growth), NULL, &big, 1},
         "~ big  ~ big-external-load-balancer  live  exited; is started\n"
         "       ~ big-worker                  live  exited; is started\n"
         "       + big-worker3                 live  add worker\n"
         "3 live.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"a worker is lost, one is too many",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", loss), NULL, &big, 1},
         "~ big  \xc2\xb1 big-worker   live    the container is dead\n"
         "       - big-worker2  remove  not in the spec, and never finished\n"
         "1 live, 1 remove.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"the load balancer is gone",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", way_gone), NULL, &big, 1},
         "~ big  + big-external-load-balancer  live  missing\n"
         "       ~ write kubeconfig            live  entry is missing or out of date\n"
         "       ~ wait until Ready            live  something changed\n"
         "3 live.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"a worker may not have joined",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", unrecorded), NULL, &big, 1},
         "~ big  ~ big-worker  live  not known to have joined\n"
         "1 live.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"what follows the file",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", follows), NULL, &big, 1},
         "~ big  ~ big-worker   live    labels tier: web -> db\n"
         "       ~ manifests    live    manifests app.yaml: none -> sha256:690b80d89912\n"
         "       ~ big-worker   live    preload busybox:v1: none -> wanted\n"
         "       - big-worker2  remove  drains it\n"
         "3 live, 1 remove.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"a worker is replaced",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", replaced), NULL, &big, 1},
         "~ big  \xc2\xb1 big-worker  replace  image a -> b\n"
         "1 replace.  Apply with: kind apply -f 'it'\\''s.yaml' --allow replace-nodes\n"},
        {"only the record is old",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", less), NULL, &big, 1},
         "~ big  ~ record settings  live  2 nodes less\n"
         "1 live.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"only the load balancer is left",
         {"big", &spec, ENGINE_SETTLED, PLAN("big", leftover), NULL, &left, 1},
         "~ big  \xc2\xb1 big-external-load-balancer  live  the first control plane is gone\n"
         "1 live.  Apply with: kind apply -f 'it'\\''s.yaml'\n"},
        {"the end",
         {"big", NULL, ENGINE_SETTLED, PLAN("big", big_end), NULL, &big, 1},
         "- big  - 2 nodes  delete  not wanted any more; all its data goes\n"
         "1 delete.  Apply with: kind apply -f 'it'\\''s.yaml' --prune\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        const struct view_results results = {&rows[i].result, 1, .prune = true};
        cleanup_free char *got = NULL;
        print_plans(&results, &got);
        test_equal(got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fleet_of_all_fates),
                                       cmocka_unit_test(small_fleets),
                                       cmocka_unit_test(several_nodes), cmocka_unit_test(sums)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
