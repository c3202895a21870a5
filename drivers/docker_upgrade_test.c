/* Several control planes, one after the other of another version: what is saved, told and copied.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"

#define CP "a-control-plane"
#define CP2 "a-control-plane2"
#define CP3 "a-control-plane3"
#define LB "a-external-load-balancer"
#define SNAPSHOTS "/kind/etcd-snapshots/"
#define CONFIG_MAP "/api/v1/namespaces/kube-system/configmaps/"
#define RBAC "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/"

static const char *const images[] = {"kind.local/haproxy:2.6", NULL};
static const char *const nodes[] = {"kind.local/node:v1.20.2", "kind.local/node:v1.20.3",
                                    "kind.local/node:v1.21.0", "kind.local/node:v1.22.0", NULL};
static const struct fake_settings settings = {.images = images, .node_images = nodes};

#define PLANE(VERSION) "- {role: control-plane, image: 'kind.local/node:" VERSION "'}\n"
#define THREE(VERSION)                                                                             \
    "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: a\nnodes:\n" PLANE(VERSION)          \
        PLANE(VERSION) PLANE(VERSION)

static void open_three(struct fake_lab *lab)
{
    fake_lab_open(lab, &settings);
    fake_life_until(lab, fake_lab_spec(lab, THREE("v1.20.2")), ACTION_NODE_SETTINGS);
}

static void make_anew(struct fake_lab *lab, const struct cluster_spec *spec, const char *node)
{
    fake_life_do(lab, spec, ACTION_CHECK_VERSION, node);
    fake_life_do(lab, spec, ACTION_SAVE_ETCD, node);
    fake_life_do(lab, spec, ACTION_LEAVE_ETCD, node);
    fake_life_do(lab, spec, ACTION_DELETE_NODE, node);
    fake_life_do(lab, spec, ACTION_CREATE_NODE, node);
}

static const char *stored(struct fake_lab *lab)
{
    const json_t *map = fake_look_object(lab->world, CONFIG_MAP "kubeadm-config");
    return json_string_value(json_object_get(json_object_get(map, "data"), "ClusterConfiguration"));
}

/* One after the other; there is always a snapshot in one that stays. */
static void three_are_upgraded(void **state)
{
    (void)state;
    static const char *const order[] = {CP, CP2, CP3};
    struct fake_lab lab;
    open_three(&lab);
    const struct cluster_spec *spec = fake_lab_spec(&lab, THREE("v1.20.3"));
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        test_row(order[i]);
        make_anew(&lab, spec, order[i]);
        fake_life_do(&lab, spec, ACTION_JOIN, order[i]);
        assert_non_null(strstr(stored(&lab), "kubernetesVersion: v1.20.3\n"));
    }
    assert_int_equal(fake_look_files(lab.world, CP2, SNAPSHOTS), 3); /* also the first, from CP3 */
    assert_int_equal(fake_look_files(lab.world, CP3, SNAPSHOTS), 0);
    assert_int_equal(json_array_size(fake_look_members(lab.world)), 3);
    fake_lab_close(&lab);
}

/* One that stays as it was is repaired beside others that are newer already. */
static void an_older_one_is_repaired(void **state)
{
    (void)state;
    struct fake_lab lab;
    open_three(&lab);
    const struct cluster_spec *spec = fake_lab_spec(&lab, THREE("v1.20.3"));
    make_anew(&lab, spec, CP);
    fake_life_do(&lab, spec, ACTION_JOIN, CP);
    const struct cluster_spec *old = fake_lab_spec(&lab, THREE("v1.20.2"));
    fake_life_do(&lab, old, ACTION_LEAVE_ETCD, CP3);
    fake_life_do(&lab, old, ACTION_DELETE_NODE, CP3);
    fake_life_do(&lab, old, ACTION_CREATE_NODE, CP3);
    fake_life_do(&lab, old, ACTION_JOIN, CP3);
    assert_non_null(strstr(stored(&lab), "kubernetesVersion: v1.20.2\n"));
    fake_lab_close(&lab);
}

/* kubelet's configuration has another name then, and somebody must be allowed to read it. */
static void a_minor_version_more(void **state)
{
    (void)state;
    struct fake_lab lab;
    open_three(&lab);
    const struct cluster_spec *spec = fake_lab_spec(&lab, THREE("v1.21.0"));
    make_anew(&lab, spec, CP);
    assert_null(fake_look_object(lab.world, CONFIG_MAP "kubelet-config-1.21"));
    fake_life_do(&lab, spec, ACTION_JOIN, CP);
    const json_t *map = fake_look_object(lab.world, CONFIG_MAP "kubelet-config-1.21");
    assert_non_null(json_object_get(json_object_get(map, "data"), "kubelet"));
    const json_t *role = fake_look_object(lab.world, RBAC "roles/kubeadm:kubelet-config-1.21");
    const json_t *rule = json_array_get(json_object_get(role, "rules"), 0);
    test_equal(json_string_value(json_array_get(json_object_get(rule, "resourceNames"), 0)),
               "kubelet-config-1.21");
    const json_t *bound =
        fake_look_object(lab.world, RBAC "rolebindings/kubeadm:kubelet-config-1.21");
    assert_int_equal(json_array_size(json_object_get(bound, "subjects")), 2);
    assert_non_null(strstr(stored(&lab), "kubernetesVersion: v1.21.0\n"));
    fake_lab_close(&lab);
}

