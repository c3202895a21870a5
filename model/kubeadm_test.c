#include "model/kubeadm.h"

#include "base/memory.h"
#include "base/test.h"

/*
 * Golden files are testdata/kubeadm/NAME.yaml. The table below says what each
 * is made of; what is not said is upstream's default for the family.
 */

static const struct pair some_gates[] = {{"AllAlpha", "false"}, {"WatchList", "true"}};
static const struct pair some_runtime[] = {{"api/alpha", "false"}, {"batch/v2alpha1", "true"}};
static const struct pair some_labels[] = {{"disk", "ssd"}, {"tier", "front end"}, {"zone", ""}};

static const struct taint_spec some_taints[] = {{"dedicated", "gpu", "NoSchedule"},
                                                {"spot", "", "NoExecute"}};

/* As users write them: the same for all versions, and one beside another for some of them. */
static const char *const some_patches[] = {
    "kind: ClusterConfiguration\n"
    "metadata:\n"
    "  name: config\n"
    "apiServer:\n"
    "  certSANs: [kind.example, localhost]\n"
    "  extraArgs:\n"
    "    audit-log-path: /var/log/audit.log\n"
    "    runtime-config: api/all=true\n"
    "etcd:\n"
    "  local:\n"
    "    extraArgs:\n"
    "      unsafe-no-fsync: \"true\"\n"
    "---\n"
    "kind: InitConfiguration\n"
    "nodeRegistration:\n"
    "  kubeletExtraArgs:\n"
    "    node-labels: \"ingress-ready=true\"\n"
    "---\n"
    "kind: JoinConfiguration\n"
    "nodeRegistration:\n"
    "  kubeletExtraArgs:\n"
    "    node-labels: \"ingress-ready=true\"\n"
    "    provider-id: null\n",
    "apiVersion: kubeadm.k8s.io/v1beta3\n"
    "kind: ClusterConfiguration\n"
    "controllerManager:\n"
    "  extraArgs:\n"
    "    v: \"3\"\n"
    "---\n"
    "apiVersion: kubeadm.k8s.io/v1beta4\n"
    "kind: ClusterConfiguration\n"
    "controllerManager:\n"
    "  extraArgs:\n"
    "  - name: v\n"
    "    value: \"4\"\n"
    "  - name: enable-hostpath-provisioner\n"
    "    value: null\n",
};

static const struct json6902_spec some_patches_6902[] = {
    {"kubelet.config.k8s.io",
     "v1beta1",
     "KubeletConfiguration",
     "- op: add\n  path: /evictionHard/memory.available\n  value: 100Mi\n"
     "- op: remove\n  path: /imageGCHighThresholdPercent\n",
     {0}},
    {"",
     "",
     "KubeProxyConfiguration",
     "[{\"op\": \"replace\", \"path\": \"/conntrack/maxPerCore\", \"value\": null}]",
     {0}},
};

static const char *const node_patches[] = {
    "kind: JoinConfiguration\n"
    "nodeRegistration:\n"
    "  taints: []\n",
    "kind: KubeletConfiguration\n"
    "maxPods: 20\n",
};

static const struct json6902_spec node_patches_6902[] = {
    {"kubelet.config.k8s.io",
     "v1beta1",
     "KubeletConfiguration",
     "- op: test\n  path: /maxPods\n  value: 20\n- op: copy\n  from: /maxPods\n"
     "  path: /podsPerCore\n",
     {0}},
};

struct config_case {
    const char *name, *version;
    enum ip_family family;
    enum node_role role;
    enum proxy_mode proxy;
    bool options; /* feature gates, runtime configuration, labels */
    bool patches;
    bool rootless, fast_status, ipv6_services_first;
    size_t taint_count, node_count; /* node_count 0 is 1 */
    struct resources_spec resources;
    const char *ca_hash;
};

