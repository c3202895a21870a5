#include "model/load.h"

#include "base/memory.h"
#include "base/test.h"
#include "model/spec_print.h"

#define HEADER "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"

static const struct load_options plain_options = {.base_folder = "/base"};

/* The problems, and the fleet if it could be loaded. Heap. */
static char *load(const struct load_text *texts, size_t count, const struct load_options *options,
                  bool with_fleet)
{
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    struct fleet_spec fleet;
    struct text text;
    text_init(&text, 0);
    problem_list_init(&problems, arena);
    int result = load_fleet(texts, count, options, &fleet, &problems);
    assert_int_equal(result, problems.errors ? -1 : 0);
    problem_list_print(&problems, &text);
    if (!result && with_fleet)
        fleet_spec_print(&fleet, &text);
    return text_take(&text);
}

static char *load_one(const char *file, const char *yaml, bool with_fleet)
{
    const struct load_text text = {file, yaml, strlen(yaml)};
    return load(&text, 1, &plain_options, with_fleet);
}

/* Whole texts, and what is said of them. */
static void headers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml, *want;
    } rows[] = {
        {"empty", "",
         "f: error: holds no document; a cluster begins with apiVersion: "
         "kind.x-k8s.io/v1alpha4 and kind: Cluster (--allow-empty: no cluster is wanted)\n"},
        {"only comments", "# nothing\n---\n# here\n",
         "f: error: holds no document; a cluster begins with apiVersion: "
         "kind.x-k8s.io/v1alpha4 and kind: Cluster (--allow-empty: no cluster is wanted)\n"},
        {"whole", HEADER, ""},
        {"empty documents", "---\n---\n" HEADER "---\n", ""},
        {"json", "{\"kind\": \"Cluster\", \"apiVersion\": \"kind.x-k8s.io/v1alpha4\"}", ""},
        {"byte order mark, CRLF",
         "\xEF\xBB\xBF"
         "apiVersion: kind.x-k8s.io/v1alpha4\r\nkind: Cluster\r\n",
         ""},
        {"no apiVersion", "kind: Cluster\n",
         "f:1:1: error: apiVersion: is missing; a cluster has apiVersion: "
         "kind.x-k8s.io/v1alpha4\n"},
        {"no kind", "apiVersion: kind.x-k8s.io/v1alpha4\n",
         "f:1:1: error: kind: is missing; a cluster has kind: Cluster\n"},
        {"neither", "name: x\n",
         "f:1:1: error: apiVersion: is missing; a cluster has apiVersion: "
         "kind.x-k8s.io/v1alpha4\n"
         "f:1:1: error: kind: is missing; a cluster has kind: Cluster\n"},
        {"null kind", "apiVersion: kind.x-k8s.io/v1alpha4\nkind:\n",
         "f:2:6: error: kind: is missing; a cluster has kind: Cluster\n"},
        {"kind in lower case", "apiVersion: kind.x-k8s.io/v1alpha4\nkind: cluster\n",
         "f:2:7: error: kind: \"cluster\" is not a kind of kind.x-k8s.io/v1alpha4, which has "
         "Cluster\n"},
        {"kind that is a list", "apiVersion: kind.x-k8s.io/v1alpha4\nkind: [Cluster]\n",
         "f:2:7: error: kind: expected a string, found a list\n"},
        {"mistyped version", "apiVersion: kind.x-k8s.io/v1alpha5\nkind: Cluster\n",
         "f:1:13: error: apiVersion: \"kind.x-k8s.io/v1alpha5\" is not known; did you mean "
         "\"kind.x-k8s.io/v1alpha4\"?\n"},
        {"foreign version", "apiVersion: v1\nkind: Pod\n",
         "f:1:13: error: apiVersion: \"v1\" is not known; clusters are "
         "\"kind.x-k8s.io/v1alpha4\"\n"},
        {"old format", "kind: Cluster\napiVersion: kind.sigs.k8s.io/v1alpha3\n",
         "f:2:13: warning: apiVersion: \"kind.sigs.k8s.io/v1alpha3\" is an old format; write "
         "apiVersion: kind.x-k8s.io/v1alpha4 instead (write kubeadmConfigPatchesJson6902 as "
         "kubeadmConfigPatchesJSON6902, without name and namespace)\n"},
        {"older format", "kind: Config\napiVersion: kind.sigs.k8s.io/v1alpha1\n",
         "f:2:13: warning: apiVersion: \"kind.sigs.k8s.io/v1alpha1\" is an old format; write "
         "apiVersion: kind.x-k8s.io/v1alpha4 instead (write kind: Cluster, and image and patches "
         "of the only node below nodes)\n"},
        {"older format never had it", "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha2\n",
         "f:2:13: error: apiVersion: \"kind.x-k8s.io/v1alpha2\" is not known; did you mean "
         "\"kind.x-k8s.io/v1alpha4\"?\n"},
        {"empty fleet", "kind: Fleet\napiVersion: fleet.kind/v1alpha1\n", ""},
        {"registry", "kind: Registry\napiVersion: fleet.kind/v1alpha1\n",
         "f:2:13: error: apiVersion: fleet.kind/v1alpha1 Registry is not supported yet; "
         "write clusters as kind.x-k8s.io/v1alpha4\n"},
        {"no fleet kind", "kind: Fleets\napiVersion: fleet.kind/v1alpha1\n",
         "f:1:7: error: kind: \"Fleets\" is not a kind of fleet.kind/v1alpha1, which has Cluster, "
         "Registry, Fleet or Policy\n"},
        {"list", "- a\n",
         "f:1:1: error: expected a mapping with apiVersion and kind, found a list\n"},
        {"word", "hello\n",
         "f:1:1: error: expected a mapping with apiVersion and kind, found a single value\n"},
        {"duplicate field", HEADER "name: a\nname: b\n",
         "f:4:1: error: duplicate key \"name\": it already stands at f:3:1\n"},
        {"extension key", HEADER "x-mine: 1\n",
         "f:3:1: error: unknown field \"x-mine\"; known here: apiVersion, kind, name, nodes, "
         "networking, featureGates, runtimeConfig, kubeadmConfigPatches, "
         "kubeadmConfigPatchesJSON6902, containerdConfigPatches or "
         "containerdConfigPatchesJSON6902\n"},
        {"what was read before a syntax error is checked too", HEADER "nam: x\n---\n[\n",
         "f:3:1: error: unknown field \"nam\"; did you mean \"name\"?\n"
         "f:6:1: error: not valid YAML: did not find expected node content\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *got = load_one("f", rows[i].yaml, false);
        test_equal(got, rows[i].want);
    }
}

