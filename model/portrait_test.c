#include "model/portrait.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "model/facet.h"
#include "model/load.h"
#include <string.h>

static const char configuration[] = "apiVersion: kubeadm.k8s.io/v1beta2\n"
                                    "kind: ClusterConfiguration\n"
                                    "networking: {podSubnet: %s, serviceSubnet: %s}\n"
                                    "---\n"
                                    "kind: InitConfiguration\n";

static const struct cluster_spec *read_spec(struct arena *arena, const char *fields)
{
    const char *yaml = arena_format(
        arena, "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: a\n%s", fields);
    const struct load_text text = {.file = "a.yaml", .bytes = yaml, .length = strlen(yaml)};
    const struct load_options options = {.base_folder = "/"};
    struct fleet_spec *fleet = arena_alloc(arena, sizeof(*fleet));
    struct problem_list problems;
    problem_list_init(&problems, arena);
    assert_int_equal(load_fleet(&text, 1, &options, fleet, &problems), 0);
    return &fleet->clusters[0];
}

/* The facets in which the portrait differs from what is wanted: "path want -> have", a line each.
 */
static char *differences(struct arena *arena, const struct cluster_spec *want,
                         const struct portrait *portrait)
{
    struct facet_list left, right;
    struct text text;
    text_init(&text, 0);
    spec_facets(arena, want, &left);
    spec_facets(arena, &portrait->spec, &right);
    for (size_t i = 0, j = 0; i < left.count || j < right.count;) {
        int order = i == left.count    ? 1
                    : j == right.count ? -1
                                       : strcmp(left.items[i].path, right.items[j].path);
        const char *wanted = order <= 0 ? left.items[i].value : "none";
        const char *seen = order >= 0 ? right.items[j].value : "none";
        if (strcmp(wanted, seen) != 0)
            text_add_format(&text, "%s %s -> %s\n",
                            order <= 0 ? left.items[i].path : right.items[j].path, wanted, seen);
        i += order <= 0;
        j += order >= 0;
    }
    return text_take(&text);
}

static void containers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec, *node, *inspected, *want;
    } rows[] = {
        {"as it is wanted",
         "nodes: [{role: control-plane, image: i, extraMounts: [{hostPath: /h, containerPath: /c, "
         "readOnly: true}], extraPortMappings: [{containerPort: 80, hostPort: 8080, protocol: "
         "udp}, {containerPort: 81}]}]",
         "a-control-plane",
         "{\"Config\":{\"Image\":\"i\"},\"HostConfig\":{\"Binds\":[\"/lib/modules:/lib/"
         "modules:ro\","
         "\"/h:/c:ro\"],\"PortBindings\":{\"81/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":"
         "\"32000\"}],\"80/udp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"}],\"6443/tcp\":[{"
         "\"HostIp\":\"127.0.0.1\",\"HostPort\":\"40000\"}]}}}",
         ""},
        {"other settings",
         "nodes: [{role: control-plane, image: i, extraMounts: [{hostPath: /h, containerPath: "
         "/c}], "
         "extraPortMappings: [{containerPort: 80, hostPort: 8080}]}]",
         "a-control-plane",
         "{\"Config\":{\"Image\":\"j\"},\"HostConfig\":{\"Binds\":[\"/h:/c:ro,Z,rslave\",\"vol:/"
         "v\"],"
         "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}],"
         "\"6443/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"40000\"}]}}}",
         "nodes[a-control-plane].apiServerAddress 127.0.0.1 -> 0.0.0.0\n"
         "nodes[a-control-plane].extraMounts[0] /h:/c -> /h:/c:ro,relabel,HostToContainer\n"
         "nodes[a-control-plane].extraPortMappings[0] 0.0.0.0:8080:80/TCP -> "
         "127.0.0.1:8080:80/TCP\n"
         "nodes[a-control-plane].image i -> j\n"},
        {"what is not there, and what nobody named",
         "networking: {apiServerPort: 6000}\nnodes: [{role: control-plane, extraMounts: "
         "[{hostPath: /h, containerPath: /c}, {hostPath: /i, containerPath: /d}]}]",
         "a-control-plane",
         "{\"Config\":{\"Image\":\"j\"},\"HostConfig\":{\"Binds\":[\"/x:/y:rshared\",\"/i:/d\"],"
         "\"PortBindings\":{\"6443/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"40000\"}],"
         "\"90/sctp\":[{\"HostIp\":\"\",\"HostPort\":\"9\"}]}}}",
         "nodes[a-control-plane].apiServerPort 6000 -> 40000\n"
         "nodes[a-control-plane].extraMounts[0] /h:/c -> /i:/d\n"
         "nodes[a-control-plane].extraMounts[1] /i:/d -> /x:/y:Bidirectional\n"
         "nodes[a-control-plane].extraPortMappings[0] none -> 0.0.0.0:9:90/SCTP\n"},
        {"behind a load balancer a control plane publishes for itself",
         "nodes: [{role: control-plane}, {role: control-plane}]", "a-control-plane2",
         "{\"HostConfig\":{\"PortBindings\":{\"6443/tcp\":[{\"HostIp\":\"::1\",\"HostPort\":"
         "\"40000\"}]}}}",
         ""},
        {"which publishes for users", "nodes: [{role: control-plane}, {role: control-plane}]",
         "a-external-load-balancer",
         "{\"HostConfig\":{\"PortBindings\":{\"6443/tcp\":[{\"HostIp\":\"::1\",\"HostPort\":"
         "\"40000\"}]}}}",
         "nodes[a-external-load-balancer].apiServerAddress 127.0.0.1 -> ::1\n"},
        {"nobody's", "nodes: [{role: control-plane}]", "a-worker",
         "{\"HostConfig\":{\"Binds\":[\"/h:/c\"]}}", ""},
        {"odd answers", "nodes: [{role: control-plane}]", "a-control-plane",
         "{\"HostConfig\":{\"Binds\":[7,\"\",\"/h\",\"/h:/c:\"],\"PortBindings\":{\"80\":[{}]}}}",
         "nodes[a-control-plane].extraMounts[0] none -> /h:/c\n"
         "nodes[a-control-plane].extraPortMappings[0] none -> 0.0.0.0:0:80/TCP\n"},
        {"what changes in place it has yet to get",
         "nodes: [{role: control-plane, labels: {a: b}}]", "a-control-plane", "{}",
         "nodes[a-control-plane].labels[a] b -> none\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        test_row(rows[i].name);
        const struct cluster_spec *want = read_spec(arena, rows[i].spec);
        struct portrait portrait;
        portrait_init(arena, want, &portrait);
        json_t *inspected = json_loads(rows[i].inspected, 0, NULL);
        assert_non_null(inspected);
        portrait_add_container(arena, &portrait, rows[i].node, inspected);
        json_decref(inspected);
        cleanup_free char *got = differences(arena, want, &portrait);
        test_equal(got, rows[i].want);
    }
}

