/*
 * Whole actions of the docker driver against the fake world, in process and under a virtual clock.
 * Each action meets every fault at every request, is stopped at every moment, and must then do its
 * work when it is asked again.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_lab.h"
#include <jansson.h>
#include <stdio.h>

#define CP "a-control-plane"
#define NODE "kind.local/node:v1.20.2"

static const char one_node[] = "kind: Cluster\n"
                               "apiVersion: kind.x-k8s.io/v1alpha4\n"
                               "name: a\n"
                               "nodes:\n"
                               "- role: control-plane\n"
                               "  image: " NODE "\n";

static const char *const registry[] = {"kind.local/other:v1", "example.org/node:v1", NULL};
static const struct fake_settings settings = {.registry = registry};

struct todo {
    enum action_kind kind;
    const char *subject;
};

/* What makes a cluster, in an order of plan.h; every row below is met after those before it. */
static const struct todo life[] = {
    {ACTION_NETWORK, "kind"},  {ACTION_IMAGE, NODE},        {ACTION_CREATE_NODE, CP},
    {ACTION_BOOTSTRAP, CP},    {ACTION_UPLOAD_CONFIG, "a"}, {ACTION_MARK_CONTROL_PLANE, "a"},
    {ACTION_TOKEN, "a"},       {ACTION_PROXY, "a"},         {ACTION_DNS, "a"},
    {ACTION_CNI, "a"},         {ACTION_STORAGE, "a"},       {ACTION_KUBECONFIG, "a"},
    {ACTION_AWAIT_READY, "a"}, {ACTION_RECORD, "a"},        {ACTION_FORGET, "a"},
    {ACTION_DELETE_NODE, CP},
};

static void do_well(struct fake_lab *lab, const struct cluster_spec *spec, const struct todo *todo)
{
    struct error *failure = fake_lab_apply(lab, spec, todo->kind, todo->subject);
    test_equal(failure ? failure->message : NULL, NULL);
}

/* A lab in which the actions before this one have been done. */
static const struct cluster_spec *open_before(struct fake_lab *lab, size_t action)
{
    fake_lab_open(lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(lab, one_node);
    for (size_t i = 0; i < action; i++)
        do_well(lab, spec, &life[i]);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    return spec;
}

/* What is there after the last action of a row, by the world's own word. */
static size_t count_of(struct fake_lab *lab, const char *key)
{
    json_t *state = json_loads(fake_lab_control(lab, "GET /_fake/state", NULL), 0, NULL);
    const json_t *list = json_object_get(state, key);
    size_t count = json_is_object(list) ? json_object_size(list) : json_array_size(list);
    json_decref(state);
    return count;
}

static void a_life(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, COUNT_OF(life) - 2);
    struct cluster_state seen;
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.node_count, 1);
    test_equal(seen.nodes[0].name, CP);
    assert_int_equal(seen.recorded, SEEN_YES);
    assert_int_equal(seen.kubeconfig, SEEN_YES);
    assert_int_equal(seen.ready, SEEN_YES);
    test_equal(seen.version, "v1.20.2");
    assert_int_equal(count_of(&lab, "containers"), 1);
    do_well(&lab, spec, &life[COUNT_OF(life) - 2]);
    do_well(&lab, spec, &life[COUNT_OF(life) - 1]);
    do_well(&lab, spec, &life[COUNT_OF(life) - 1]); /* gone is gone */
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.node_count, 0);
    assert_int_equal(count_of(&lab, "containers"), 0);
    fake_lab_close(&lab);
}

/* What stands still, is paused or runs already is started all the same. */
static void starts_again(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "POST /containers/" CP "/stop", "POST /containers/" CP "/kill",
        "POST /containers/" CP "/pause", "POST /_fake/exit?container=" CP "&code=137"};
    const struct todo start = {ACTION_START_NODE, CP};
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, COUNT_OF(life) - 2);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        test_row(ways[i]);
        fake_lab_control(&lab, ways[i], NULL);
        do_well(&lab, spec, &start);
        do_well(&lab, spec, &(struct todo){ACTION_AWAIT_READY, "a"});
    }
    fake_lab_close(&lab);
}

/* As a round would that has looked again: what is there already is started, not made. */
static void do_again(struct fake_lab *lab, const struct cluster_spec *spec, const struct todo *todo)
{
    struct error *failure = fake_lab_apply(lab, spec, todo->kind, todo->subject);
    if (failure && failure->kind == ERROR_CONFLICT && todo->kind == ACTION_CREATE_NODE) {
        error_free(failure);
        failure = fake_lab_apply(lab, spec, ACTION_START_NODE, todo->subject);
    }
    test_equal(failure ? failure->message : NULL, NULL);
    assert_true(count_of(lab, "containers") <= 1);
}

/* So that the action has all of its work to do once more. */
static void undo(struct fake_lab *lab, const struct cluster_spec *spec, const struct todo *todo)
{
    static const struct todo create = {ACTION_CREATE_NODE, CP}, delete = {ACTION_DELETE_NODE, CP};
    static const struct todo kubeconfig = {ACTION_KUBECONFIG, "a"};
    if (todo->kind == ACTION_NETWORK)
        fake_lab_control(lab, "DELETE /networks/kind", NULL);
    if (todo->kind == ACTION_CREATE_NODE || todo->kind == ACTION_BOOTSTRAP)
        do_well(lab, spec, &delete);
    if (todo->kind == ACTION_DELETE_NODE || todo->kind == ACTION_BOOTSTRAP)
        do_well(lab, spec, &create);
    if (todo->kind == ACTION_FORGET)
        do_well(lab, spec, &kubeconfig);
}

