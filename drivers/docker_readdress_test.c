/* Nodes that come back with other addresses: how that is seen, and put right, in the fake world. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"
#include "drivers/fake_town.h"

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

/* In a network of the user's, where the engine gives addresses as it likes. */
static const struct cluster_spec *open_lab(struct fake_lab *lab)
{
    fake_lab_open(lab, &settings);
    fake_lab_control(lab, "POST /networks/create", "{\"Name\":\"kind\"}");
    const struct cluster_spec *spec = fake_lab_spec(lab, yaml);
    fake_life_until(lab, spec, ACTION_FORGET);
    return spec;
}

/* The engine gives the lowest address that is free: in another order each gets another one. */
static void restart(struct fake_lab *lab, const char *const *order)
{
    static const char *const all[] = {CP, CP2, CP3, LB, WORKER};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        cleanup_free char *stop = memory_format("POST /containers/%s/stop", all[i]);
        fake_lab_control(lab, stop, NULL);
    }
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        cleanup_free char *start = memory_format("POST /containers/%s/start", order[i]);
        fake_lab_control(lab, start, NULL);
    }
}

static const char *const one_order[] = {CP3, CP, WORKER, LB, CP2};
static const char *const other_order[] = {WORKER, LB, CP2, CP3, CP};

static struct node_state look(struct fake_lab *lab, const struct cluster_spec *spec,
                              const char *name, enum seen ready)
{
    struct cluster_state seen;
    assert_null(fake_lab_observe(lab, "a", spec, &seen));
    assert_int_equal(seen.ready, ready);
    for (size_t i = 0; i < seen.node_count; i++)
        if (strcmp(seen.nodes[i].name, name) == 0)
            return seen.nodes[i];
    fail_msg("no %s", name);
    return (struct node_state){0};
}

static void badly(struct fake_lab *lab, const struct cluster_spec *spec, enum action_kind kind,
                  const char *subject, const char *message)
{
    struct error *failure = fake_lab_apply(lab, spec, kind, subject);
    test_equal(failure ? failure->message : NULL, message);
    error_free(failure);
}

static void is_seen(void **state)
{
    (void)state;
    static const char *const names[] = {CP, CP2, CP3, WORKER};
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct node_state node = look(&lab, spec, names[i], SEEN_YES);
        assert_true(node.loose);
        assert_int_not_equal(node.moved, SEEN_YES);
    }
    restart(&lab, one_order);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(look(&lab, spec, names[i], SEEN_NO).moved, SEEN_YES);
    assert_int_equal(look(&lab, spec, LB, SEEN_NO).moved, SEEN_UNKNOWN);
    fake_lab_control(&lab, "POST /containers/" CP2 "/stop", NULL);
    assert_int_equal(look(&lab, spec, CP2, SEEN_NO).moved, SEEN_UNKNOWN);
    fake_lab_close(&lab);
}

/* Where addresses are fixed nobody asks for certificates: a look costs what it always did. */
static void nobody_looks_at_fixed_addresses(void **state)
{
    (void)state;
    struct fake_town town;
    struct cluster_state seen;
    fake_town_open(&town);
    fake_lab_control(&town.lab, "POST /_fake/reset-log", NULL);
    assert_null(fake_lab_observe(&town.lab, "a", &town.spec, &seen));
    assert_false(seen.nodes[0].loose);
    assert_int_equal(fake_look_requests(town.lab.world, "/archive"), 1); /* of the digest */
    fake_town_close(&town);
}

/* Somebody joins a node to another network, whose address comes first. */
static void another_network_is_no_move(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab);
    fake_lab_control(&lab, "POST /networks/create", "{\"Name\":\"another\"}");
    fake_lab_control(&lab, "POST /networks/another/connect", "{\"Container\":\"" CP "\"}");
    assert_true(look(&lab, spec, CP, SEEN_YES).several_networks);
    assert_int_not_equal(look(&lab, spec, CP, SEEN_YES).moved, SEEN_YES);
    restart(&lab, one_order);
    assert_int_not_equal(look(&lab, spec, CP, SEEN_NO).moved, SEEN_YES);
    assert_int_equal(look(&lab, spec, CP2, SEEN_NO).moved, SEEN_YES);
    fake_lab_close(&lab);
}

/* What cannot be read is neither. */
static void unreadable_is_unknown(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab);
    restart(&lab, one_order);
    /* The first is for the digest. */
    fake_lab_control(&lab, "POST /_fake/fault",
                     "{\"action\":\"fail\",\"match\":\"/archive\",\"at\":2}");
    assert_int_equal(look(&lab, spec, CP, SEEN_NO).moved, SEEN_UNKNOWN);
    fake_lab_control(&lab, "POST /_fake/clear", NULL);
    assert_int_equal(look(&lab, spec, CP, SEEN_NO).moved, SEEN_YES);
    fake_lab_close(&lab);
}

