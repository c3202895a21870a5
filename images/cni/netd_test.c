/*
 * netd_test.c - what netd makes of the API's nodes: file, routes, rules.
 *
 * It includes what it tests, so that it compiles alone:
 *     cc netd_test.c -ljansson -lcmocka
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conflist.c"
#include "node.c"
#include "routes.c"
#include "rules.c"

#include <arpa/inet.h>
#include <sys/stat.h>

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %s", error.text, text);
    return json;
}

static void networks_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *network; /* NULL: refused */
    } rows[] = {
        {"10.244.1.0/24", "10.244.1.0/24"},
        {"10.244.1.7/20", "10.244.0.0/20"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"fd00:10:244:1::/64", "fd00:10:244:1::/64"},
        {"fd00::ffff/127", "fd00::fffe/127"},
        {"10.244.1.0", NULL},
        {"10.244.1.0/", NULL},
        {"10.244.1.0/33", NULL},
        {"10.244.1.0/ 8", NULL},
        {"10.244.1.0/8x", NULL},
        {"10.244.1/24", NULL},
        {"fd00::/129", NULL},
        {"", NULL},
        {"/8", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct network network;
        char text[NETWORK_TEXT_SIZE];
        int result = network_parse(&network, rows[i].text);
        if ((result == 0) != (rows[i].network != NULL))
            fail_msg("%s: %s", rows[i].text, result == 0 ? "taken" : "refused");
        if (result < 0)
            continue;
        network_print(&network, text);
        assert_string_equal(text, rows[i].network);
    }
}

static void the_file_has_a_range_for_each_family(void **state)
{
    (void)state;
    json_t *node = parse("{\"spec\":{\"podCIDR\":\"10.244.0.0/24\",\"podCIDRs\":[\"10.244.0.0/24\","
                         "\"fd00:10:244::/64\"]}}");
    struct network networks[POD_NETWORKS_MAX];
    size_t count = node_pod_networks(node, networks);
    assert_int_equal(count, 2);
    char *text = conflist_text(networks, count, 1450);
    json_t *got = parse(text);
    json_t *want = parse(
        "{\"cniVersion\":\"0.3.1\",\"name\":\"kind\",\"plugins\":[{\"type\":\"ptp\",\"ipMasq\":"
        "false,\"mtu\":1450,\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"/run/cni-ipam-state\","
        "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}],\"ranges\":[[{\"subnet\":"
        "\"10.244.0.0/24\"}],[{\"subnet\":\"fd00:10:244::/64\"}]]}},{\"type\":\"portmap\","
        "\"capabilities\":{\"portMappings\":true}}]}");
    if (!json_equal(got, want))
        fail_msg("got %s", text);
    json_decref(want);
    json_decref(got);
    free(text);
    json_decref(node);
}

/* Puts values in the place of {{ .Name }}; the result is static. */
static const char *fill(const char *template, const char *hole, const char *value)
{
    static char filled[2][4096];
    static size_t turn;
    const char *at = strstr(template, hole);
    assert_non_null(at);
    char *out = filled[turn++ % 2];
    int size = snprintf(out, sizeof(filled[0]), "%.*s%s%s", (int)(at - template), template, value,
                        at + strlen(hole));
    assert_true(size > 0 && size < (int)sizeof(filled[0]));
    return out;
}

/* manifests/cni.conflist is what a node has before netd runs: netd leaves it as it is. */
static void the_early_file_is_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *node, *ranges, *routes;
    } rows[] = {
        {"{\"spec\":{\"podCIDRs\":[\"10.244.1.0/24\"]}}", "[[{\"subnet\": \"10.244.1.0/24\"}]]",
         "[{\"dst\": \"0.0.0.0/0\"}]"},
        {"{\"spec\":{\"podCIDRs\":[\"fd00:10:244:1::/64\"]}}",
         "[[{\"subnet\": \"fd00:10:244:1::/64\"}]]", "[{\"dst\": \"::/0\"}]"},
        {"{\"spec\":{\"podCIDRs\":[\"10.244.1.0/24\",\"fd00:10:244:1::/64\"]}}",
         "[[{\"subnet\": \"10.244.1.0/24\"}], [{\"subnet\": \"fd00:10:244:1::/64\"}]]",
         "[{\"dst\": \"0.0.0.0/0\"}, {\"dst\": \"::/0\"}]"},
    };
    FILE *file = fopen("manifests/cni.conflist", "r");
    assert_non_null(file);
    char early[2048] = "";
    assert_true(fread(early, 1, sizeof(early) - 1, file) > 0);
    fclose(file);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *filled =
            fill(fill(early, "{{ .Ranges }}", rows[i].ranges), "{{ .Routes }}", rows[i].routes);
        json_t *node = parse(rows[i].node);
        struct network networks[POD_NETWORKS_MAX];
        char *text = conflist_text(networks, node_pod_networks(node, networks), 1500);
        json_t *got = parse(filled), *want = parse(text);
        if (!json_equal(got, want))
            fail_msg("netd writes %s", text);
        json_decref(want);
        json_decref(got);
        free(text);
        json_decref(node);
    }
}

