/*
 * A cluster of several nodes in the fake world: three control planes behind a load balancer, and
 * workers. Each action meets faults and is stopped on its way, and in the end there is what
 * there would be without.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"
#include <stdio.h>

#define LB "a-external-load-balancer"
#define CP "a-control-plane"
#define CP2 "a-control-plane2"
#define CP3 "a-control-plane3"
#define WORKER "a-worker"
#define WORKER2 "a-worker2"
#define NODE "kind.local/node:v1.20.2"
#define SECRETS "/api/v1/namespaces/kube-system/secrets/bootstrap-token-"
#define APP "/api/v1/namespaces/default/configmaps/app"

static const char several_nodes[] =
    "apiVersion: fleet.kind/v1alpha1\n"
    "kind: Cluster\n"
    "metadata: {name: a}\n"
    "spec:\n"
    "  containerdConfigPatches:\n"
    "  - |-\n"
    "    [plugins.'io.containerd.grpc.v1.cri']\n"
    "    sandbox_image = 'mine'\n"
    "  nodes:\n"
    "  - {role: control-plane, image: '" NODE "', replicas: 3}\n"
    "  - {role: worker, image: '" NODE "', labels: {tier: gpu}, taints: ['gpu=yes:NoSchedule']}\n"
    "  - {role: worker, image: '" NODE "'}\n";

static const char app[] = "{apiVersion: v1, kind: ConfigMap, metadata: {name: app}}\n";

static const char *const images[] = {"kind.local/haproxy:2.6", NULL};
static const struct fake_settings settings = {.images = images};

/* Certificates take long; what one node does, two more do alike. */
static const struct life_row rows[] = {
    {ACTION_NETWORK, "kind", 40},
    {ACTION_BALANCER, LB, 0},
    {ACTION_BALANCER, LB, 0}, /* it runs by now */
    {ACTION_CREATE_NODE, CP, 4},
    {ACTION_CREATE_NODE, CP2, 12},
    {ACTION_CREATE_NODE, CP3, 40},
    {ACTION_CREATE_NODE, WORKER, 2},
    {ACTION_CREATE_NODE, WORKER2, 40},
    {ACTION_BOOTSTRAP, CP, 12},
    {ACTION_UPLOAD_CONFIG, "a", 40},
    {ACTION_MARK_CONTROL_PLANE, "a", 2},
    {ACTION_TOKEN, "a", 2},
    {ACTION_PROXY, "a", 40},
    {ACTION_DNS, "a", 40},
    {ACTION_CNI, "a", 40},
    {ACTION_MANIFESTS, "a", 0},
    {ACTION_JOIN, CP2, 3},
    {ACTION_JOIN, CP3, 12},
    {ACTION_JOIN, WORKER, 0},
    {ACTION_JOIN, WORKER2, 40},
    {ACTION_KUBECONFIG, "a", 0},
    {ACTION_AWAIT_READY, "a", 0},
    {ACTION_RECORD, "a", 0},
};

static void prepare(struct cluster_spec *spec)
{
    static const struct manifest_spec manifest = {.path = "app.yaml", .text = app};
    spec->manifests = &manifest;
    spec->manifest_count = 1;
}

/* --- what must hold --- */

static void check_equal_files(struct fake_world *world, const char *node, const char *path)
{
    const char *file = fake_look_file(world, node, path);
    assert_non_null(file);
    test_equal(file, fake_look_file(world, CP, path));
}

static void check_control_plane(struct fake_world *world, const char *node)
{
    static const char *const shared[] = {
        "ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key",
        "sa.pub", "sa.key", "etcd/ca.crt",        "etcd/ca.key",
    };
    char path[80];
    for (size_t i = 0; i < COUNT_OF(shared); i++) {
        snprintf(path, sizeof(path), "/etc/kubernetes/pki/%s", shared[i]);
        check_equal_files(world, node, path);
    }
    assert_non_null(fake_look_file(world, node, "/etc/kubernetes/pki/apiserver.crt"));
    assert_non_null(fake_look_file(world, node, "/etc/kubernetes/manifests/etcd.yaml"));
}

static bool is_control_plane(const char *node)
{
    return strncmp(node, CP, strlen(CP)) == 0;
}

/* The Node, its pod range, and that it is a member of etcd, once, if it is to be one. */
static void check_joined(struct fake_world *world, const char *node)
{
    char path[80], range[80];
    snprintf(path, sizeof(path), "/api/v1/nodes/%s", node);
    const json_t *spec = json_object_get(fake_look_object(world, path), "spec");
    assert_non_null(json_object_get(spec, "podCIDR"));
    snprintf(range, sizeof(range), "\"%s\"", json_string_value(json_object_get(spec, "podCIDR")));
    assert_non_null(strstr(fake_look_file(world, node, "/etc/cni/net.d/10-kind.conflist"), range));
    size_t members = 0, index;
    const json_t *member;
    json_array_foreach(fake_look_members(world), index, member)
    {
        members += strcmp(json_string_value(member), node) == 0;
    }
    assert_int_equal(members, is_control_plane(node));
    if (is_control_plane(node))
        check_control_plane(world, node);
}

/* All nodes, each with a range of its own. */
static void check_nodes(struct fake_world *world)
{
    static const char *const nodes[] = {CP, CP2, CP3, WORKER, WORKER2};
    json_t *ranges = json_object();
    char path[80];
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        check_joined(world, nodes[i]);
        snprintf(path, sizeof(path), "/api/v1/nodes/%s", nodes[i]);
        const json_t *spec = json_object_get(fake_look_object(world, path), "spec");
        json_object_set(ranges, json_string_value(json_object_get(spec, "podCIDR")), json_true());
    }
    assert_int_equal(json_object_size(ranges), COUNT_OF(nodes));
    json_decref(ranges);
    assert_int_equal(fake_look_objects(world, "/api/v1/nodes/"), COUNT_OF(nodes));
    assert_int_equal(json_array_size(fake_look_members(world)), 3);
}