/* The rest of a cluster, and what is said of it; places are those after the header. */
static void fields(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml, *want;
    } rows[] = {
        {"name by number", "name: 123", ""},
        {"name by boolean", "name: true", ""},
        {"name null", "name: ~", ""},
        {"name map", "name: {}", "f:3:7: error: name: expected a string, found a mapping\n"},
        {"name capitals", "name: DevBox",
         "f:3:7: error: name: \"DevBox\" may hold only a to z, 0 to 9, '.' and '-'; try "
         "\"devbox\"\n"},
        {"name blanks", "name: ' my  box_1! '",
         "f:3:7: error: name: \" my  box_1! \" may hold only a to z, 0 to 9, '.' and '-'; try "
         "\"my-box-1\"\n"},
        {"name of nothing allowed", "name: '___'",
         "f:3:7: error: name: \"___\" may hold only a to z, 0 to 9, '.' and '-'\n"},
        {"name 50", "name: a123456789b123456789c123456789d123456789e123456789", ""},
        {"name 51", "name: a123456789b123456789c123456789d123456789e123456789f",
         "f:3:7: warning: name: 51 characters may be too long: nodes are named after it, and a "
         "host name ends at 63; stay within 50\n"},
        {"name with a dash first", "name: -a",
         "f:3:7: warning: name: \"-a\" should begin with a letter or digit: engines refuse "
         "containers named otherwise\n"},
        {"foreign tag", "name: !x y", ""},
        {"binary", "name: !!binary eA==",
         "f:3:7: error: name: the tag !!binary is not supported; write the text itself\n"},
        {"nodes null items", "nodes: [null, {role: control-plane}, ~]", ""},
        {"nodes empty", "nodes: []", ""},
        {"nodes word", "nodes: two",
         "f:3:8: error: nodes: expected a list, found the string \"two\"\n"},
        {"node number", "nodes: [1]",
         "f:3:9: error: nodes[0]: expected a mapping, found the number \"1\"\n"},
        {"role", "nodes: [{role: master}]",
         "f:3:16: error: nodes[0].role: \"master\" is not known; it may be control-plane or "
         "worker\n"},
        {"role mistyped", "nodes: [{role: controlplane}]",
         "f:3:16: error: nodes[0].role: \"controlplane\" is not known; did you mean "
         "\"control-plane\"? It may be control-plane or worker\n"},
        {"role empty", "nodes: [{role: ''}]", ""},
        {"no control plane", "nodes: [{role: worker}]",
         "f:3:8: error: nodes: no node is a control plane; add one with role: control-plane\n"},
        {"unknown in a node", "nodes: [{rol: worker}]",
         "f:3:10: error: nodes[0]: unknown field \"rol\"; did you mean \"role\"?\n"},
        {"item index counts nulls", "nodes: [~, {images: x}]",
         "f:3:13: error: nodes[1]: unknown field \"images\"; did you mean \"image\"?\n"},
        {"labels", "nodes: [{labels: {a: 1, b: true, c: ~}}]", ""},
        {"labels list", "nodes: [{labels: {a: [1], b/c: {}}}]",
         "f:3:22: error: nodes[0].labels.a: expected a string, found a list\n"
         "f:3:32: error: nodes[0].labels[\"b/c\"]: expected a string, found a mapping\n"},
        {"mount case", "nodes: [{extraMounts: [{hostpath: /a, hostPath: /b, containerPath: /c}]}]",
         "f:3:25: error: nodes[0].extraMounts[0]: unknown field \"hostpath\"; did you mean "
         "\"hostPath\"?\n"},
        {"mount without a host path", "nodes: [{extraMounts: [{containerPath: /c}]}]",
         "f:3:24: warning: nodes[0].extraMounts[0].hostPath: is not given, so all of /base is "
         "mounted\n"},
        {"mount at home", "nodes: [{extraMounts: [{hostPath: ~/x, containerPath: /c}]}]",
         "f:3:35: warning: nodes[0].extraMounts[0].hostPath: '~' is not expanded; this means "
         "\"/base/~/x\"\n"},
        {"mount nowhere", "nodes: [{extraMounts: [{hostPath: /x}]}]",
         "f:3:24: warning: nodes[0].extraMounts[0].containerPath: should be an absolute path: "
         "engines refuse others\n"},
        {"mount booleans",
         "nodes: [{extraMounts: [{hostPath: /x, containerPath: /c, readOnly: 'yes', "
         "selinuxRelabel: Off}]}]",
         ""},
        {"mount quoted true",
         "nodes: [{extraMounts: [{hostPath: /x, containerPath: /c, readOnly: 'true'}]}]",
         "f:3:68: error: nodes[0].extraMounts[0].readOnly: expected true or false, found the "
         "quoted string \"true\"; write it without quotes\n"},
        {"mount one", "nodes: [{extraMounts: [{hostPath: /x, containerPath: /c, readOnly: 1}]}]",
         "f:3:68: error: nodes[0].extraMounts[0].readOnly: expected true or false, found the "
         "number \"1\"\n"},
        {"propagation case",
         "nodes: [{extraMounts: [{hostPath: /x, containerPath: /c, propagation: none}]}]",
         "f:3:71: error: nodes[0].extraMounts[0].propagation: \"none\" is not known; did you mean "
         "\"None\"? It may be None, HostToContainer or Bidirectional\n"},
        {"ports",
         "nodes: [{extraPortMappings: [{containerPort: 0x50, hostPort: 8_080}, {containerPort: "
         "80.9, hostPort: -1, protocol: udp}, {containerPort: 1, hostPort: 0}]}]",
         ""},
        {"port that is none", "nodes: [{extraPortMappings: [80]}]",
         "f:3:30: error: nodes[0].extraPortMappings[0]: expected a mapping, found the number "
         "\"80\"\n"},
        {"port protocol", "nodes: [{extraPortMappings: [{containerPort: 80, protocol: http}]}]",
         "f:3:60: error: nodes[0].extraPortMappings[0].protocol: \"http\" is not known; it may be "
         "TCP, UDP or SCTP\n"},
        {"port quoted", "nodes: [{extraPortMappings: [{containerPort: '80'}]}]",
         "f:3:46: error: nodes[0].extraPortMappings[0].containerPort: expected a whole number, "
         "found the quoted string \"80\"; write it without quotes\n"},
        {"port too large", "nodes: [{extraPortMappings: [{containerPort: 65536, hostPort: -2}]}]",
         "f:3:46: error: nodes[0].extraPortMappings[0].containerPort: 65536 is not a port; use 1 "
         "to 65535\n"
         "f:3:63: error: nodes[0].extraPortMappings[0].hostPort: -2 is not a port; use 1 to 65535, "
         "0 (kind picks a free one) or -1 (the engine picks one at each start)\n"},
        {"port beyond 32 bits", "nodes: [{extraPortMappings: [{containerPort: 5000000000}]}]",
         "f:3:46: error: nodes[0].extraPortMappings[0].containerPort: expected a whole number of "
         "32 bits, found the number \"5000000000\"\n"},
        {"listen address",
         "nodes: [{extraPortMappings: [{containerPort: 1, hostPort: 1, listenAddress: "
         "localhost}]}]",
         "f:3:77: error: nodes[0].extraPortMappings[0].listenAddress: \"localhost\" is not an IP "
         "address\n"},
        {"apiServerPort", "networking: {apiServerPort: 65536}",
         "f:3:29: error: networking.apiServerPort: 65536 is not a port; use 1 to 65535, 0 (kind "
         "picks a free one) or -1 (the engine picks one at each start)\n"},
        {"apiServerPort quoted", "networking: {apiServerPort: '6443'}",
         "f:3:29: error: networking.apiServerPort: expected a whole number, found the quoted "
         "string \"6443\"; write it without quotes\n"},
        {"apiServerPort picked", "networking: {apiServerPort: -1}", ""},
        {"apiServerAddress is not judged", "networking: {apiServerAddress: anything}", ""},
        {"ipFamily", "networking: {ipFamily: IPv4}",
         "f:3:24: error: networking.ipFamily: \"IPv4\" is not known; did you mean \"ipv4\"? It "
         "may be ipv4, ipv6 or dual\n"},
        {"ipFamily unknown, so subnets are not judged",
         "networking: {ipFamily: both, podSubnet: 'fd00::/64'}",
         "f:3:24: error: networking.ipFamily: \"both\" is not known; it may be ipv4, ipv6 or "
         "dual\n"},
        {"kubeProxyMode", "networking: {kubeProxyMode: iptable}",
         "f:3:29: error: networking.kubeProxyMode: \"iptable\" is not known; did you mean "
         "\"iptables\"? It may be iptables, ipvs, nftables or none\n"},
        {"kubeProxyMode none", "networking: {kubeProxyMode: none}", ""},
        {"dnsSearch word", "networking: {dnsSearch: a.b}",
         "f:3:25: error: networking.dnsSearch: expected a list of strings, found the string "
         "\"a.b\"\n"},
        {"networking list", "networking: []",
         "f:3:13: error: networking: expected a mapping, found a list\n"},
        {"networking null", "networking:", ""},
        {"featureGates", "featureGates: {A: true, B: 'no', C: ~}", ""},
        {"featureGates quoted", "featureGates: {A: 'false'}",
         "f:3:19: error: featureGates.A: expected true or false, found the quoted string "
         "\"false\"; write it without quotes\n"},
        {"featureGates word", "featureGates: {A: maybe}",
         "f:3:19: error: featureGates.A: expected true or false, found the string \"maybe\"\n"},
        {"runtimeConfig", "runtimeConfig: {api/all: false, x: 1.50}", ""},
        {"patches map", "kubeadmConfigPatches: {}",
         "f:3:23: error: kubeadmConfigPatches: expected a list of strings, found a mapping\n"},
        {"patches item", "kubeadmConfigPatches: [\"a: b\", ~, {b: c}]",
         "f:3:35: error: kubeadmConfigPatches[2]: expected a string, found a mapping\n"},
        {"patches cannot be read",
         "kubeadmConfigPatches: [\"kind: A\\n---\\n- 7\"]\ncontainerdConfigPatches: [\"[a\"]\n"
         "containerdConfigPatchesJSON6902: [\"- op: x\"]\n"
         "kubeadmConfigPatchesJSON6902: [{kind: A, patch: \"op: x\"}]",
         "f:3:24: error: kubeadmConfigPatches[0]: 3:1: a patch is a map with a kind, and this is "
         "something else\n"
         "f:4:27: error: containerdConfigPatches[0]: 1:3: table header: encountered end-of-file\n"
         "f:5:35: error: containerdConfigPatchesJSON6902[0]: 1:1: no JSON: invalid token near '-'\n"
         "f:6:49: error: kubeadmConfigPatchesJSON6902[0].patch: a JSON patch is a list of "
         "operations\n"},
        {"old patch field", "kubeadmConfigPatchesJson6902: []",
         "f:3:1: error: unknown field \"kubeadmConfigPatchesJson6902\"; did you mean "
         "\"kubeadmConfigPatchesJSON6902\"?\n"},
        {"6902 name", "kubeadmConfigPatchesJSON6902: [{name: x, namespace: y}]",
         "f:3:33: error: kubeadmConfigPatchesJSON6902[0]: unknown field \"name\"; known here: "
         "group, version, kind or patch\n"
         "f:3:42: error: kubeadmConfigPatchesJSON6902[0]: unknown field \"namespace\"; known "
         "here: group, version, kind or patch\n"},
        {"merge key", "x: &m {ipFamily: ipv6}\nnetworking: {<<: *m}",
         "f:3:1: error: unknown field \"x\"; known here: apiVersion, kind, name, nodes, "
         "networking, featureGates, runtimeConfig, kubeadmConfigPatches, "
         "kubeadmConfigPatchesJSON6902, containerdConfigPatches or "
         "containerdConfigPatchesJSON6902\n"},
        {"alias", "nodes: [&n {image: x}, *n]", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *yaml = memory_format("%s%s\n", HEADER, rows[i].yaml);
        cleanup_free char *got = load_one("f", yaml, false);
        test_equal(got, rows[i].want);
    }
}

