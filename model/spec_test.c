#include "model/spec.h"

#include "base/memory.h"
#include "base/test.h"

static void names(void **state)
{
    (void)state;
    test_equal(ip_family_name(IP_FAMILY_IPV4), "ipv4");
    test_equal(ip_family_name(IP_FAMILY_DUAL), "dual");
    test_equal(proxy_mode_name(PROXY_IPTABLES), "iptables");
    test_equal(proxy_mode_name(PROXY_NONE), "none");
    test_equal(node_role_name(NODE_CONTROL_PLANE), "control-plane");
    test_equal(node_role_name(NODE_WORKER), "worker");
    test_equal(mount_propagation_name(MOUNT_NONE), "None");
    test_equal(mount_propagation_name(MOUNT_BIDIRECTIONAL), "Bidirectional");
    test_equal(port_protocol_name(PORT_TCP), "TCP");
    test_equal(port_protocol_name(PORT_SCTP), "SCTP");
}

static void counts_roles(void **state)
{
    (void)state;
    static const struct node_spec nodes[] = {
        {.role = NODE_WORKER}, {.role = NODE_CONTROL_PLANE}, {.role = NODE_WORKER}};
    const struct cluster_spec spec = {.nodes = nodes, .node_count = COUNT_OF(nodes)};
    assert_int_equal(spec_role_count(&spec, NODE_WORKER), 2);
    assert_int_equal(spec_role_count(&spec, NODE_CONTROL_PLANE), 1);
}

static void finds_clusters(void **state)
{
    (void)state;
    static const struct cluster_spec clusters[] = {
        {.name = "a"}, {.name = "b"}, {.name = "ci"}, {.name = "d"}};
    for (size_t count = 0; count <= COUNT_OF(clusters); count++) {
        const struct fleet_spec fleet = {clusters, count};
        for (size_t i = 0; i < COUNT_OF(clusters); i++) {
            test_row(clusters[i].name);
            const struct cluster_spec *want = i < count ? &clusters[i] : NULL;
            assert_ptr_equal(fleet_spec_find(&fleet, clusters[i].name), want);
        }
        assert_null(fleet_spec_find(&fleet, "c"));
        assert_null(fleet_spec_find(&fleet, ""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(counts_roles),
        cmocka_unit_test(finds_clusters),
    };
    return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