static void the_file_is_written_once(void **state)
{
    (void)state;
    char folder[] = "/tmp/netd_test.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/10-kind.conflist", folder);
    assert_int_equal(conflist_write(folder, "{\"a\": 1, \"b\": []}\n"), 1);
    assert_int_equal(conflist_write(folder, "{\"b\": [], \"a\": 1}\n"), 0);
    assert_int_equal(conflist_write(folder, "{\"a\": 1}\n"), 1);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 9);
    /* Half a file, as a full disk leaves it, is no file. */
    assert_int_equal(truncate(path, 5), 0);
    assert_int_equal(conflist_write(folder, "{\"a\": 1}\n"), 1);
    /* Nothing else is left behind, so the folder can go. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(conflist_write(folder, "one\n"), -1);
}

#define NODE(name, spec, address)                                                                  \
    "\"" name "\":{\"spec\":{" spec "},\"status\":{\"addresses\":[{\"type\":\"Hostname\","         \
    "\"address\":\"" name "\"},{\"type\":\"InternalIP\",\"address\":\"" address "\"}]}}"

static void routes_lead_to_the_others(void **state)
{
    (void)state;
    static struct routes wanted;
    json_t *nodes = parse("{" NODE("own", "\"podCIDR\":\"10.244.0.0/24\"", "172.18.0.2") "," NODE(
        "n1", "\"podCIDRs\":[\"10.244.1.0/24\",\"fd00::/64\"]",
        "172.18.0.3") "," NODE("n2", "", "172.18.0.4") "," NODE("n3", "\"podCIDR\":\"fd00:1::/64\"",
                                                                "fc00::3") "}");
    routes_wanted(&wanted, nodes, "own");
    char text[512] = "";
    for (size_t i = 0; i < wanted.count; i++) {
        char to[NETWORK_TEXT_SIZE], via[INET6_ADDRSTRLEN] = "";
        size_t used = strlen(text);
        network_print(&wanted.items[i].to, to);
        inet_ntop(wanted.items[i].to.family, wanted.items[i].via, via, sizeof(via));
        snprintf(text + used, sizeof(text) - used, "%s via %s\n", to, via);
    }
    assert_string_equal(text, "10.244.1.0/24 via 172.18.0.3\nfd00:1::/64 via fc00::3\n");
    assert_true(routes_have(&wanted, &wanted.items[1]));
    struct route other = wanted.items[1];
    other.via[15]++;
    assert_false(routes_have(&wanted, &other));
    json_decref(nodes);
}

static void rules_have_a_table_for_each_family(void **state)
{
    (void)state;
    struct network pods[3] = {0};
    char text[RULES_TEXT_SIZE];
    rules_text(pods, 0, text);
    assert_string_equal(text, "");
    assert_int_equal(network_parse(&pods[0], "10.244.0.0/16"), 0);
    assert_int_equal(network_parse(&pods[1], "fd00:10:244::/56"), 0);
    assert_int_equal(network_parse(&pods[2], "10.96.0.0/12"), 0);
    rules_text(pods, 3, text);
    assert_string_equal(text, "add table ip kind-masq\n"
                              "delete table ip kind-masq\n"
                              "table ip kind-masq {\n"
                              "    chain postrouting {\n"
                              "        type nat hook postrouting priority 100; policy accept;\n"
                              "        ip saddr { 10.244.0.0/16, 10.96.0.0/12 } ip daddr != "
                              "{ 10.244.0.0/16, 10.96.0.0/12 } masquerade fully-random\n"
                              "    }\n"
                              "}\n"
                              "add table ip6 kind-masq\n"
                              "delete table ip6 kind-masq\n"
                              "table ip6 kind-masq {\n"
                              "    chain postrouting {\n"
                              "        type nat hook postrouting priority 100; policy accept;\n"
                              "        ip6 saddr { fd00:10:244::/56 } ip6 daddr != "
                              "{ fd00:10:244::/56 } masquerade fully-random\n"
                              "    }\n"
                              "}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_parsed),
        cmocka_unit_test(the_file_has_a_range_for_each_family),
        cmocka_unit_test(the_early_file_is_the_same),
        cmocka_unit_test(the_file_is_written_once),
        cmocka_unit_test(routes_lead_to_the_others),
        cmocka_unit_test(rules_have_a_table_for_each_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