static void names_are_unique_across_files(void **state)
{
    (void)state;
    static const char first[] = HEADER "name: ci\n---\n" HEADER;
    static const char second[] = HEADER "---\n" HEADER "name: ci\n---\n" HEADER "name: ci\n";
    const struct load_text texts[] = {{"a", first, strlen(first)}, {"-", second, strlen(second)}};
    cleanup_free char *got = load(texts, COUNT_OF(texts), &plain_options, false);
    test_equal(got, "<stdin>:1:1: error: name: there is already a cluster \"kind\" (this one has "
                    "no name of its own), at a:5:1; names must be unique\n"
                    "<stdin>:6:7: error: name: there is already a cluster \"ci\", at a:3:7; names "
                    "must be unique\n"
                    "<stdin>:10:7: error: name: there is already a cluster \"ci\", at a:3:7; "
                    "names must be unique\n");
}

static void all_files_are_told(void **state)
{
    (void)state;
    static const char broken[] = "a: [\n", wrong[] = HEADER "name: X\nnam: y\n";
    const struct load_text texts[] = {
        {"a", broken, strlen(broken)}, {"b", wrong, strlen(wrong)}, {"c", "", 0}};
    cleanup_free char *got = load(texts, COUNT_OF(texts), &plain_options, false);
    test_equal(got,
               "a:2:1: error: not valid YAML: did not find expected node content\n"
               "b:3:7: error: name: \"X\" may hold only a to z, 0 to 9, '.' and '-'; try \"x\"\n"
               "b:4:1: error: unknown field \"nam\"; did you mean \"name\"?\n"
               "c: error: holds no document; a cluster begins with apiVersion: "
               "kind.x-k8s.io/v1alpha4 and kind: Cluster (--allow-empty: no cluster is wanted)\n");
}