static void check_balancer(struct fake_world *world)
{
    const char *config = fake_look_file(world, LB, "/usr/local/etc/haproxy/haproxy.cfg");
    assert_non_null(config);
    assert_non_null(strstr(config, "    server " CP " " CP ":6443\n"));
    assert_non_null(strstr(config, "    server " CP2 " " CP2 ":6443\n"));
    assert_non_null(strstr(config, "    server " CP3 " " CP3 ":6443\n"));
    assert_null(strstr(config, WORKER));
}

static void check_record(struct fake_world *world)
{
    static const char *const nodes[] = {CP, CP2, CP3};
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        check_equal_files(world, nodes[i], "/kind/fleet.json");
        check_equal_files(world, nodes[i], "/kind/fleet.digest");
    }
    assert_null(fake_look_file(world, WORKER, "/kind/fleet.json"));
    assert_null(fake_look_file(world, LB, "/kind/fleet.json"));
}

static void check(struct fake_lab *lab, const struct life_row *row)
{
    struct fake_world *world = lab->world;
    if (row->kind == ACTION_BALANCER)
        check_balancer(world);
    if (row->kind == ACTION_CREATE_NODE)
        assert_non_null(fake_look_container(world, row->subject));
    if (row->kind == ACTION_JOIN)
        check_joined(world, row->subject);
    if (row->kind == ACTION_TOKEN)
        assert_int_equal(fake_look_objects(world, SECRETS), 0);
    if (row->kind == ACTION_MANIFESTS)
        assert_non_null(fake_look_object(world, APP));
    if (row->kind == ACTION_RECORD)
        check_record(world);
    if (row->kind == ACTION_AWAIT_READY)
        check_nodes(world);
}

/* --- all of it once more --- */

/* Through the first control plane; gone is fine. */
static void delete_object(struct fake_lab *lab, const char *path)
{
    struct fake_client client = {
        .world = lab->world, .now_ms = lab->transport.now_ms, .api_of = CP};
    char line[120];
    snprintf(line, sizeof(line), "DELETE %s", path);
    fake_ask(&client, line, NULL);
    assert_true(client.status == 200 || client.status == 404);
    fake_client_done(&client);
}

/* As if it had never joined, nor tried to. */
static void leave(struct fake_lab *lab, const char *node)
{
    struct fake_client client = {.world = lab->world, .now_ms = lab->transport.now_ms};
    const char *token;
    char path[80];
    assert_int_equal(fake_exec(&client, node, "kubeadm reset --force"), 0);
    assert_int_equal(fake_exec(&client, node, "rm -f /etc/cni/net.d/10-kind.conflist"), 0);
    fake_client_done(&client);
    snprintf(path, sizeof(path), "/api/v1/nodes/%s", node);
    delete_object(lab, path);
    while ((token = fake_look_path(lab->world, SECRETS)))
        delete_object(lab, token);
}

static void undo(struct fake_lab *lab, const struct cluster_spec *spec, const struct life_row *row)
{
    bool first_balancer = row == &rows[1];
    if (row->kind == ACTION_CREATE_NODE || row->kind == ACTION_BOOTSTRAP || first_balancer)
        fake_life_do(lab, spec, ACTION_DELETE_NODE, row->subject);
    if (row->kind == ACTION_BOOTSTRAP)
        fake_life_do(lab, spec, ACTION_CREATE_NODE, row->subject);
    if (row->kind == ACTION_JOIN)
        leave(lab, row->subject);
    if (row->kind == ACTION_MANIFESTS)
        delete_object(lab, APP);
}

static const struct fake_life life = {
    .settings = &settings,
    .yaml = several_nodes,
    .prepare = prepare,
    .rows = rows,
    .row_count = COUNT_OF(rows),
    .check = check,
    .undo = undo,
};

static void a_life(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    assert_int_equal(fake_look_objects(lab.world, SECRETS), 0);
    assert_int_equal(fake_look_containers(lab.world), 6);
    const json_t *worker = fake_look_object(lab.world, "/api/v1/nodes/" WORKER);
    const json_t *labels = json_object_get(json_object_get(worker, "metadata"), "labels");
    const json_t *taint =
        json_array_get(json_object_get(json_object_get(worker, "spec"), "taints"), 0);
    test_equal(json_string_value(json_object_get(labels, "tier")), "gpu");
    test_equal(json_string_value(json_object_get(taint, "key")), "gpu");
    test_equal(json_string_value(json_object_get(taint, "effect")), "NoSchedule");
    fake_life_do(&lab, spec, ACTION_BALANCER, LB);
    assert_int_equal(fake_look_requests(lab.world, "/kill?signal=HUP"), 1);
    struct cluster_state seen;
    assert_null(fake_lab_observe(&lab, "a", spec, &seen));
    assert_int_equal(seen.node_count, 6);
    assert_int_equal(seen.recorded, SEEN_YES);
    assert_int_equal(seen.kubeconfig, SEEN_YES);
    assert_int_equal(seen.ready, SEEN_YES);
    assert_int_equal(seen.ready_count, 5);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life),
        cmocka_unit_test(meets_every_fault),
        cmocka_unit_test(stops_at_every_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