/* Not even as a new one, of which no image is recorded. */
static void no_minor_version_is_skipped(void **state)
{
    (void)state;
    struct fake_lab lab;
    open_three(&lab);
    const struct cluster_spec *spec = fake_lab_spec(&lab, THREE("v1.22.0"));
    struct error *failure = fake_lab_apply(&lab, spec, ACTION_CHECK_VERSION, CP);
    assert_non_null(failure ? strstr(failure->message, "skips a minor version") : NULL);
    error_free(failure);
    fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, CP);
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP);
    failure = fake_lab_apply(&lab, spec, ACTION_JOIN, CP);
    assert_non_null(failure ? strstr(failure->message,
                                     "a-control-plane cannot join: v1.22.0 is more than one minor "
                                     "version newer than another control plane's v1.20.2")
                            : NULL);
    error_free(failure);
    assert_non_null(strstr(stored(&lab), "kubernetesVersion: v1.20.2\n"));
    fake_lab_close(&lab);
}

/* Only the newest are kept; who is asked must be another one. */
static void few_snapshots_are_kept(void **state)
{
    (void)state;
    struct fake_lab lab;
    open_three(&lab);
    const struct cluster_spec *spec = fake_lab_spec(&lab, THREE("v1.20.3"));
    for (size_t i = 0; i < 8; i++)
        fake_life_do(&lab, spec, ACTION_SAVE_ETCD, i % 2 ? CP : CP2);
    assert_int_equal(fake_look_files(lab.world, CP3, SNAPSHOTS), 5);
    assert_int_equal(fake_look_files(lab.world, CP2, SNAPSHOTS), 0);
    fake_life_do(&lab, spec, ACTION_SAVE_ETCD, CP3);
    assert_int_equal(fake_look_files(lab.world, CP2, SNAPSHOTS), 5);
    fake_lab_control(&lab, "POST /containers/" CP "/stop", NULL);
    fake_lab_control(&lab, "POST /containers/" CP3 "/stop", NULL);
    struct error *failure = fake_lab_apply(&lab, spec, ACTION_SAVE_ETCD, CP2);
    assert_non_null(failure ? strstr(failure->message, "no control plane of a but a-control-plane2")
                            : NULL);
    error_free(failure);
    fake_lab_close(&lab);
}

/* --- every fault, every moment --- */

static void check_row(struct fake_lab *lab, const struct life_row *row)
{
    if (row->kind == ACTION_SAVE_ETCD)
        assert_true(fake_look_files(lab->world, CP3, SNAPSHOTS) > 0);
}

static void undo(struct fake_lab *lab, const struct cluster_spec *spec, const struct life_row *row)
{
    if (row->kind == ACTION_CREATE_NODE)
        fake_life_do(lab, spec, ACTION_DELETE_NODE, row->subject);
}

static const struct life_row save_rows[] = {
    {ACTION_NETWORK, "kind", 50},    {ACTION_CREATE_NODE, CP, 50},  {ACTION_BALANCER, LB, 50},
    {ACTION_CREATE_NODE, CP2, 50},   {ACTION_CREATE_NODE, CP3, 50}, {ACTION_BOOTSTRAP, CP, 50},
    {ACTION_UPLOAD_CONFIG, "a", 50}, {ACTION_TOKEN, "a", 50},       {ACTION_JOIN, CP2, 50},
    {ACTION_JOIN, CP3, 50},          {ACTION_SAVE_ETCD, CP, 0},
};

static const struct fake_life saving = {
    .yaml = THREE("v1.21.0"),
    .settings = &settings,
    .rows = save_rows,
    .row_count = COUNT_OF(save_rows),
    .check = check_row,
    .undo = undo,
};

static void saving_meets_every_fault(void **state)
{
    (void)state;
    fake_life_meets_every_fault(&saving);
}

static void saving_stops_at_every_moment(void **state)
{
    (void)state;
    fake_life_stops_at_every_moment(&saving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_are_upgraded),
        cmocka_unit_test(an_older_one_is_repaired),
        cmocka_unit_test(a_minor_version_more),
        cmocka_unit_test(no_minor_version_is_skipped),
        cmocka_unit_test(few_snapshots_are_kept),
        cmocka_unit_test(saving_meets_every_fault),
        cmocka_unit_test(saving_stops_at_every_moment),
    };
    return cmocka_run_group_tests_name("docker_upgrade", tests, NULL, NULL);
}
