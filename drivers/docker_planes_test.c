/* Control planes that come and go: who etcd knows, and who answers to the endpoint's name. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/docker_etcd.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"

#define CP "a-control-plane"
#define CP2 "a-control-plane2"
#define CP3 "a-control-plane3"
#define LB "a-external-load-balancer"

static const char *const images[] = {"kind.local/haproxy:2.6", NULL};
static const char *const nodes[] = {"kind.local/node:v1.20.2", NULL};
static const struct fake_settings settings = {.images = images, .node_images = nodes};

#define CLUSTER                                                                                    \
    "kind: Cluster\n"                                                                              \
    "apiVersion: kind.x-k8s.io/v1alpha4\n"                                                         \
    "name: a\n"                                                                                    \
    "nodes:\n"                                                                                     \
    "- {role: control-plane}\n"
#define ANOTHER "- {role: control-plane}\n"
#define THREE CLUSTER ANOTHER ANOTHER

/* --- what etcdctl says --- */

static const char said[] =
    "8e9e05c52164694d, started, a-control-plane, https://172.18.0.2:2380, "
    "https://172.18.0.2:2379, false\n"
    "12155f52f1f6372a, started, a-control-plane2, https://[fd00::3]:2380,https://172.18.0.3:2380, "
    "https://[fd00::3]:2379, false\n"
    "9c97e9afff6a7c8d, unstarted, , https://172.18.0.4:2380, , false\n"
    "https://172.18.0.2:2379 is healthy: successfully committed proposal: took = 9.4ms\n"
    "https://[fd00::3]:2379 is unhealthy: failed to commit proposal: context deadline exceeded\n"
    "Error: unhealthy cluster\n";

static void reads_members(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct etcd_member *members;
    size_t count;
    assert_int_equal(docker_etcd_parse(arena, said, strlen(said), &members, &count), 0);
    assert_int_equal(count, 3);
    static const struct etcd_member wanted[] = {
        {"8e9e05c52164694d", "a-control-plane", "172.18.0.2", "172.18.0.2", true},
        {"12155f52f1f6372a", "a-control-plane2", "fd00::3", "fd00::3", false},
        {"9c97e9afff6a7c8d", "", "172.18.0.4", "", false},
    };
    for (size_t i = 0; i < count; i++) {
        test_row(wanted[i].id);
        test_equal(members[i].id, wanted[i].id);
        test_equal(members[i].name, wanted[i].name);
        test_equal(members[i].host, wanted[i].host);
        assert_int_equal(members[i].healthy, wanted[i].healthy);
    }
    static const char *const odd[] = {"", "started, ", "x, started, y, z, \n",
                                      "12, gone, a, https://b:1, , false\n"};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        test_row(odd[i]);
        assert_int_equal(docker_etcd_parse(arena, odd[i], strlen(odd[i]), &members, &count), -1);
    }
}

/* The first is to go; '+' is healthy, '-' is not. */
static void keeps_a_majority(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        bool may_go;
    } rows[] = {
        {"++", true},     {"+++", true},   {"-++", true},  {"+-+", false}, {"-+", false},
        {"+-", false},    {"-+-", false},  {"+++-", true}, {"-+++", true}, {"++++", true},
        {"+++--", false}, {"-+++-", true}, {"+", false},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct etcd_member members[8];
        size_t count = strlen(rows[i].members);
        for (size_t j = 0; j < count; j++)
            members[j] = (struct etcd_member){"1", "m", "h", "h", rows[i].members[j] == '+'};
        test_row(rows[i].members);
        assert_int_equal(docker_etcd_hold(arena, members, count, 0) == NULL, rows[i].may_go);
    }
}

/* --- leaving --- */

