/* Nodes are emptied in the fake world: whose pods go, in which order, and what is waited for. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_town.h"
#include <stdio.h>

#define ON_WORKER "\"nodeName\":\"" TOWN_WORKER "\""
#define PODS "/api/v1/namespaces/default/pods"
#define BUDGETS "/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets"
#define SETS "/apis/apps/v1/namespaces/default/replicasets"
#define SET                                                                                        \
    "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":2,\"template\":{\"metadata\":{"       \
    "\"labels\":{\"app\":\"web\"}}}}}"
#define BUDGET                                                                                     \
    "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"minAvailable\":%d,\"selector\":{\"matchLabels\":"  \
    "{\"app\":\"web\"}}}}"

enum { REPLICAS = 2, REPLICAS_MS = 60 * 1000, CLEAR_MS = 60 * 1000, LOST_MS = 40 * 1000 };

static void set_open(struct fake_town *town, const char *node, bool open)
{
    cleanup_free char *line = memory_format("PATCH /api/v1/nodes/%s", node);
    fake_town_ask(town, line,
                  open ? "{\"spec\":{\"unschedulable\":null}}"
                       : "{\"spec\":{\"unschedulable\":true}}");
    assert_int_equal(town->status, 200);
}

/* Two replicas on the worker, Ready, and a place for others on the second. */
static void make_set(struct fake_town *town)
{
    set_open(town, TOWN_CP, false);
    set_open(town, TOWN_WORKER2, false);
    fake_town_ask(town, "POST " SETS, SET);
    assert_int_equal(town->status, 201);
    enum { PATIENCE_MS = 1000 };
    town->lab.transport.now_ms += PATIENCE_MS;
    assert_int_equal(fake_town_count(town, PODS, "\"Ready\""), REPLICAS);
    assert_int_equal(fake_town_count(town, PODS, ON_WORKER), REPLICAS);
    set_open(town, TOWN_WORKER2, true);
}

static void open_town(struct fake_town *town)
{
    fake_town_open(town);
    make_set(town);
}

static void drain_well(struct fake_town *town)
{
    fake_town_well(town, ACTION_DRAIN, TOWN_WORKER);
    assert_int_equal(fake_town_count(town, "/api/v1/nodes", "\"name\":\"" TOWN_WORKER "\""), 0);
}

/* What passed by: the evictions, with what was Ready then; and who was asked for what. */
struct watch {
    struct fake_town *town;
    uint64_t at_ms[8];
    size_t ready[8], evictions, deletions, forced, early;
};

/* Is the pod that is to be deleted at once not told to have ended? */
static bool runs(struct watch *watch, const char *url)
{
    cleanup_free char *line = memory_format("GET %s", strstr(url, "/api/v1/"));
    return !strstr(fake_town_ask(watch->town, line, NULL), "terminated");
}

static bool count(void *context, const struct request *request, struct fake_answer *answer)
{
    (void)answer;
    struct watch *watch = context;
    bool eviction = strstr(request->url, "/eviction") && strcmp(request->method, "POST") == 0;
    bool deletion = strstr(request->url, "/pods/") && strcmp(request->method, "DELETE") == 0;
    bool forced = deletion && strstr(request->body, "\"gracePeriodSeconds\":0");
    watch->deletions += deletion;
    watch->forced += forced;
    watch->early += forced && runs(watch, request->url);
    if (!eviction || watch->evictions == COUNT_OF(watch->ready))
        return false;
    watch->at_ms[watch->evictions] = watch->town->lab.transport.now_ms;
    watch->ready[watch->evictions++] = fake_town_count(watch->town, PODS, "\"Ready\"") -
                                       fake_town_count(watch->town, PODS, "deletionTimestamp");
    return false;
}

static void watch_town(struct fake_town *town, struct watch *watch)
{
    *watch = (struct watch){.town = town};
    town->lab.transport.script = count;
    town->lab.transport.script_context = watch;
}