static struct networking_spec networking_of(const struct config_case *row)
{
    static const char *const pods[] = {"10.244.0.0/16", "fd00:10:244::/56",
                                       "10.244.0.0/16,fd00:10:244::/56"};
    static const char *const services[] = {"10.96.0.0/16", "fd00:10:96::/112",
                                           "10.96.0.0/16,fd00:10:96::/112"};
    return (struct networking_spec){
        .family = row->family,
        .api_server_address = row->family == IP_FAMILY_IPV6 ? "::1" : "127.0.0.1",
        .pod_subnet = pods[row->family],
        .service_subnet =
            row->ipv6_services_first ? "fd00:10:96::/112,10.96.0.0/16" : services[row->family],
        .proxy_mode = row->proxy,
    };
}

static int configure(const struct config_case *row, struct text *text, struct text *unmatched,
                     struct error **err)
{
    bool worker = row->role == NODE_WORKER;
    struct node_spec node = {.role = row->role,
                             .name = worker ? "lab-worker" : "lab-control-plane",
                             .taints = some_taints,
                             .taint_count = row->taint_count,
                             .resources = row->resources};
    struct cluster_spec spec = {.name = "lab",
                                .nodes = &node,
                                .node_count = row->node_count ? row->node_count : 1,
                                .networking = networking_of(row)};
    if (row->options) {
        node.labels = (struct pair_list){some_labels, COUNT_OF(some_labels)};
        spec.feature_gates = (struct pair_list){some_gates, COUNT_OF(some_gates)};
        spec.runtime_config = (struct pair_list){some_runtime, COUNT_OF(some_runtime)};
    }
    if (row->patches) {
        spec.kubeadm_patches = (struct string_list){some_patches, COUNT_OF(some_patches)};
        spec.kubeadm_patches_6902 =
            (struct json6902_list){some_patches_6902, COUNT_OF(some_patches_6902)};
        node.kubeadm_patches = (struct string_list){node_patches, COUNT_OF(node_patches)};
        node.kubeadm_patches_6902 =
            (struct json6902_list){node_patches_6902, COUNT_OF(node_patches_6902)};
    }
    struct kubeadm_input input = {
        .spec = &spec,
        .node = &node,
        .kubernetes_version = row->version,
        .endpoint = "lab-control-plane:6443",
        .ipv4 = row->family == IP_FAMILY_IPV6 ? NULL : "172.18.0.2",
        .ipv6 = row->family == IP_FAMILY_IPV4 ? NULL : "fc00:f853:ccd:e793::2",
        .provider = "docker",
        .token = "abcdef.0123456789abcdef",
        .ca_hash = row->ca_hash,
        .host_memory_bytes = INT64_C(8) << 30,
        .host_cpu_milli = 4000,
        .rootless = row->rootless,
        .fast_status = row->fast_status,
    };
    return kubeadm_config(&input, text, unmatched, err);
}

static void check_golden(const struct config_case *row)
{
    test_row(row->name);
    cleanup_text struct text text, unmatched;
    text_init(&text, 0);
    text_init(&unmatched, 0);
    cleanup_error struct error *err = NULL;
    int status = configure(row, &text, &unmatched, &err);
    if (err)
        print_error("%s: %s\n", row->name, err->message);
    assert_int_equal(status, 0);
    cleanup_free char *path = memory_format("model/testdata/kubeadm/%s.yaml", row->name);
    test_golden(text.data, path);
    assert_null(strstr(text.data, "metadata"));
    test_equal(unmatched.data, "");
}

static const char *const versions[] = {"v1.20.2", "v1.23.0", "v1.30.0", "v1.34.0", "v1.36.0"};

static void check_families_and_roles(const char *version, bool patches)
{
    for (int family = IP_FAMILY_IPV4; family <= IP_FAMILY_DUAL; family++)
        for (int role = NODE_CONTROL_PLANE; role <= NODE_WORKER; role++) {
            cleanup_free char *name =
                memory_format("%s-%s-%s%s", version, ip_family_name((enum ip_family)family),
                              node_role_name((enum node_role)role), patches ? "-patched" : "");
            struct config_case row = {.name = name,
                                      .version = version,
                                      .family = (enum ip_family)family,
                                      .role = (enum node_role)role,
                                      .patches = patches};
            check_golden(&row);
        }
}

/* Every version at which something changes, each family, both roles. */
static void versions_and_families(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++)
        check_families_and_roles(versions[v], false);
}

/* The same patches everywhere. */
static void patched(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++)
        check_families_and_roles(versions[v], true);
}