static void no_text_is_an_empty_fleet(void **state)
{
    (void)state;
    cleanup_free char *got = load(NULL, 0, &plain_options, true);
    test_equal(got, "");
}

static void options_replace(void **state)
{
    (void)state;
    static const char yaml[] = HEADER "name: NOT/USED\nnodes: [{image: a}, {}]\n";
    static const struct load_options options = {
        .base_folder = "/base", .cluster_name = "mine", .image = "b"};
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct fleet_spec fleet;
    const struct load_text text = {"f", yaml, strlen(yaml)};
    assert_int_equal(load_fleet(&text, 1, &options, &fleet, &problems), 0);
    test_equal(fleet.clusters[0].name, "mine");
    test_equal(fleet.clusters[0].nodes[0].image, "b");
    test_equal(fleet.clusters[0].nodes[1].image, "b");
    test_equal(fleet.clusters[0].nodes[1].name, "mine-control-plane2");
}

static void a_bad_name_from_outside_has_no_place(void **state)
{
    (void)state;
    static const struct load_options options = {.base_folder = "/base", .cluster_name = "Mine"};
    const struct load_text text = {"f", HEADER, strlen(HEADER)};
    cleanup_free char *got = load(&text, 1, &options, false);
    test_equal(got, "error: name: \"Mine\" may hold only a to z, 0 to 9, '.' and '-'; try "
                    "\"mine\"\n");
}

static void default_cluster(void **state)
{
    (void)state;
    static const struct load_options options = {.base_folder = "/base", .cluster_name = ""};
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct fleet_spec fleet;
    assert_int_equal(load_default(&options, &fleet, &problems), 0);
    cleanup_text struct text text;
    text_init(&text, 0);
    fleet_spec_print(&fleet, &text);
    cleanup_free char *same = load_one("f", HEADER, true);
    test_equal(text.data, same);
    test_equal(fleet.clusters[0].nodes[0].name, "kind-control-plane");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(fields),
        cmocka_unit_test(names_are_unique_across_files),
        cmocka_unit_test(all_files_are_told),
        cmocka_unit_test(no_text_is_an_empty_fleet),
        cmocka_unit_test(options_replace),
        cmocka_unit_test(a_bad_name_from_outside_has_no_place),
        cmocka_unit_test(default_cluster),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