/*
 * One replica goes when all are Ready, and the next when they are again.
 * Nobody waits until kubelet has cleared away what has ended already.
 */
static void keeps_replicas(void **state)
{
    (void)state;
    struct fake_town town;
    struct watch watch;
    open_town(&town);
    watch_town(&town, &watch);
    uint64_t began_ms = town.lab.transport.now_ms;
    drain_well(&town);
    assert_true(town.lab.transport.now_ms - began_ms < CLEAR_MS);
    assert_int_equal(watch.evictions, REPLICAS);
    assert_int_equal(watch.ready[0], REPLICAS);
    assert_int_equal(watch.ready[1], REPLICAS);
    assert_int_equal(watch.deletions, REPLICAS);
    assert_int_equal(watch.early, 0);
    assert_int_equal(fake_town_count(&town, PODS, TOWN_WORKER2), REPLICAS);
    drain_well(&town); /* gone is gone */
    assert_int_equal(watch.evictions, REPLICAS);
    fake_town_close(&town);
}

/* A controller that cannot get a replica elsewhere does not hold the drain up for ever. */
static void waits_a_minute(void **state)
{
    (void)state;
    struct fake_town town;
    struct watch watch;
    open_town(&town);
    set_open(&town, TOWN_WORKER2, false);
    watch_town(&town, &watch);
    drain_well(&town);
    assert_int_equal(watch.evictions, REPLICAS);
    assert_true(watch.at_ms[1] - watch.at_ms[0] >= REPLICAS_MS);
    assert_true(watch.at_ms[1] - watch.at_ms[0] < REPLICAS_MS + 5000);
    fake_town_close(&town);
}

static void add_budget(struct fake_town *town, int least)
{
    cleanup_free char *body = memory_format(BUDGET, least);
    fake_town_ask(town, "POST " BUDGETS, body);
    assert_int_equal(town->status, 201);
}

static void respects_budgets(void **state)
{
    (void)state;
    struct fake_town town;
    struct watch watch;
    open_town(&town);
    add_budget(&town, 2);
    watch_town(&town, &watch);
    struct error *failure = fake_lab_apply(&town.lab, &town.spec, ACTION_DRAIN, TOWN_WORKER);
    assert_non_null(failure);
    assert_int_equal(failure->kind, ERROR_TIMEOUT);
    static const char begin[] = "move its pods: not done after 600 s: pod default/web-";
    static const char end[] = ": Cannot evict pod as it would violate the pod's disruption budget.";
    assert_memory_equal(failure->message, begin, strlen(begin));
    test_equal(strstr(failure->message, ": Cannot"), end);
    error_free(failure);
    assert_int_equal(fake_town_count(&town, PODS, ON_WORKER), REPLICAS);
    fake_town_ask(&town, "DELETE " BUDGETS "/b", NULL);
    add_budget(&town, 1);
    drain_well(&town);
    fake_town_close(&town);
}

/* Nobody confirms that a pod has ended, and a budget protects nothing. */
static void empties_dead_nodes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *control, *command;
    } rows[] = {
        {"stopped", "POST /containers/" TOWN_WORKER "/stop", NULL},
        {"paused", "POST /containers/" TOWN_WORKER "/pause", NULL},
        {"gone", "DELETE /containers/" TOWN_WORKER "?force=1", NULL},
        {"no kubelet", NULL, "systemctl stop kubelet"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct fake_town town;
        struct watch watch;
        open_town(&town);
        add_budget(&town, rows[i].control ? 2 : 1);
        if (rows[i].control)
            fake_lab_control(&town.lab, rows[i].control, NULL);
        struct fake_client client = {.world = town.lab.world, .now_ms = town.lab.transport.now_ms};
        if (rows[i].command)
            assert_int_equal(fake_exec(&client, TOWN_WORKER, rows[i].command), 0);
        town.lab.transport.now_ms += LOST_MS; /* until the cluster has noticed */
        fake_client_done(&client);
        if (strcmp(rows[i].name, "gone") == 0)
            town.nodes[1] = town.nodes[--town.spec.node_count]; /* nor is it in the spec */
        watch_town(&town, &watch);
        drain_well(&town);
        assert_int_equal(watch.evictions, REPLICAS);
        assert_int_equal(watch.forced, REPLICAS);
        fake_town_close(&town);
    }
}