static void configurations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec, *pods, *services, *more, *want;
    } rows[] = {
        {"as it is wanted", "", "10.244.0.0/16", "10.96.0.0/16",
         "---\nkind: KubeProxyConfiguration\nmode: iptables\n", ""},
        {"others", "", "10.8.0.0/16", "10.97.0.0/16",
         "---\nkind: KubeProxyConfiguration\nmode: ipvs\n",
         "networking.kubeProxyMode iptables -> ipvs\n"
         "networking.podSubnet 10.244.0.0/16 -> 10.8.0.0/16\n"
         "networking.serviceSubnet 10.96.0.0/16 -> 10.97.0.0/16\n"},
        {"no kube-proxy, both families", "", "\"10.244.0.0/16,fd00::/56\"",
         "\"10.96.0.0/16,fd01::/112\"", "",
         "networking.ipFamily ipv4 -> dual\n"
         "networking.kubeProxyMode iptables -> none\n"
         "networking.podSubnet 10.244.0.0/16 -> 10.244.0.0/16,fd00::/56\n"
         "networking.serviceSubnet 10.96.0.0/16 -> 10.96.0.0/16,fd01::/112\n"},
        {"IPv6, kube-proxy's own mode", "", "\"fd00::/56\"", "\"fd01::/112\"",
         "---\nkind: KubeProxyConfiguration\nmode: \"\"\n",
         "networking.ipFamily ipv4 -> ipv6\n"
         "networking.podSubnet 10.244.0.0/16 -> fd00::/56\n"
         "networking.serviceSubnet 10.96.0.0/16 -> fd01::/112\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        test_row(rows[i].name);
        const struct cluster_spec *want = read_spec(arena, rows[i].spec);
        struct portrait portrait;
        portrait_init(arena, want, &portrait);
        cleanup_text struct text text;
        text_init(&text, 0);
        text_add_format(&text, configuration, rows[i].pods, rows[i].services);
        text_add(&text, rows[i].more);
        cleanup_error struct error *err = NULL;
        int result = portrait_add_configuration(arena, &portrait, text.data, text.length, &err);
        test_equal(err ? err->message : NULL, NULL);
        assert_int_equal(result, 0);
        cleanup_free char *got = differences(arena, want, &portrait);
        test_equal(got, rows[i].want);
    }
}

static void other_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "a: [",
                                        "kind: ClusterConfiguration\n",
                                        "kind: Other\nnetworking: {}\n",
                                        "[1]\n",
                                        "kind: ClusterConfiguration\nnetworking: none\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        cleanup_arena struct arena *arena = arena_new();
        test_row(texts[i]);
        struct portrait portrait;
        portrait_init(arena, read_spec(arena, ""), &portrait);
        cleanup_error struct error *err = NULL;
        assert_int_equal(
            portrait_add_configuration(arena, &portrait, texts[i], strlen(texts[i]), &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(containers),
                                       cmocka_unit_test(configurations),
                                       cmocka_unit_test(other_texts)};
    return cmocka_run_group_tests_name("portrait", tests, NULL, NULL);
}
