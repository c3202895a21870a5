#include "model/validate.h"

#include "base/memory.h"
#include "base/test.h"

#define HEADER "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"

/* The problems of a text; heap. Rules on single fields are among load_test's rows. */
static char *load(const char *yaml)
{
    static const struct load_options options = {.base_folder = "/base"};
    const struct load_text text = {"f", yaml, strlen(yaml)};
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    struct fleet_spec fleet;
    struct text printed;
    problem_list_init(&problems, arena);
    text_init(&printed, 0);
    load_fleet(&text, 1, &options, &fleet, &problems);
    problem_list_print(&problems, &printed);
    return text_take(&printed);
}

/* podSubnet and serviceSubnet obey the same rules. */
static void subnets(void **state)
{
    (void)state;
    static const struct {
        const char *family, *subnets, *want;
    } rows[] = {
        {"ipv4", "10.0.0.0/8", ""},
        {"ipv4", "10.1.2.3/8", ""},
        {"ipv4", "0.0.0.0/0", ""},
        {"ipv6", "fd00:10:244::/56", ""},
        {"ipv6", "::1/128", ""},
        {"dual", "10.0.0.0/8,fd00::/64", ""},
        {"dual", "fd00::/64,10.0.0.0/8", ""},
        {"dual", "10.0.0.0/8", ""},
        {"dual", "fd00::/64", ""},
        {"ipv4", "fd00::/64", "is an IPv6 subnet, but ipFamily is ipv4"},
        {"ipv6", "10.0.0.0/8", "is an IPv4 subnet, but ipFamily is ipv6"},
        {"ipv4", "10.0.0.0/8,fd00::/64",
         "is more than one subnet, but ipFamily is ipv4; give one, or set ipFamily: dual"},
        {"ipv6", "fd00::/64,fd01::/64",
         "is more than one subnet, but ipFamily is ipv6; give one, or set ipFamily: dual"},
        {"dual", "10.0.0.0/8,11.0.0.0/8",
         "is too much for ipFamily dual: give one IPv4 and one IPv6 subnet"},
        {"dual", "10.0.0.0/8,fd00::/64,fd01::/64",
         "is too much for ipFamily dual: give one IPv4 and one IPv6 subnet"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].subnets);
        cleanup_free char *yaml =
            memory_format("%snetworking:\n  ipFamily: %s\n  podSubnet: %s\n  serviceSubnet: %s\n",
                          HEADER, rows[i].family, rows[i].subnets, rows[i].subnets);
        cleanup_free char *want =
            !*rows[i].want
                ? memory_string("")
                : memory_format("f:5:14: error: networking.podSubnet: \"%s\" %s\n"
                                "f:6:18: error: networking.serviceSubnet: \"%s\" %s\n",
                                rows[i].subnets, rows[i].want, rows[i].subnets, rows[i].want);
        cleanup_free char *got = load(yaml);
        test_equal(got, want);
    }
}

static void bad_subnets(void **state)
{
    (void)state;
    static const struct {
        const char *subnets, *part, *hint;
    } rows[] = {
        {"10.0.0.0", "10.0.0.0", ""},
        {"10.0.0.0/", "10.0.0.0/", ""},
        {"10.0.0.0/33", "10.0.0.0/33", ""},
        {"10.0.0.0/-1", "10.0.0.0/-1", ""},
        {"10.0.0.0/8x", "10.0.0.0/8x", ""},
        {"10.0.0/8", "10.0.0/8", ""},
        {"010.0.0.0/8", "010.0.0.0/8", ""},
        {"fd00::/129", "fd00::/129", ""},
        {"fd00::1::/64", "fd00::1::/64", ""},
        {"fd00::%eth0/64", "fd00::%eth0/64", ""},
        {"/8", "/8", ""},
        {"10.0.0.0/8,", "", ""},
        {"10.0.0.0/8, fd00::/64", " fd00::/64", "; blanks are not allowed"},
        {"x,y", "x", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].subnets);
        cleanup_free char *yaml =
            memory_format("%snetworking: {podSubnet: \"%s\"}\n", HEADER, rows[i].subnets);
        cleanup_free char *want =
            memory_format("f:3:25: error: networking.podSubnet: \"%s\" is not a subnet; write it "
                          "like 10.244.0.0/16 or fd00:10:244::/56%s\n",
                          rows[i].part, rows[i].hint);
        cleanup_free char *got = load(yaml);
        test_equal(got, want);
    }
}

/* Two mappings of a node: what they listen on, and whether they clash. */
static void port_clashes(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *clash; /* "port/protocol on address", or NULL */
    } rows[] = {
        {"hostPort: 80", "hostPort: 81", NULL},
        {"hostPort: 80", "hostPort: 80", "80/TCP on 0.0.0.0"},
        {"hostPort: 80", "hostPort: 80, protocol: UDP", NULL},
        {"hostPort: 80", "hostPort: 80, protocol: TCP", "80/TCP on 0.0.0.0"},
        {"hostPort: 80, protocol: sctp", "hostPort: 80, protocol: SCTP", "80/SCTP on 0.0.0.0"},
        {"hostPort: 0", "hostPort: 0", NULL},
        {"hostPort: -1", "hostPort: -1", NULL},
        {"hostPort: 80, listenAddress: 127.0.0.1", "hostPort: 80, listenAddress: 127.0.0.2", NULL},
        {"hostPort: 80, listenAddress: 127.0.0.1", "hostPort: 80, listenAddress: 127.0.0.1",
         "80/TCP on 127.0.0.1"},
        {"hostPort: 80, listenAddress: 127.0.0.1", "hostPort: 80", "80/TCP on 0.0.0.0"},
        {"hostPort: 80", "hostPort: 80, listenAddress: 127.0.0.1", "80/TCP on 127.0.0.1"},
        {"hostPort: 80, listenAddress: '::'", "hostPort: 80, listenAddress: 127.0.0.1",
         "80/TCP on 127.0.0.1"},
        {"hostPort: 80, listenAddress: '::1'", "hostPort: 80, listenAddress: '0:0::1'",
         "80/TCP on 0:0::1"},
        {"hostPort: 80, listenAddress: '::1'", "hostPort: 80, listenAddress: 127.0.0.1", NULL},
        {"hostPort: 80, listenAddress: '::ffff:1.2.3.4'", "hostPort: 80, listenAddress: 1.2.3.4",
         "80/TCP on 1.2.3.4"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].second);
        cleanup_free char *yaml = memory_format(
            "%snodes:\n- extraPortMappings:\n  - {containerPort: 1, %s}\n  - {containerPort: 2, "
            "%s}\n",
            HEADER, rows[i].first, rows[i].second);
        cleanup_free char *want =
            !rows[i].clash ? memory_string("")
                           : memory_format("f:6:5: error: nodes[0].extraPortMappings[1]: host port "
                                           "%s is already taken by the mapping at 5:5\n",
                                           rows[i].clash);
        cleanup_free char *got = load(yaml);
        test_equal(got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subnets),
        cmocka_unit_test(bad_subnets),
        cmocka_unit_test(port_clashes),
    };
    return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