/* Three control planes that have joined. */
static const struct cluster_spec *open_three(struct fake_lab *lab)
{
    fake_lab_open(lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(lab, THREE);
    fake_life_until(lab, spec, ACTION_NODE_SETTINGS);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    return spec;
}

static size_t members(struct fake_lab *lab)
{
    return json_array_size(fake_look_members(lab->world));
}

static void leaves_and_comes_back(void **state)
{
    (void)state;
    static const char *const subjects[] = {CP3, CP}; /* also the first, whose files others copied */
    struct fake_lab lab;
    const struct cluster_spec *spec = open_three(&lab);
    for (size_t i = 0; i < COUNT_OF(subjects); i++) {
        test_row(subjects[i]);
        fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, subjects[i]);
        assert_int_equal(members(&lab), 2);
        assert_null(fake_look_file(lab.world, subjects[i], "/etc/kubernetes/manifests/etcd.yaml"));
        fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, subjects[i]); /* once more is once */
        assert_int_equal(members(&lab), 2);
        fake_life_do(&lab, spec, ACTION_DELETE_NODE, subjects[i]);
        fake_life_do(&lab, spec, ACTION_CREATE_NODE, subjects[i]);
        fake_life_do(&lab, spec, ACTION_KUBECONFIG, "a"); /* by one that has credentials */
        fake_life_do(&lab, spec, ACTION_JOIN, subjects[i]);
        assert_int_equal(members(&lab), 3);
    }
    fake_lab_close(&lab);
}

/* It had left, but its container was kept: it begins anew. */
static void joins_again_after_leaving(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_three(&lab);
    fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, CP2);
    fake_life_do(&lab, spec, ACTION_JOIN, CP2);
    assert_int_equal(members(&lab), 3);
    assert_int_equal(fake_look_commands(lab.world, "kubeadm reset --force"), 1);
    fake_lab_close(&lab);
}

/* A join that finds an older member of its name, or another's whose container is gone. */
static void a_join_clears_stale_members(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_three(&lab);
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP2);
    assert_int_equal(members(&lab), 3);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP2);
    fake_life_do(&lab, spec, ACTION_JOIN, CP2);
    assert_int_equal(members(&lab), 3);
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP3);
    fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, CP3);
    assert_int_equal(members(&lab), 2);
    fake_lab_close(&lab);
}

/* Two of three are left, and one of them is to go: what is asked for would be the end. */
static void never_below_a_majority(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_three(&lab);
    fake_lab_control(&lab, "POST /containers/" CP3 "/stop", NULL);
    struct error *failure = fake_lab_apply(&lab, spec, ACTION_LEAVE_ETCD, CP2);
    assert_non_null(failure);
    assert_non_null(strstr(failure->message, "1 of the 2 other members of etcd are healthy: "
                                             "without a-control-plane2 they would have no "
                                             "majority"));
    error_free(failure);
    assert_int_equal(members(&lab), 3);
    fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, CP3); /* the one that stands still may */
    assert_int_equal(members(&lab), 2);
    fake_lab_close(&lab);
}

/* Another container of that name was made since: its member is stale, whoever leaves. */
static void a_member_without_data_is_stale(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_three(&lab);
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP2);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP2);
    fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, CP3);
    assert_int_equal(members(&lab), 1);
    fake_lab_close(&lab);
}

/* --- every fault, every moment --- */

static void check_row(struct fake_lab *lab, const struct life_row *row)
{
    if (row->kind == ACTION_LEAVE_ETCD)
        assert_int_equal(members(lab), 2);
}

static void come_back(struct fake_lab *lab, const struct cluster_spec *spec,
                      const struct life_row *row)
{
    if (row->kind == ACTION_LEAVE_ETCD)
        fake_life_do(lab, spec, ACTION_JOIN, row->subject);
    else if (row->kind == ACTION_CREATE_NODE)
        fake_life_do(lab, spec, ACTION_DELETE_NODE, row->subject);
}

static const struct life_row leave_rows[] = {
    {ACTION_NETWORK, "kind", 50},    {ACTION_CREATE_NODE, CP, 50},  {ACTION_BALANCER, LB, 50},
    {ACTION_CREATE_NODE, CP2, 50},   {ACTION_CREATE_NODE, CP3, 50}, {ACTION_BOOTSTRAP, CP, 50},
    {ACTION_UPLOAD_CONFIG, "a", 50}, {ACTION_TOKEN, "a", 50},       {ACTION_JOIN, CP2, 50},
    {ACTION_JOIN, CP3, 50},          {ACTION_LEAVE_ETCD, CP3, 0},
};

static const struct fake_life leaving = {
    .yaml = THREE,
    .settings = &settings,
    .rows = leave_rows,
    .row_count = COUNT_OF(leave_rows),
    .check = check_row,
    .undo = come_back,
};