#define OWNED(kind)                                                                                \
    ",\"ownerReferences\":[{\"kind\":\"" kind                                                      \
    "\",\"name\":\"o\",\"uid\":\"u\",\"controller\":true}]"
#define POD(metadata, status)                                                                      \
    "{\"metadata\":{\"name\":\"p\"" metadata "},\"spec\":{" ON_WORKER                              \
    ",\"containers\":[{\"name\":\"c\"}]},\"status\":{" status "}}"
#define READY "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"

static void knows_pods(void **state)
{
    (void)state;
    static const struct {
        const char *name, *pod, *notes;
        size_t evictions, deletions, left;
    } rows[] = {
        {"of nobody", POD("", READY), "pod default/p had no controller and is gone", 1, 1, 0},
        {"of a Job", POD(OWNED("Job"), READY), "", 1, 1, 0},
        {"of a set that is gone", POD(OWNED("ReplicaSet"), READY), "", 1, 1, 0},
        {"of a DaemonSet", POD(OWNED("DaemonSet"), READY), "", 0, 0, 1},
        {"a mirror", POD(",\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}", READY), "", 0,
         0, 1},
        {"finished", POD(OWNED("Job"), "\"phase\":\"Succeeded\""), "", 0, 1, 0},
        {"failed, of nobody", POD("", "\"phase\":\"Failed\""), "", 0, 1, 0},
        {"whose containers nobody tells of",
         "{\"metadata\":{\"name\":\"p\"" OWNED("Job") "},\"spec\":{" ON_WORKER "}}", "", 1, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct fake_town town;
        struct watch watch;
        fake_town_open(&town);
        fake_town_ask(&town, "POST " PODS, rows[i].pod);
        assert_int_equal(town.status, 201);
        watch_town(&town, &watch);
        drain_well(&town);
        test_equal(town.lab.notes, rows[i].notes);
        assert_int_equal(watch.evictions, rows[i].evictions);
        assert_int_equal(watch.deletions, rows[i].deletions);
        assert_int_equal(watch.early, 0);
        assert_int_equal(fake_town_count(&town, PODS, NULL), rows[i].left);
        fake_town_close(&town);
    }
}

/* A pod that does not end: its node says when it has, unless its container has stopped. */
static void waits_for_endings(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    fake_town_ask(&town, "POST " PODS, POD(",\"annotations\":{\"fake/stubborn\":\"x\"}", READY));
    fake_town_badly(&town, ACTION_DRAIN, TOWN_WORKER,
                    "move its pods: not done after 600 s: pod default/p: it was to end, and does "
                    "not");
    fake_town_badly(&town, ACTION_DRAIN, TOWN_WORKER,
                    "move its pods: not done after 600 s: pod default/p: it was to end, and does "
                    "not");
    assert_int_equal(fake_town_count(&town, PODS, NULL), 1);
    fake_lab_control(&town.lab, "POST /containers/" TOWN_WORKER "/stop", NULL);
    drain_well(&town);
    assert_int_equal(fake_town_count(&town, PODS, NULL), 0);
    fake_town_close(&town);
}

/* The node stops while its pod is waited for. */
static bool stop_it(void *context, const struct request *request, struct fake_answer *answer)
{
    (void)answer;
    struct watch *watch = context;
    if (strstr(request->url, "/eviction"))
        watch->evictions++;
    if (watch->evictions++ == 1)
        fake_lab_control(&watch->town->lab, "POST /containers/" TOWN_WORKER "/stop", NULL);
    return false;
}

static void notices_a_stop(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    struct watch watch = {.town = &town};
    fake_town_ask(&town, "POST " PODS, POD("", READY));
    town.lab.transport.script = stop_it;
    town.lab.transport.script_context = &watch;
    drain_well(&town);
    assert_int_equal(fake_town_count(&town, PODS, NULL), 0);
    fake_town_close(&town);
}

/* An API that has no policy/v1beta1 any more. */
static bool be_new(void *context, const struct request *request, struct fake_answer *answer)
{
    struct watch *watch = context;
    if (strstr(request->url, "/eviction"))
        watch->evictions += strstr(request->body, "\"policy/v1\"") != NULL;
    size_t length = strlen(request->url), tail = strlen("/api/v1");
    if (length < tail || strcmp(request->url + length - tail, "/api/v1") != 0)
        return false;
    *answer = (struct fake_answer){
        .status = 200,
        .body = "{\"resources\":[{\"name\":\"pods\",\"kind\":\"Pod\"},{\"name\":"
                "\"pods/eviction\",\"group\":\"policy\",\"version\":\"v1\"}]}"};
    return true;
}

static void speaks_as_the_api_does(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    struct watch watch = {.town = &town};
    town.lab.transport.script = be_new;
    town.lab.transport.script_context = &watch;
    drain_well(&town);
    assert_int_equal(watch.evictions, REPLICAS);
    fake_town_close(&town);
}

/* Only what is in the cluster says what a node that left the spec is. */
static void drains_what_is_not_in_the_spec(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    town.spec.node_count = 2;
    fake_town_well(&town, ACTION_DRAIN, TOWN_WORKER2);
    assert_int_equal(fake_town_count(&town, "/api/v1/nodes", NULL), 2);
    fake_town_well(&town, ACTION_DRAIN, "a-worker9"); /* nobody knows it */
    fake_town_close(&town);
}

static void is_empty(struct fake_town *town)
{
    assert_int_equal(fake_town_count(town, "/api/v1/pods", ON_WORKER), 0);
    assert_int_equal(fake_town_count(town, "/api/v1/nodes", "\"name\":\"" TOWN_WORKER "\""), 0);
}

static void fill(struct fake_town *town)
{
    fake_town_ask(town, "DELETE " SETS "/web", NULL);
    json_t *list = json_loads(fake_town_ask(town, "GET " PODS, NULL), 0, NULL);
    const json_t *pod;
    size_t i;
    json_array_foreach(json_object_get(list, "items"), i, pod)
    {
        cleanup_free char *line = memory_format(
            "DELETE " PODS "/%s",
            json_string_value(json_object_get(json_object_get(pod, "metadata"), "name")));
        fake_town_ask(town, line, "{\"gracePeriodSeconds\":0}");
    }
    json_decref(list);
    fake_town_well(town, ACTION_JOIN, TOWN_WORKER);
    fake_town_well(town, ACTION_AWAIT_READY, "a");
    make_set(town);
    fake_town_ask(town, "POST " PODS, POD("", READY));
    assert_int_equal(town->status, 201);
}

static void is_tormented(void **state)
{
    (void)state;
    struct fake_town town;
    open_town(&town);
    fake_town_torment(&town, ACTION_DRAIN, TOWN_WORKER, is_empty, fill);
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_replicas),
        cmocka_unit_test(waits_a_minute),
        cmocka_unit_test(respects_budgets),
        cmocka_unit_test(empties_dead_nodes),
        cmocka_unit_test(knows_pods),
        cmocka_unit_test(waits_for_endings),
        cmocka_unit_test(notices_a_stop),
        cmocka_unit_test(speaks_as_the_api_does),
        cmocka_unit_test(drains_what_is_not_in_the_spec),
        cmocka_unit_test(is_tormented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