static void unmatched_patches(void **state)
{
    (void)state;
    struct config_case row = {.version = "v1.20.2", .proxy = PROXY_NONE, .patches = true};
    cleanup_text struct text text, unmatched;
    text_init(&text, 0);
    text_init(&unmatched, 0);
    cleanup_error struct error *err = NULL;
    assert_int_equal(configure(&row, &text, &unmatched, &err), 0);
    test_equal(unmatched.data,
               "kubeadmConfigPatchesJSON6902[1] has no effect: it is for KubeProxyConfiguration; "
               "there are ClusterConfiguration, InitConfiguration, JoinConfiguration "
               "(kubeadm.k8s.io/v1beta2), KubeletConfiguration (kubelet.config.k8s.io/v1beta1)\n");
}

static void options_and_modes(void **state)
{
    (void)state;
    static const struct config_case rows[] = {
        {.name = "v1.20.2-options", .version = "v1.20.2", .options = true},
        {.name = "v1.30.0-options", .version = "v1.30.0", .options = true},
        {.name = "v1.36.0-options", .version = "v1.36.0", .options = true},
        {.name = "v1.36.0-options-ipv6",
         .version = "v1.36.0",
         .options = true,
         .family = IP_FAMILY_IPV6,
         .role = NODE_WORKER},
        {.name = "v1.30.0-ipv6-first",
         .version = "v1.30.0",
         .family = IP_FAMILY_DUAL,
         .ipv6_services_first = true},
        {.name = "v1.20.2-proxy-none", .version = "v1.20.2", .proxy = PROXY_NONE},
        {.name = "v1.30.0-proxy-none", .version = "v1.30.0", .proxy = PROXY_NONE},
        {.name = "v1.30.0-proxy-ipvs", .version = "v1.30.0", .proxy = PROXY_IPVS},
        {.name = "v1.34.0-proxy-nftables", .version = "v1.34.0", .proxy = PROXY_NFTABLES},
        {.name = "v1.34.0-rootless", .version = "v1.34.0", .rootless = true},
        {.name = "v1.34.0-rootless-nftables",
         .version = "v1.34.0",
         .rootless = true,
         .proxy = PROXY_NFTABLES,
         .options = true},
        {.name = "v1.22.0-rootless", .version = "v1.22.0", .rootless = true, .options = true},
        {.name = "v1.34.0-fast-status", .version = "v1.34.0", .fast_status = true},
        {.name = "v1.36.0-alpha.0", .version = "v1.36.0-alpha.0"},
        {.name = "v1.36.0-proxy-none", .version = "v1.36.0", .proxy = PROXY_NONE},
        {.name = "v1.36.0-proxy-nftables", .version = "v1.36.0", .proxy = PROXY_NFTABLES},
        {.name = "v1.23.0-taints-lone", .version = "v1.23.0", .taint_count = 2},
        {.name = "v1.23.0-taints", .version = "v1.23.0", .taint_count = 1, .node_count = 2},
        {.name = "v1.24.0-taints", .version = "v1.24.0", .taint_count = 1, .node_count = 2},
        {.name = "v1.34.0-taints", .version = "v1.34.0", .taint_count = 2, .node_count = 3},
        {.name = "v1.34.0-taints-worker",
         .version = "v1.34.0",
         .role = NODE_WORKER,
         .taint_count = 2,
         .node_count = 3},
        {.name = "v1.34.0-resources",
         .version = "v1.34.0",
         .resources = {.memory_bytes = (INT64_C(2) << 30) + 1, .cpu_milli = 1500}},
        {.name = "v1.36.0-resources",
         .version = "v1.36.0",
         .role = NODE_WORKER,
         .resources = {.memory_bytes = INT64_C(8) << 30, .cpu_milli = 500}},
        {.name = "v1.30.0-ca-hash",
         .version = "v1.30.0",
         .role = NODE_WORKER,
         .ca_hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_golden(&rows[i]);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        struct config_case config;
        const char *message;
    } rows[] = {
        {{.name = "no version", .version = "latest"},
         "\"latest\" is not a Kubernetes version, such as \"v1.30.0\""},
        {{.name = "too old", .version = "v1.21.9", .rootless = true},
         "Kubernetes v1.21.9 cannot run on a rootless engine; 1.22.0 and later can"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].config.name);
        cleanup_text struct text text;
        text_init(&text, 0);
        cleanup_error struct error *err = NULL;
        assert_int_equal(configure(&rows[i].config, &text, NULL, &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
        test_equal(err->message, rows[i].message);
        test_equal(text.data, "");
    }
}

static void missing_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum ip_family family;
        const char *ipv4, *ipv6, *message;
    } rows[] = {
        {"ipv4", IP_FAMILY_IPV4, NULL, "fc00::2",
         "node n has no IPv4 address: does the engine's network support IPv4?"},
        {"ipv6", IP_FAMILY_IPV6, "10.0.0.2", "",
         "node n has no IPv6 address: does the engine's network support IPv6?"},
        {"dual", IP_FAMILY_DUAL, "10.0.0.2", NULL,
         "node n has no IPv6 address: does the engine's network support IPv6?"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct config_case row = {.family = rows[i].family};
        struct node_spec node = {.name = "n"};
        struct cluster_spec spec = {.name = "lab", .networking = networking_of(&row)};
        struct kubeadm_input input = {.spec = &spec,
                                      .node = &node,
                                      .kubernetes_version = "v1.30.0",
                                      .ipv4 = rows[i].ipv4,
                                      .ipv6 = rows[i].ipv6};
        cleanup_text struct text text;
        text_init(&text, 0);
        cleanup_error struct error *err = NULL;
        assert_int_equal(kubeadm_config(&input, &text, NULL, &err), -1);
        test_equal(err->message, rows[i].message);
    }
}

static void traits_of_versions(void **state)
{
    (void)state;
    static const char *const old_label = "node-role.kubernetes.io/master";
    static const char *const new_label = "node-role.kubernetes.io/control-plane";
    static const struct {
        const char *version, *api_version;
        bool skip_phases_by_flag, cgroupfs, taint_master, taint_control_plane, old_label;
    } rows[] = {
        {"v1.20.2", "v1beta2", true, true, true, false, true},
        {"v1.22.17", "v1beta2", true, true, true, false, true},
        {"v1.23.0-alpha.0", "v1beta3", false, true, true, false, true},
        {"v1.23.17", "v1beta3", false, true, true, false, true},
        {"v1.24.0-alpha.1.590", "v1beta3", false, false, true, false, true},
        {"v1.24.0-alpha.1.591", "v1beta3", false, false, true, false, false},
        {"v1.24.0-alpha.1.592", "v1beta3", false, false, true, true, false},
        {"v1.24.17", "v1beta3", false, false, true, true, false},
        {"v1.25.0-alpha.0.556", "v1beta3", false, false, true, true, false},
        {"v1.25.0-alpha.0.557+38d5a5cd", "v1beta3", false, false, false, true, false},
        {"v1.35.9", "v1beta3", false, false, false, true, false},
        {"v1.36.0-alpha.0", "v1beta4", false, false, false, true, false},
        {"v1.37.0-rc.1", "v1beta4", false, false, false, true, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].version);
        struct kubeadm_traits traits;
        cleanup_error struct error *err = NULL;
        assert_int_equal(kubeadm_traits(rows[i].version, &traits, &err), 0);
        cleanup_free char *api_version = memory_format("kubeadm.k8s.io/%s", rows[i].api_version);
        test_equal(traits.api_version, api_version);
        assert_int_equal(traits.skip_phases_by_flag, rows[i].skip_phases_by_flag);
        assert_int_equal(traits.cgroupfs, rows[i].cgroupfs);
        assert_int_equal(traits.taint_master, rows[i].taint_master);
        assert_int_equal(traits.taint_control_plane, rows[i].taint_control_plane);
        test_equal(traits.ready_label, rows[i].old_label ? old_label : new_label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_and_families),
        cmocka_unit_test(options_and_modes),
        cmocka_unit_test(patched),
        cmocka_unit_test(unmatched_patches),
        cmocka_unit_test(refusals),
        cmocka_unit_test(missing_addresses),
        cmocka_unit_test(traits_of_versions),
    };
    return cmocka_run_group_tests_name("kubeadm", tests, NULL, NULL);
}
