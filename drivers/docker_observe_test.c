/* What is seen of a cluster of several nodes when part of it is missing, stopped or out of date. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"

#define LB "a-external-load-balancer"
#define CP "a-control-plane"
#define CP2 "a-control-plane2"
#define CP3 "a-control-plane3"
#define WORKER "a-worker"

static const char *const images[] = {"kind.local/haproxy:2.6", NULL};
static const struct fake_settings settings = {.images = images};

static const char yaml[] = "kind: Cluster\n"
                           "apiVersion: kind.x-k8s.io/v1alpha4\n"
                           "name: a\n"
                           "nodes:\n"
                           "- role: control-plane\n"
                           "- role: control-plane\n"
                           "- role: control-plane\n"
                           "- role: worker\n";

static const struct cluster_spec *open_lab(struct fake_lab *lab)
{
    fake_lab_open(lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(lab, yaml);
    fake_life_until(lab, spec, ACTION_FORGET);
    return spec;
}

/* Runs a command in a node, or asks the engine; steps are ended by NULL. */
struct step_back {
    const char *node, *command;
};

static void happen(struct fake_lab *lab, const struct step_back *steps)
{
    struct fake_client client = {.world = lab->world, .now_ms = lab->transport.now_ms};
    for (; steps->command; steps++) {
        if (!steps->node)
            fake_lab_control(lab, steps->command, NULL);
        else
            assert_int_equal(fake_exec(&client, steps->node, steps->command), 0);
    }
    fake_client_done(&client);
}

enum { STEPS = 5 };

