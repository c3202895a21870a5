/* Nodes that came back with other addresses. */
#include "reconciler/diff_rows.h"

#define HA "cp cp2 cp3"

/* clang-format off */
static const struct row rows[] = {
    {"nobody has moved", "cp w", NULL, "cp:running:loose w:running:loose recorded ready kubeconfig", "",
     ""},
    {"the only control plane has moved", "cp w", NULL,
     "cp:running:moved w:running recorded ready kubeconfig", "",
     "readdress a-control-plane (it has moved)\n"},
    {"a worker has moved", "cp w", NULL, "cp:running w:running:moved recorded unready kubeconfig", "",
     "readdress a-worker (it has moved)\n"},
    {"all have moved", "cp w w2", NULL,
     "cp:running:moved w:running:moved w2:running:moved recorded unready kubeconfig", "",
     "readdress a-control-plane (it has moved)\n"
     "readdress a-worker <- 0 (it has moved)\n"
     "readdress a-worker2 <- 0 (it has moved)\n"},
    {"three control planes have moved", HA " w", NULL,
     "cp:running:moved cp2:running:moved cp3:running:moved lb:running w:running:moved recorded "
     "unready kubeconfig", "",
     "reroute a-control-plane (members of etcd have moved)\n"
     "reroute a-control-plane2 (members of etcd have moved)\n"
     "reroute a-control-plane3 (members of etcd have moved)\n"
     "readdress a-control-plane <- 0 1 2 (it has moved)\n"
     "readdress a-control-plane2 <- 0 1 2 3 (it has moved)\n"
     "readdress a-control-plane3 <- 0 1 2 4 (it has moved)\n"
     "readdress a-worker <- 0 1 2 5 (it has moved)\n"},
    {"one of three has moved: the others must find it", HA, NULL,
     "cp:running cp2:running:moved cp3:running lb:running recorded unready kubeconfig", "",
     "reroute a-control-plane (members of etcd have moved)\n"
     "reroute a-control-plane2 (members of etcd have moved)\n"
     "reroute a-control-plane3 (members of etcd have moved)\n"
     "readdress a-control-plane2 <- 0 1 2 (it has moved)\n"},
    {"only a worker beside several control planes", HA " w", NULL,
     "cp:running cp2:running cp3:running lb:running w:running:moved recorded unready kubeconfig", "",
     "readdress a-worker (it has moved)\n"},
    {"one has moved, another stands still at a fixed address", HA, NULL,
     "cp:running:moved cp2:exited cp3:running lb:exited recorded", "",
     "start-node a-control-plane2 (exited)\n"
     "balancer a-external-load-balancer (exited)\n"
     "reroute a-control-plane <- 0 (members of etcd have moved)\n"
     "reroute a-control-plane3 <- 0 (members of etcd have moved)\n"
     "readdress a-control-plane <- 0 1 2 3 (it has moved)\n"},
    {"the load balancer is gone too", "cp cp2", NULL,
     "cp:running:moved cp2:running:moved recorded", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "reroute a-control-plane (members of etcd have moved)\n"
     "reroute a-control-plane2 (members of etcd have moved)\n"
     "readdress a-control-plane <- 1 2 3 (it has moved)\n"
     "readdress a-control-plane2 <- 1 2 3 4 (it has moved)\n"},
    {"all stand still: their addresses are seen when they run", HA " w", NULL,
     "cp:exited:loose cp2:exited:loose cp3:exited:loose lb:exited:loose w:exited:loose recorded", "",
     "start-node a-control-plane (exited)\n"
     "start-node a-control-plane2 (exited)\n"
     "start-node a-control-plane3 (exited)\n"
     "start-node a-worker (exited)\n"
     "balancer a-external-load-balancer (exited)\n"},
    {"some run already, at other addresses", HA, NULL,
     "cp:running:loose:moved cp2:exited:loose cp3:running:loose lb:running recorded unready", "",
     "start-node a-control-plane2 (exited)\n"},
    {"the only one stands still", "cp", NULL, "cp:exited:loose recorded", "",
     "start-node a-control-plane (exited)\n"},
    {"what stands still at a fixed address is waited for", "cp", NULL, "cp:exited recorded", "",
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"a loose worker stands still", "cp w", NULL, "cp:running w:exited:loose recorded unready kubeconfig",
     "",
     "start-node a-worker (exited)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (not Ready)\n"},
    {"one that has moved is paused", "cp w", NULL,
     "cp:running w:paused:moved recorded unready kubeconfig", "",
     "start-node a-worker (paused)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (not Ready)\n"},
    {"a load balancer has no address of its own to be told", HA, NULL,
     "cp:running cp2:running cp3:running lb:running:moved recorded ready kubeconfig", "", ""},
    {"what is lost goes first", "cp w", NULL, "cp:running:moved w:dead recorded", "",
     "delete-node a-worker (the container is dead)\n"},
    {"unfinished, and moved: there is nothing to lose", "cp w", NULL, "cp:running:moved w:running", "",
     "delete-node a-control-plane (has another address than it was set up with, and never finished)\n"
     "delete-node a-worker (has another address than it was set up with, and never finished)\n"},
    {"unreadable, and moved", "cp", NULL, "cp:running:moved unreadable", "",
     "! a [live]: cannot be read now: no reason is known\n"},
    {"what is refused does not hinder", "cp svc=10.1.0.0/16", "cp", "cp:running:moved recorded", "",
     "readdress a-control-plane (it has moved)\n"
     "! networking.serviceSubnet [recreate]: 10.96.0.0/16 -> 10.1.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
};
/* clang-format on */

static void test_rows(void **state)
{
    (void)state;
    check_plans(rows, COUNT_OF(rows));
}

static void test_same_bytes_twice(void **state)
{
    (void)state;
    check_same_bytes_twice(rows, COUNT_OF(rows));
}

static void test_strangers_are_safe(void **state)
{
    (void)state;
    check_strangers_are_safe(rows, COUNT_OF(rows));
}

static void test_the_address_is_told(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    const struct cluster_spec *spec = notation_spec(arena, "cp");
    struct cluster_state observed = notation_state(arena, spec, "cp:running recorded ready");
    struct node_state node = observed.nodes[0];
    node.moved = SEEN_YES;
    node.ipv4 = "10.1.2.3";
    observed.nodes = &node;
    struct diff_policy policy = read_policy("");
    struct plan plan;
    diff_cluster(arena, spec, &observed, &policy, &plan);
    assert_int_equal(plan.count, 1);
    test_equal(plan.actions[0].reason, "its address is 10.1.2.3 now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_bytes_twice),
        cmocka_unit_test(test_strangers_are_safe),
        cmocka_unit_test(test_the_address_is_told),
    };
    return cmocka_run_group_tests_name("diff_address", tests, NULL, NULL);
}