/* Does what follows in the life, and closes. */
static void live_on(struct fake_lab *lab, const struct cluster_spec *spec, size_t action)
{
    for (size_t i = action; i < COUNT_OF(life); i++)
        do_well(lab, spec, &life[i]);
    assert_int_equal(count_of(lab, "containers"), 0);
    fake_lab_close(lab);
}

/* One fault at the Nth request of an action, then once more without. False: there was no Nth. */
static bool meets(struct fake_lab *lab, const struct cluster_spec *spec, const struct todo *todo,
                  const char *fault, unsigned at)
{
    cleanup_free char *order =
        memory_format("{\"action\": \"%s\", \"at\": %u, \"where\": \"any\"}", fault, at);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    fake_lab_control(lab, "POST /_fake/fault", order);
    size_t before = lab->transport.requests;
    struct error *failure = fake_lab_apply(lab, spec, todo->kind, todo->subject);
    bool met = lab->transport.requests - before >= at;
    if (failure) {
        assert_true(met);
        assert_int_not_equal(failure->kind, ERROR_INTERNAL);
        assert_int_not_equal(failure->kind, ERROR_CANCELED);
        assert_non_null(strstr(failure->message, ": "));
        error_free(failure);
    }
    fake_lab_control(lab, "POST /_fake/clear", NULL);
    /* Of what an answer did not hold nothing was asked. */
    const char *log = fake_lab_control(lab, "GET /_fake/requests", NULL);
    test_equal(strstr(log, "(null)"), NULL);
    do_again(lab, spec, todo);
    undo(lab, spec, todo);
    return met;
}

/* Names the row; the text stays until the next. */
static void name_row(enum action_kind kind, const char *what, size_t number)
{
    static char row[80];
    snprintf(row, sizeof(row), "%s, %s at %zu", action_kind_name(kind), what, number);
    test_row(row);
}

static void meets_every_fault(void **state)
{
    (void)state;
    static const char *const faults[] = {"fail", "drop-after", "garbage", "fail-after", "drop"};
    for (size_t i = 0; i < COUNT_OF(life); i++) {
        struct fake_lab lab;
        const struct cluster_spec *spec = open_before(&lab, i);
        /* A bootstrap takes 10 ms, for its certificates; the last two faults are much like others.
         */
        size_t count = life[i].kind == ACTION_BOOTSTRAP ? 3 : COUNT_OF(faults);
        for (size_t j = 0; j < count; j++) {
            bool met = true;
            for (unsigned at = 1; met; at++) {
                name_row(life[i].kind, faults[j], at);
                assert_true(at < 200);
                met = meets(&lab, spec, &life[i], faults[j], at);
            }
        }
        live_on(&lab, spec, i);
    }
}

/* Stopped after so many turns, then done. False: it had ended by then. */
static bool stops(struct fake_lab *lab, const struct cluster_spec *spec, const struct todo *todo,
                  enum fake_interrupt how, size_t turns)
{
    bool ended = false;
    struct error *failure =
        fake_lab_interrupt(lab, spec, todo->kind, todo->subject, how, turns, &ended);
    if (failure)
        assert_int_equal(failure->kind, ERROR_CANCELED);
    assert_true(how == FAKE_DRAIN || ended == !failure);
    error_free(failure);
    do_again(lab, spec, todo);
    undo(lab, spec, todo);
    return !ended;
}

static void stops_at_every_moment(void **state)
{
    (void)state;
    static const char *const words[] = {"drained", "canceled"};
    for (size_t i = 0; i < COUNT_OF(life); i++) {
        struct fake_lab lab;
        const struct cluster_spec *spec = open_before(&lab, i);
        for (enum fake_interrupt how = FAKE_DRAIN; how <= FAKE_CANCEL; how++) {
            /* As above: drained at every third moment is drained in every row. */
            size_t stride = life[i].kind == ACTION_BOOTSTRAP && how == FAKE_DRAIN ? 3 : 1;
            bool stopped = true;
            for (size_t turns = 0; stopped; turns += stride) {
                name_row(life[i].kind, words[how], turns);
                assert_true(turns < 1000);
                stopped = stops(&lab, spec, &life[i], how, turns);
            }
        }
        live_on(&lab, spec, i);
    }
}

static void gets_images(void **state)
{
    (void)state;
    static const struct {
        const char *image, *failure;
    } rows[] = {
        {NODE, NULL},
        {"example.org/node:v1", NULL},
        {"example.org/node:v2", "get the image: image example.org/node:v2 is not on this engine"},
        {"kind.local/none:v1", "get the image: image kind.local/none:v1 is not on this engine"},
        {"default", NULL}, /* neither here nor to be pulled, but one was made here */
    };
    struct fake_lab lab;
    fake_lab_open(&lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(&lab, one_node);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].image);
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_IMAGE, rows[i].image);
        cleanup_free char *got =
            failure && rows[i].failure
                ? memory_string_n(failure->message,
                                  strnlen(failure->message, strlen(rows[i].failure)))
                : memory_string(failure ? failure->message : NULL);
        test_equal(got, rows[i].failure);
        error_free(failure);
    }
    fake_lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life),
        cmocka_unit_test(starts_again),
        cmocka_unit_test(gets_images),
        cmocka_unit_test(meets_every_fault),
        cmocka_unit_test(stops_at_every_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
