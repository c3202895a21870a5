/* Labels and taints of living nodes in the fake world, and how their absence is seen. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_town.h"

#define NODE "/api/v1/nodes/" TOWN_WORKER
#define PATCH "PATCH " NODE

static const struct pair labels[] = {{"tier", "a"}, {"zone", "b"}};
static const struct taint_spec taints[] = {{"gpu", "x", "NoSchedule"}};
static const struct facet before[] = {
    {.path = "nodes[" TOWN_WORKER "].labels[old]", .value = "1"},
    {.path = "nodes[" TOWN_WORKER "].taints[old:NoSchedule]", .value = ""},
};
static const struct cluster_state observed = {.applied = {before, COUNT_OF(before)}};

static const char undone[] =
    "{\"metadata\":{\"labels\":{\"tier\":\"c\",\"zone\":null,\"old\":\"1\",\"mine\":\"1\"}},"
    "\"spec\":{\"taints\":[{\"key\":\"old\",\"effect\":\"NoSchedule\"},{\"key\":\"mine\","
    "\"effect\":\"NoSchedule\"}]}}";

static void undo(struct fake_town *town)
{
    fake_town_ask(town, PATCH, undone);
    assert_int_equal(town->status, 200);
}

static void is_done(struct fake_town *town)
{
    json_t *node = json_loads(fake_town_ask(town, "GET " NODE, NULL), 0, NULL);
    const json_t *have = json_object_get(json_object_get(node, "metadata"), "labels");
    test_equal(json_string_value(json_object_get(have, "tier")), "a");
    test_equal(json_string_value(json_object_get(have, "zone")), "b");
    test_equal(json_string_value(json_object_get(have, "mine")), "1");
    test_equal(json_string_value(json_object_get(have, "old")), NULL);
    test_equal(json_string_value(json_object_get(have, "kubernetes.io/os")), "linux");
    cleanup_free char *got =
        json_dumps(json_object_get(json_object_get(node, "spec"), "taints"), JSON_COMPACT);
    test_equal(got, "[{\"key\":\"mine\",\"effect\":\"NoSchedule\"},{\"key\":\"gpu\",\"effect\":"
                    "\"NoSchedule\",\"value\":\"x\"}]");
    json_decref(node);
}

static void open_town(struct fake_town *town)
{
    fake_town_open(town);
    for (size_t i = 0; i < COUNT_OF(town->nodes); i++)
        if (strcmp(town->nodes[i].name, TOWN_WORKER) == 0) {
            town->nodes[i].labels = (struct pair_list){labels, COUNT_OF(labels)};
            town->nodes[i].taints = taints;
            town->nodes[i].taint_count = COUNT_OF(taints);
        }
    town->lab.observed = &observed;
    undo(town);
}

static size_t writes(struct fake_town *town)
{
    const char *log = fake_lab_control(&town->lab, "GET /_fake/requests", NULL);
    size_t count = 0;
    for (const char *at = log; (at = strstr(at, "PATCH")); at++)
        count++;
    return count;
}

static void sets_them(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    fake_town_well(&town, ACTION_NODE_SETTINGS, TOWN_WORKER);
    is_done(&town);
    fake_lab_control(&town.lab, "POST /_fake/reset-log", NULL);
    fake_town_well(&town, ACTION_NODE_SETTINGS, TOWN_WORKER);
    assert_int_equal(writes(&town), 0);
    fake_town_badly(&town, ACTION_NODE_SETTINGS, "a-worker9",
                    "set labels and taints: node a-worker9 is not in the spec");
    fake_town_ask(&town, "DELETE " NODE, NULL);
    fake_town_badly(&town, ACTION_NODE_SETTINGS, TOWN_WORKER,
                    "set labels and taints: not done after 60 s: node a-worker: nodes \"a-worker\" "
                    "not found");
    fake_town_close(&town);
}

/* Somebody else writes between our reading and our writing. */
static bool interfere(void *context, const struct request *request, struct fake_answer *answer)
{
    (void)answer;
    struct fake_town *town = context;
    if (strcmp(request->method, "PATCH") == 0) {
        town->lab.transport.script = NULL;
        fake_town_ask(town, PATCH, "{\"metadata\":{\"labels\":{\"mine\":\"2\"}}}");
        fake_town_ask(town, PATCH, undone);
    }
    return false;
}

