/*
 * Whole lives: the engine over the docker driver over the fake world, in process and under a
 * virtual clock. Whatever request goes wrong, or whenever it is stopped, the cluster is made, and
 * then there is nothing left to do.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_lab.h"
#include "reconciler/engine.h"
#include <jansson.h>
#include <stdio.h>

static const char one_node[] = "kind: Cluster\n"
                               "apiVersion: kind.x-k8s.io/v1alpha4\n"
                               "name: a\n"
                               "nodes:\n"
                               "- role: control-plane\n"
                               "  image: kind.local/node:v1.20.2\n";

static void finished(void *context)
{
    *(bool *)context = true;
}

/* Runs to the end, or stops after so many turns and then runs to the end. */
static struct engine_result drive(struct fake_lab *lab, const struct cluster_spec *spec,
                                  size_t turns, unsigned stops)
{
    static char failure[300];
    bool over = false;
    const struct engine_options options = {
        .driver = lab->driver,
        .transport = &lab->transport.transport,
        .cycle = {.policy = {.fleet = "default", .network = "kind", .allow_delete = true},
                  .parallel = 8,
                  .seed = 1},
        .clusters_parallel = 1,
        .finished = finished,
        .finished_context = &over,
    };
    struct engine *engine = engine_new(&options);
    engine_add(engine, "a", spec);
    engine_start(engine);
    while (!over && turns--)
        assert_true(fake_transport_turn(&lab->transport));
    while (!over && stops--)
        engine_stop(engine);
    while (!over)
        assert_true(fake_transport_turn(&lab->transport));
    struct engine_result result = engine_result(engine, 0);
    size_t planned = result.plan ? result.plan->count + result.plan->refused_count : 0;
    snprintf(failure, sizeof(failure), "%s",
             result.failure ? result.failure->message
             : planned      ? "there is still something to do"
                            : "");
    engine_free(engine);
    assert_true(fake_transport_idle(&lab->transport));
    /* What lives in the engine is gone; the words of the failure stay until the next. */
    static struct error said = {.message = failure};
    return (struct engine_result){
        .outcome = result.outcome, .rounds = result.rounds, .failure = *failure ? &said : NULL};
}

static struct engine_result drive_all(struct fake_lab *lab, const struct cluster_spec *spec)
{
    return drive(lab, spec, SIZE_MAX, 0);
}

/* One container, one network of our name, and a cluster with nothing left to do in one look. */
static void check_made(struct fake_lab *lab, const struct cluster_spec *spec)
{
    struct engine_result again = drive_all(lab, spec);
    test_equal(again.failure ? again.failure->message : NULL, NULL);
    assert_int_equal(again.outcome, ENGINE_SETTLED);
    assert_int_equal(again.rounds, 1);
    json_t *state = json_loads(fake_lab_control(lab, "GET /_fake/state", NULL), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(state, "containers")), 1);
    size_t index, networks = 0;
    json_t *network;
    json_array_foreach(json_object_get(state, "networks"), index, network)
    {
        const char *name = json_string_value(network);
        networks += name && strcmp(name, "kind") == 0;
    }
    assert_int_equal(networks, 1);
    json_decref(state);
}

static void comes_and_goes(void **state)
{
    (void)state;
    struct fake_lab lab;
    fake_lab_open(&lab, NULL);
    const struct cluster_spec *spec = fake_lab_spec(&lab, one_node);
    for (size_t i = 0; i < 2; i++) {
        struct engine_result made = drive_all(&lab, spec);
        test_equal(made.failure ? made.failure->message : NULL, NULL);
        assert_int_equal(made.rounds, 2); /* made, then looked at */
        check_made(&lab, spec);
        struct engine_result gone = drive_all(&lab, NULL);
        test_equal(gone.failure ? gone.failure->message : NULL, NULL);
        assert_int_equal(gone.rounds, 2);
    }
    fake_lab_close(&lab);
}

static void name_row(const char *what, size_t number)
{
    static char row[60];
    snprintf(row, sizeof(row), "%s at %zu", what, number);
    test_row(row);
}

/* False if there was no such request. */
static bool survives(const char *fault, unsigned at)
{
    struct fake_lab lab;
    fake_lab_open(&lab, NULL);
    const struct cluster_spec *spec = fake_lab_spec(&lab, one_node);
    cleanup_free char *order =
        memory_format("{\"action\": \"%s\", \"at\": %u, \"where\": \"any\"}", fault, at);
    fake_lab_control(&lab, "POST /_fake/fault", order);
    struct engine_result first = drive_all(&lab, spec);
    bool met = lab.transport.requests >= at;
    /* One that gives up says why; the next invocation finds its way. */
    if (first.outcome == ENGINE_STALLED)
        assert_non_null(first.failure);
    else
        assert_int_equal(first.outcome, ENGINE_SETTLED);
    fake_lab_control(&lab, "POST /_fake/clear", NULL);
    if (first.outcome == ENGINE_STALLED)
        (void)drive_all(&lab, spec);
    check_made(&lab, spec);
    fake_lab_close(&lab);
    return met;
}

/* A life takes 20 ms: not all of them. Every request by itself is met in docker_flow_test.c. */
static void survives_faults(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        unsigned stride;
    } faults[] = {{"drop-after", 1}, {"garbage", 4}, {"fail", 7}};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        bool met = true;
        for (unsigned at = 1; met; at += faults[i].stride) {
            name_row(faults[i].fault, at);
            assert_true(at < 500);
            met = survives(faults[i].fault, at);
        }
    }
}

/* False if it had ended before. */
static bool stopped(size_t turns, unsigned stops)
{
    struct fake_lab lab;
    fake_lab_open(&lab, NULL);
    const struct cluster_spec *spec = fake_lab_spec(&lab, one_node);
    struct engine_result first = drive(&lab, spec, turns, stops);
    assert_true(first.outcome == ENGINE_STOPPED || first.outcome == ENGINE_SETTLED);
    if (first.outcome == ENGINE_STOPPED)
        (void)drive_all(&lab, spec);
    check_made(&lab, spec);
    fake_lab_close(&lab);
    return first.outcome == ENGINE_STOPPED;
}

static void stops_and_goes_on(void **state)
{
    (void)state;
    for (unsigned stops = 1; stops <= 2; stops++) {
        bool in_time = true;
        for (size_t turns = stops; in_time; turns += 13) {
            name_row("stopped", turns);
            assert_true(turns < 5000);
            in_time = stopped(turns, stops);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_and_goes),
        cmocka_unit_test(survives_faults),
        cmocka_unit_test(stops_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