static void leaving_meets_every_fault(void **state)
{
    (void)state;
    fake_life_meets_every_fault(&leaving);
}

static void leaving_stops_at_every_moment(void **state)
{
    (void)state;
    fake_life_stops_at_every_moment(&leaving);
}

/* --- the endpoint's name --- */

static char *inspect(struct fake_lab *lab)
{
    return memory_string(fake_lab_control(lab, "GET /containers/" CP "/json", NULL));
}

static bool is_named(struct fake_lab *lab)
{
    cleanup_free char *text = inspect(lab);
    return strstr(text, "\"" LB "\"") != NULL;
}

static const char *address(struct fake_lab *lab)
{
    cleanup_free char *text = inspect(lab);
    const char *at = strstr(text, "\"IPAddress\"");
    return arena_string_n(lab->arena, at, strcspn(at, ","));
}

static void the_name_moves_and_comes_back(void **state)
{
    (void)state;
    struct fake_lab lab;
    fake_lab_open(&lab, &settings);
    const struct cluster_spec *one = fake_lab_spec(&lab, CLUSTER);
    const struct cluster_spec *two = fake_lab_spec(&lab, CLUSTER ANOTHER);
    fake_life_until(&lab, one, ACTION_FORGET);
    const char *before = address(&lab);
    for (int round = 0; round < 2; round++) {
        assert_true(is_named(&lab));
        fake_life_do(&lab, two, ACTION_BALANCER, LB);
        fake_life_do(&lab, two, ACTION_ENDPOINT, CP);
        assert_false(is_named(&lab));
        fake_life_do(&lab, one, ACTION_ENDPOINT, CP);
        test_equal(address(&lab), before);
    }
    /* What is so already is not touched. */
    fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
    fake_life_do(&lab, one, ACTION_ENDPOINT, CP);
    assert_int_equal(fake_look_requests(lab.world, "POST /networks"), 0);
    fake_lab_close(&lab);
}

static void check_name(struct fake_lab *lab, const struct life_row *row)
{
    if (row->kind == ACTION_ENDPOINT)
        assert_int_equal(is_named(lab), 0);
}

static void give_back(struct fake_lab *lab, const struct cluster_spec *spec,
                      const struct life_row *row)
{
    struct cluster_spec one = *spec;
    one.balancer = NULL;
    if (row->kind == ACTION_ENDPOINT)
        fake_life_do(lab, &one, ACTION_ENDPOINT, CP);
    else if (row->kind == ACTION_CREATE_NODE)
        fake_life_do(lab, spec, ACTION_DELETE_NODE, CP);
}

static void lead_away(struct cluster_spec *spec)
{
    spec->balancer = LB;
}

static const struct life_row name_rows[] = {
    {ACTION_NETWORK, "kind", 50},
    {ACTION_CREATE_NODE, CP, 50},
    {ACTION_ENDPOINT, CP, 0},
};

static const struct fake_life naming = {
    .yaml = CLUSTER,
    .settings = &settings,
    .rows = name_rows,
    .row_count = COUNT_OF(name_rows),
    .prepare = lead_away,
    .check = check_name,
    .undo = give_back,
};

static void the_name_meets_every_fault(void **state)
{
    (void)state;
    fake_life_meets_every_fault(&naming);
}

static void the_name_stops_at_every_moment(void **state)
{
    (void)state;
    fake_life_stops_at_every_moment(&naming);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members),
        cmocka_unit_test(keeps_a_majority),
        cmocka_unit_test(leaves_and_comes_back),
        cmocka_unit_test(joins_again_after_leaving),
        cmocka_unit_test(a_join_clears_stale_members),
        cmocka_unit_test(never_below_a_majority),
        cmocka_unit_test(a_member_without_data_is_stale),
        cmocka_unit_test(leaving_meets_every_fault),
        cmocka_unit_test(leaving_stops_at_every_moment),
        cmocka_unit_test(the_name_moves_and_comes_back),
        cmocka_unit_test(the_name_meets_every_fault),
        cmocka_unit_test(the_name_stops_at_every_moment),
    };
    return cmocka_run_group_tests_name("docker_planes", tests, NULL, NULL);
}