static void yields(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    town.lab.transport.script = interfere;
    town.lab.transport.script_context = &town;
    fake_lab_control(&town.lab, "POST /_fake/reset-log", NULL);
    fake_town_well(&town, ACTION_NODE_SETTINGS, TOWN_WORKER);
    is_done(&town);
    fake_town_close(&town);
}

static const char *drift_of(struct fake_town *town, const char *name,
                            const struct cluster_spec *desired)
{
    struct cluster_state seen;
    assert_null(fake_lab_observe(&town->lab, "a", desired, &seen));
    assert_int_equal(seen.node_count, 3);
    for (size_t i = 0; i < seen.node_count; i++)
        if (strcmp(seen.nodes[i].name, name) == 0)
            return seen.nodes[i].drift;
    return "no such node";
}

static void is_seen(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    fake_town_well(&town, ACTION_RECORD, "a");
    test_equal(
        drift_of(&town, TOWN_WORKER, &town.spec),
        "label tier is 'c', not 'a', label zone is missing, taint gpu:NoSchedule is missing");
    test_equal(drift_of(&town, TOWN_WORKER2, &town.spec), NULL);
    test_equal(drift_of(&town, TOWN_WORKER, NULL), NULL);
    fake_town_well(&town, ACTION_NODE_SETTINGS, TOWN_WORKER);
    test_equal(drift_of(&town, TOWN_WORKER, &town.spec), NULL);
    fake_town_close(&town);
}

static enum seen joined(struct fake_town *town, const char *name)
{
    struct cluster_state seen;
    assert_null(fake_lab_observe(&town->lab, "a", &town->spec, &seen));
    for (size_t i = 0; i < seen.node_count; i++)
        if (strcmp(seen.nodes[i].name, name) == 0)
            return seen.nodes[i].joined;
    return SEEN_UNKNOWN;
}

/* Somebody deletes the Node of a worker: it is seen, and to join again brings it back. */
static void comes_back(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    fake_town_well(&town, ACTION_RECORD, "a");
    assert_int_equal(joined(&town, TOWN_WORKER), SEEN_YES);
    fake_town_ask(&town, "DELETE /api/v1/nodes/" TOWN_WORKER, NULL);
    assert_int_equal(joined(&town, TOWN_WORKER), SEEN_NO);
    assert_int_equal(joined(&town, TOWN_WORKER2), SEEN_YES);
    fake_town_well(&town, ACTION_JOIN, TOWN_WORKER);
    fake_town_well(&town, ACTION_AWAIT_READY, "a");
    assert_int_equal(joined(&town, TOWN_WORKER), SEEN_YES);
    fake_town_close(&town);
}

/* What holds is not what the spec says, where something was refused. */
static void records_what_it_is_told(void **state)
{
    (void)state;
    struct fake_town town;
    struct cluster_state seen;
    open_town(&town);
    town.lab.record = &observed.applied;
    fake_town_well(&town, ACTION_RECORD, "a");
    assert_null(fake_lab_observe(&town.lab, "a", &town.spec, &seen));
    assert_int_equal(seen.recorded, SEEN_YES);
    assert_int_equal(seen.applied.count, COUNT_OF(before));
    test_equal(seen.applied.items[0].path, before[0].path);
    fake_town_close(&town);
}

static void is_tormented(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    fake_town_torment(&town, ACTION_NODE_SETTINGS, TOWN_WORKER, is_done, undo);
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_them),  cmocka_unit_test(yields),
        cmocka_unit_test(is_seen),    cmocka_unit_test(records_what_it_is_told),
        cmocka_unit_test(comes_back), cmocka_unit_test(is_tormented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