static const struct {
    const char *name;
    struct step_back steps[STEPS];
    enum seen recorded, kubeconfig, ready;
    const char *message;
} rows[] = {
    {"all is well", {{NULL, NULL}}, SEEN_YES, SEEN_YES, SEEN_YES, NULL},
    {"the first control plane is gone",
     {{NULL, "DELETE /containers/" CP "?force=1"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_YES,
     NULL},
    {"the first control plane stands still",
     {{NULL, "POST /containers/" CP "/stop"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_NO,
     "container " CP " is exited"},
    {"the first was made anew and has no record: the others have it",
     {{CP, "rm /kind/fleet.json /kind/fleet.digest"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_YES,
     NULL},
    {"nobody has a record",
     {{CP, "rm /kind/fleet.json /kind/fleet.digest"},
      {CP2, "rm /kind/fleet.json /kind/fleet.digest"},
      {CP3, "rm /kind/fleet.json /kind/fleet.digest"}},
     SEEN_NO,
     SEEN_UNKNOWN,
     SEEN_UNKNOWN,
     NULL},
    {"the record was cut off before its digest",
     {{CP, "rm /kind/fleet.digest"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_YES,
     NULL},
    {"only the second has a record, and the first is gone",
     {{CP3, "rm /kind/fleet.json /kind/fleet.digest"}, {NULL, "DELETE /containers/" CP "?force=1"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_YES,
     NULL},
    {"a worker stands still",
     {{NULL, "POST /containers/" WORKER "/stop"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_NO,
     "container " WORKER " is exited"},
    {"a worker is paused",
     {{NULL, "POST /containers/" WORKER "/pause"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_NO,
     "container " WORKER " is paused"},
    {"the load balancer stands still: nobody can ask",
     {{NULL, "POST /containers/" LB "/stop"}},
     SEEN_YES,
     SEEN_UNKNOWN,
     SEEN_UNKNOWN,
     NULL},
    {"the load balancer is gone: the entry leads nowhere",
     {{NULL, "DELETE /containers/" LB "?force=1"}},
     SEEN_YES,
     SEEN_NO,
     SEEN_UNKNOWN,
     NULL},
    {"two of three control planes stand still: etcd has no majority",
     {{NULL, "POST /containers/" CP "/stop"}, {NULL, "POST /containers/" CP2 "/stop"}},
     SEEN_YES,
     SEEN_YES,
     SEEN_NO,
     NULL},
};

static void sees(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct fake_lab lab;
        struct cluster_state seen;
        const struct cluster_spec *spec = open_lab(&lab);
        happen(&lab, rows[i].steps);
        assert_null(fake_lab_observe(&lab, "a", spec, &seen));
        const char *const got[] = {NULL, "no", "yes"};
        test_equal(got[seen.recorded], got[rows[i].recorded]);
        test_equal(got[seen.kubeconfig], got[rows[i].kubeconfig]);
        test_equal(got[seen.ready], got[rows[i].ready]);
        if (rows[i].message)
            test_equal(seen.message, rows[i].message);
        assert_true(seen.ready != SEEN_NO || seen.message);
        fake_lab_close(&lab);
    }
}

/* It is the last thing of a set-up, so one is enough; but the first by name is to have it, too. */
static void is_recorded_when_one_has_it(void **state)
{
    (void)state;
    enum { CONTROL_PLANES = 3 };
    struct fake_lab lab;
    struct cluster_state seen;
    fake_lab_open(&lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(&lab, yaml);
    fake_life_until(&lab, spec, ACTION_RECORD);
    for (unsigned at = 1; at <= CONTROL_PLANES + 1; at++) {
        cleanup_free char *order =
            memory_format("{\"action\":\"fail\",\"match\":\"PUT \",\"at\":%u}", at);
        fake_lab_control(&lab, "POST /_fake/fault", order);
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_RECORD, "a");
        fake_lab_control(&lab, "POST /_fake/clear", NULL);
        assert_int_equal(failure != NULL, at <= CONTROL_PLANES);
        assert_null(fake_lab_observe(&lab, "a", spec, &seen));
        assert_int_equal(seen.recorded, at > 1 ? SEEN_YES : SEEN_NO);
        assert_int_equal(seen.record_partial, at > 1 && at <= CONTROL_PLANES);
        error_free(failure);
    }
    fake_lab_close(&lab);
}

/* The user's entry leads to the load balancer, also after that was made anew. */
static void writes_the_entry_of_the_balancer(void **state)
{
    (void)state;
    struct fake_lab lab;
    struct cluster_state seen;
    const struct cluster_spec *spec = open_lab(&lab);
    for (size_t i = 0; i < 2; i++) {
        const json_t *host = json_object_get(fake_look_container(lab.world, LB), "HostConfig");
        const json_t *binding =
            json_array_get(json_object_get(json_object_get(host, "PortBindings"), "6443/tcp"), 0);
        cleanup_free char *server =
            memory_format("server: https://127.0.0.1:%s\n",
                          json_string_value(json_object_get(binding, "HostPort")));
        cleanup_free char *file = test_read_file(lab.items[0]);
        assert_non_null(strstr(file, server));
        fake_life_do(&lab, spec, ACTION_DELETE_NODE, LB);
        fake_life_do(&lab, spec, ACTION_BALANCER, LB);
        assert_null(fake_lab_observe(&lab, "a", spec, &seen));
        assert_int_equal(seen.kubeconfig, SEEN_NO);
        fake_life_do(&lab, spec, ACTION_KUBECONFIG, "a");
    }
    fake_lab_close(&lab);
}

/* A load balancer that stands still publishes nothing: better no entry than a wrong one. */
static void writes_no_entry_without_a_port(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab);
    cleanup_free char *before = test_read_file(lab.items[0]);
    fake_lab_control(&lab, "POST /containers/" LB "/stop", NULL);
    struct error *failure = fake_lab_apply(&lab, spec, ACTION_KUBECONFIG, "a");
    test_equal(failure ? failure->message : NULL,
               "write the kubeconfig: " LB " does not run, so its API has no port");
    error_free(failure);
    cleanup_free char *after = test_read_file(lab.items[0]);
    test_equal(after, before);
    fake_lab_close(&lab);
}

/* Drained, and then its container was not deleted: nobody waits for that Node to come back. */
static void waits_for_no_node_that_leaves(void **state)
{
    (void)state;
    struct fake_lab lab;
    struct cluster_state seen;
    const struct cluster_spec *spec = open_lab(&lab);
    struct cluster_spec less = *spec;
    less.node_count--;
    fake_life_do(&lab, spec, ACTION_DRAIN, WORKER);
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.ready, SEEN_NO);
    test_equal(seen.message, "node " WORKER " has not registered");
    assert_null(fake_lab_observe(&lab, "a", &less, &seen));
    assert_int_equal(seen.ready, SEEN_YES);
    fake_lab_close(&lab);
}

/* Where the digest says that there is a record, one that is not there is unknown. */
static void believes_the_digest(void **state)
{
    (void)state;
    static const struct step_back loss[] = {{CP, "rm /kind/fleet.json"}, {NULL, NULL}};
    struct fake_lab lab;
    struct cluster_state seen;
    const struct cluster_spec *spec = open_lab(&lab);
    struct cluster_spec other = *spec;
    other.node_count--;
    happen(&lab, loss);
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.recorded, SEEN_YES);
    assert_null(fake_lab_observe(&lab, "a", &other, &seen));
    assert_int_equal(seen.recorded, SEEN_UNKNOWN);
    test_equal(seen.message, CP " has no /kind/fleet.json beside its digest");
    fake_lab_close(&lab);
}

/* A container that goes while it is asked leaves open what its cluster has. */
static void fails_where_the_asked_one_goes(void **state)
{
    (void)state;
    struct fake_lab lab;
    struct cluster_state seen;
    const struct cluster_spec *spec = open_lab(&lab);
    struct cluster_spec other = *spec;
    other.node_count--;
    fake_lab_control(&lab, "POST /_fake/fault",
                     "{\"action\":\"fail\",\"status\":404,\"match\":\"GET /containers/\",\"at\":2,"
                     "\"message\":\"No such container: x\"}");
    struct error *failure = fake_lab_observe(&lab, "a", &other, &seen);
    test_equal(failure ? failure->message : NULL,
               "read the record: the container of " CP " is gone");
    assert_int_equal(failure->kind, ERROR_CONFLICT);
    error_free(failure);
    fake_lab_close(&lab);
}

static void listed(struct op *op, struct error *failure)
{
    (void)op;
    assert_null(failure);
}

/* A list serves the first look at each cluster, also late; others only for a second. */
static void one_list_for_the_first_looks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t later_ms;
        size_t first, second; /* lists that the first and second look ask for */
    } list_rows[] = {
        {"at once", 0, 0, 0},
        {"after a second", 2000, 0, 1},
        {"after a minute", 61000, 1, 1},
    };
    for (size_t i = 0; i < COUNT_OF(list_rows); i++) {
        test_row(list_rows[i].name);
        struct fake_lab lab;
        struct cluster_state seen;
        struct fleet_state fleet;
        const struct cluster_spec *spec = open_lab(&lab);
        struct op op = {.ended = listed};
        lab.driver->vtable->list(lab.driver, &op, lab.arena, &fleet);
        while (op.running && fake_transport_turn(&lab.transport))
            ;
        fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
        lab.transport.now_ms += list_rows[i].later_ms;
        assert_null(fake_lab_observe(&lab, "a", spec, &seen));
        assert_int_equal(fake_look_requests(lab.world, "/containers/json"), list_rows[i].first);
        assert_null(fake_lab_observe(&lab, "a", spec, &seen));
        assert_int_equal(fake_look_requests(lab.world, "/containers/json"),
                         list_rows[i].first + list_rows[i].second);
        fake_lab_close(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees),
        cmocka_unit_test(is_recorded_when_one_has_it),
        cmocka_unit_test(writes_the_entry_of_the_balancer),
        cmocka_unit_test(writes_no_entry_without_a_port),
        cmocka_unit_test(waits_for_no_node_that_leaves),
        cmocka_unit_test(believes_the_digest),
        cmocka_unit_test(fails_where_the_asked_one_goes),
        cmocka_unit_test(one_list_for_the_first_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