static void is_put_right(void **state)
{
    (void)state;
    static const char *const planes[] = {CP, CP2, CP3};
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab);
    restart(&lab, one_order);
    badly(&lab, spec, ACTION_READDRESS, CP,
          "tell etcd its members' names: not done after 180 s: etcd does not answer: curl: (7) "
          "Failed to connect to localhost port 2379");
    for (size_t i = 0; i < COUNT_OF(planes); i++)
        fake_life_do(&lab, spec, ACTION_REROUTE, planes[i]);
    for (size_t i = 0; i < COUNT_OF(planes); i++)
        fake_life_do(&lab, spec, ACTION_READDRESS, planes[i]);
    fake_life_do(&lab, spec, ACTION_READDRESS, WORKER);
    fake_life_do(&lab, spec, ACTION_AWAIT_READY, "a");
    for (size_t i = 0; i < COUNT_OF(planes); i++)
        assert_int_equal(look(&lab, spec, planes[i], SEEN_YES).moved, SEEN_NO);

    /* From now on members are known by name: the next time they find each other by themselves. */
    restart(&lab, other_order);
    assert_int_equal(look(&lab, spec, CP3, SEEN_NO).moved, SEEN_YES);
    for (size_t i = 0; i < COUNT_OF(planes); i++)
        fake_life_do(&lab, spec, ACTION_READDRESS, planes[i]);
    fake_life_do(&lab, spec, ACTION_READDRESS, WORKER);
    fake_life_do(&lab, spec, ACTION_AWAIT_READY, "a");
    assert_int_equal(look(&lab, spec, CP3, SEEN_YES).moved, SEEN_NO);
    fake_lab_close(&lab);
}

/* One of three has moved: the majority of the others holds, and it must be found again. */
static void one_is_found_again(void **state)
{
    (void)state;
    static const char *const planes[] = {CP, CP2, CP3};
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab);
    fake_lab_control(&lab, "POST /containers/" CP2 "/stop", NULL);
    fake_lab_control(&lab, "POST /containers/create?name=other",
                     "{\"Image\":\"kind.local/node:v1.20.2\",\"HostConfig\":{\"NetworkMode\":"
                     "\"kind\"}}");
    fake_lab_control(&lab, "POST /containers/other/start", NULL);
    fake_lab_control(&lab, "POST /containers/" CP2 "/start", NULL);
    for (size_t i = 0; i < COUNT_OF(planes); i++)
        assert_int_equal(look(&lab, spec, planes[i], SEEN_YES).moved, i == 1 ? SEEN_YES : SEEN_NO);
    for (size_t i = 0; i < COUNT_OF(planes); i++)
        fake_life_do(&lab, spec, ACTION_REROUTE, planes[i]);
    fake_life_do(&lab, spec, ACTION_READDRESS, CP2);
    fake_life_do(&lab, spec, ACTION_AWAIT_READY, "a");
    assert_int_equal(look(&lab, spec, CP2, SEEN_YES).moved, SEEN_NO);
    fake_lab_close(&lab);
}

/* Somebody takes it off the network, and puts it back with another address. */
static void move(struct fake_town *town, const char *node)
{
    static unsigned last;
    last = (last + 1) % 2;
    cleanup_free char *leave = memory_format("{\"Container\":\"%s\",\"Force\":true}", node);
    cleanup_free char *enter =
        memory_format("{\"Container\":\"%s\",\"EndpointConfig\":{\"IPAMConfig\":{\"IPv4Address\":"
                      "\"172.18.99.%u\"}}}",
                      node, 7 + last);
    fake_lab_control(&town->lab, "POST /networks/kind/disconnect", leave);
    fake_lab_control(&town->lab, "POST /networks/kind/connect", enter);
}

static void move_plane(struct fake_town *town)
{
    move(town, TOWN_CP);
}

static void move_worker(struct fake_town *town)
{
    move(town, TOWN_WORKER);
}

static void is_well(struct fake_town *town)
{
    struct cluster_state seen;
    fake_town_well(town, ACTION_AWAIT_READY, "a");
    assert_null(fake_lab_observe(&town->lab, "a", &town->spec, &seen));
    assert_int_equal(seen.ready, SEEN_YES);
    for (size_t i = 0; i < seen.node_count; i++)
        assert_int_not_equal(seen.nodes[i].moved, SEEN_YES);
}

static void a_control_plane_is_tormented(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    move_plane(&town);
    fake_town_torment(&town, ACTION_READDRESS, TOWN_CP, is_well, move_plane);
    fake_town_close(&town);
}

static void a_worker_is_tormented(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    move_worker(&town);
    fake_town_torment(&town, ACTION_READDRESS, TOWN_WORKER, is_well, move_worker);
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_seen),
        cmocka_unit_test(nobody_looks_at_fixed_addresses),
        cmocka_unit_test(another_network_is_no_move),
        cmocka_unit_test(unreadable_is_unknown),
        cmocka_unit_test(is_put_right),
        cmocka_unit_test(one_is_found_again),
        cmocka_unit_test(a_control_plane_is_tormented),
        cmocka_unit_test(a_worker_is_tormented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
