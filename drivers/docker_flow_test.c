/*
 * Whole actions of the docker driver against the fake world, in process and under a virtual clock:
 * a cluster of one node. Each action meets every fault at every request, is stopped at every
 * moment, and must then do its work when it is asked again.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"

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

/* What makes a cluster, and unmakes it. A bootstrap takes long, for its certificates. */
static const struct life_row rows[] = {
    {ACTION_NETWORK, "kind", 0},    {ACTION_IMAGE, NODE, 0},
    {ACTION_CREATE_NODE, CP, 0},    {ACTION_BOOTSTRAP, CP, 2},
    {ACTION_UPLOAD_CONFIG, "a", 0}, {ACTION_MARK_CONTROL_PLANE, "a", 0},
    {ACTION_TOKEN, "a", 0},         {ACTION_PROXY, "a", 0},
    {ACTION_DNS, "a", 0},           {ACTION_CNI, "a", 0},
    {ACTION_STORAGE, "a", 0},       {ACTION_KUBECONFIG, "a", 0},
    {ACTION_AWAIT_READY, "a", 0},   {ACTION_RECORD, "a", 0},
    {ACTION_FORGET, "a", 0},        {ACTION_DELETE_NODE, CP, 0},
};

enum { MADE = COUNT_OF(rows) - 2 }; /* rows until all is there */

static void check(struct fake_lab *lab, const struct life_row *row)
{
    size_t count = row->kind == ACTION_DELETE_NODE || row->kind < ACTION_CREATE_NODE ? 0 : 1;
    assert_int_equal(fake_look_containers(lab->world), count);
}

static void undo(struct fake_lab *lab, const struct cluster_spec *spec, const struct life_row *row)
{
    if (row->kind == ACTION_NETWORK)
        fake_lab_control(lab, "DELETE /networks/kind", NULL);
    if (row->kind == ACTION_CREATE_NODE || row->kind == ACTION_BOOTSTRAP)
        fake_life_do(lab, spec, ACTION_DELETE_NODE, CP);
    if (row->kind == ACTION_DELETE_NODE || row->kind == ACTION_BOOTSTRAP)
        fake_life_do(lab, spec, ACTION_CREATE_NODE, CP);
    if (row->kind == ACTION_FORGET)
        fake_life_do(lab, spec, ACTION_KUBECONFIG, "a");
}

static const struct fake_life life = {
    .settings = &settings,
    .yaml = one_node,
    .rows = rows,
    .row_count = COUNT_OF(rows),
    .check = check,
    .undo = undo,
};

static void a_life(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, MADE);
    struct cluster_state seen;
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.node_count, 1);
    test_equal(seen.nodes[0].name, CP);
    assert_int_equal(seen.recorded, SEEN_YES);
    assert_int_equal(seen.kubeconfig, SEEN_YES);
    assert_int_equal(seen.ready, SEEN_YES);
    test_equal(seen.version, "v1.20.2");
    fake_life_do(&lab, spec, ACTION_FORGET, "a");
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP);
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP); /* gone is gone */
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.node_count, 0);
    assert_int_equal(fake_look_containers(lab.world), 0);
    fake_lab_close(&lab);
}

/* What stands still, is paused or runs already is started all the same. */
static void starts_again(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "POST /containers/" CP "/stop", "POST /containers/" CP "/kill",
        "POST /containers/" CP "/pause", "POST /_fake/exit?container=" CP "&code=137"};
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, MADE);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        test_row(ways[i]);
        fake_lab_control(&lab, ways[i], NULL);
        fake_life_do(&lab, spec, ACTION_START_NODE, CP);
        fake_life_do(&lab, spec, ACTION_AWAIT_READY, "a");
    }
    fake_lab_close(&lab);
}

static void meets_every_fault(void **state)
{
    (void)state;
    fake_life_meets_every_fault(&life);
}

static void stops_at_every_moment(void **state)
{
    (void)state;
    fake_life_stops_at_every_moment(&life);
}

static void gets_images(void **state)
{
    (void)state;
    static const struct {
        const char *image, *failure;
    } images[] = {
        {NODE, NULL},
        {"example.org/node:v1", NULL},
        {"example.org/node:v2", "get the image: image example.org/node:v2 is not on this engine"},
        {"kind.local/none:v1", "get the image: image kind.local/none:v1 is not on this engine"},
        {"default", NULL}, /* neither here nor to be pulled, but one was made here */
    };
    struct fake_lab lab;
    fake_lab_open(&lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(&lab, one_node);
    for (size_t i = 0; i < COUNT_OF(images); i++) {
        test_row(images[i].image);
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_IMAGE, images[i].image);
        cleanup_free char *got =
            failure && images[i].failure
                ? memory_string_n(failure->message,
                                  strnlen(failure->message, strlen(images[i].failure)))
                : memory_string(failure ? failure->message : NULL);
        test_equal(got, images[i].failure);
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
