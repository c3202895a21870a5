/* What policies allow: rows of a policy, one cluster, and what is refused of it. */
#include "model/policy.h"

#include "base/memory.h"
#include "base/test.h"
#include "model/load.h"
#include "model/load_policy.h"
#include <string.h>

#define DIGEST "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Links of the tests' host: below each, paths lead below the other. */
static const struct {
    const char *link, *target; /* target NULL: cannot be told */
} links[] = {
    {"/srv/out", "/etc"},
    {"/link", "/srv"},
    {"/srv/circle", NULL},
};

static const char *lead(void *context, struct arena *arena, const char *path)
{
    (void)context;
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        size_t length = strlen(links[i].link);
        if (strncmp(path, links[i].link, length) != 0 || (path[length] && path[length] != '/'))
            continue;
        return links[i].target ? arena_format(arena, "%s%s", links[i].target, path + length) : NULL;
    }
    return path;
}

/* The policy's spec, and the cluster's, each in flow style. want: "RULE subject\n" each. */
static const struct {
    const char *name, *policy, *cluster;
    enum policy_origin origin;
    const char *want;
} rows[] = {
    {"nothing asked for", "{}", "{}", POLICY_GIT, ""},
    {"a worker more", "{}", "{nodes: [{}, {role: worker, replicas: 2}]}", POLICY_GIT, ""},

    /* --- host paths --- */
    {"the whole host", "{}", "{nodes: [{extraMounts: [{hostPath: /, containerPath: /x}]}]}",
     POLICY_GIT, "hostPaths a-control-plane\n"},
    {"the engine's socket", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /run/docker.sock, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"below what is allowed", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/a/b, containerPath: /x}]}]}", POLICY_GIT, ""},
    {"what is allowed itself", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/, containerPath: /x}]}]}", POLICY_GIT, ""},
    {"a name that begins alike", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv2/a, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"above it", "{hostPaths: [{path: /srv/a}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"up and out of it", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/../etc, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"a link out of it", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/out/passwd, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"a link into it", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /link/a, containerPath: /x}]}]}", POLICY_GIT, ""},
    {"a policy that names a link", "{hostPaths: [{path: /link}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/a, containerPath: /x}]}]}", POLICY_GIT, ""},
    {"a link in a circle", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/circle, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"a policy that cannot be followed", "{hostPaths: [{path: /srv/circle}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/x, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"a relative path of a repository", "{base: permissive}",
     "{nodes: [{extraMounts: [{hostPath: data, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"a relative path of one's own", "{base: permissive}",
     "{nodes: [{extraMounts: [{hostPath: data, containerPath: /x}]}]}", POLICY_OWN_FILES, ""},
    {"a mount that names no path", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{containerPath: /x}]}]}", POLICY_OWN_FILES,
     "hostPaths a-control-plane\n"},
    {"a colon, which an engine could take for an end", "{hostPaths: [{path: /srv}]}",
     "{nodes: [{extraMounts: [{hostPath: '/srv/a:/etc', containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"a colon in the node's path", "{hostPaths: [{path: /srv, readOnly: true}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv, containerPath: '/x:rw', readOnly: true}]}]}",
     POLICY_GIT, "hostPaths a-control-plane\n"},
    {"for reading", "{hostPaths: [{path: /srv, readOnly: true}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv, containerPath: /x, readOnly: true}]}]}", POLICY_GIT,
     ""},
    {"for reading, and it writes", "{hostPaths: [{path: /srv, readOnly: true}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},
    {"for reading, and it labels", "{hostPaths: [{path: /srv, readOnly: true}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv, containerPath: /x, readOnly: true, "
     "selinuxRelabel: true}]}]}",
     POLICY_GIT, "hostPaths a-control-plane\n"},
    {"for reading, and it mounts back", "{hostPaths: [{path: /srv, readOnly: true}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv, containerPath: /x, readOnly: true, "
     "propagation: Bidirectional}]}]}",
     POLICY_GIT, "hostPaths a-control-plane\n"},
    {"the wider entry counts", "{hostPaths: [{path: /srv, readOnly: true}, {path: /srv/w}]}",
     "{nodes: [{extraMounts: [{hostPath: /srv/w/1, containerPath: /x}]}]}", POLICY_GIT, ""},
    {"all paths, for reading", "{hostPaths: [{path: /, readOnly: true}]}",
     "{nodes: [{extraMounts: [{hostPath: /etc, containerPath: /x}]}]}", POLICY_GIT,
     "hostPaths a-control-plane\n"},

    /* --- images --- */
    {"an image of this host", "{}", "{nodes: [{image: 'kind.local/node:v1.20.2'}]}", POLICY_GIT,
     ""},
    {"a foreign image", "{}", "{nodes: [{image: 'evil/node:v1'}]}", POLICY_GIT,
     "images a-control-plane\n"},
    {"upstream's by version", "{}", "{version: 1.29.2}", POLICY_GIT, "images a-control-plane\n"},
    {"one that is named", "{images: ['registry.lab/*']}",
     "{nodes: [{image: 'registry.lab/node:v1" DIGEST "'}]}", POLICY_GIT, ""},
    {"one that is named, without digest", "{images: ['registry.lab/*']}",
     "{nodes: [{image: 'registry.lab/node:v1'}]}", POLICY_GIT, "imageDigests a-control-plane\n"},
    {"half a digest", "{images: ['registry.lab/*']}",
     "{nodes: [{image: 'registry.lab/node@sha256:0123'}]}", POLICY_GIT,
     "imageDigests a-control-plane\n"},
    {"digests are not asked for", "{images: ['registry.lab/*'], imageDigests: false}",
     "{nodes: [{image: 'registry.lab/node:v1'}]}", POLICY_GIT, ""},
    {"its list replaces that of the base", "{images: []}",
     "{nodes: [{image: 'kind.local/node:v1'}]}", POLICY_GIT, "images a-control-plane\n"},
    {"alike nodes are told once", "{}", "{nodes: [{}, {role: worker, image: 'e/n', replicas: 3}]}",
     POLICY_GIT, "images a-worker\n"},
    {"preloaded images", "{preload: ['registry.lab/*']}",
     "{preload: ['registry.lab/app:1', 'evil/app:1']}", POLICY_GIT, "preload a\n"},

    /* --- ports --- */
    {"the default address of a port mapping", "{}",
     "{nodes: [{extraPortMappings: [{containerPort: 80, hostPort: 8080}]}]}", POLICY_GIT,
     "listenAddresses a-control-plane\n"},
    {"loopback", "{}",
     "{nodes: [{extraPortMappings: [{containerPort: 80, listenAddress: 127.0.0.1}, "
     "{containerPort: 81, hostPort: -1, listenAddress: '0:0::1'}]}]}",
     POLICY_GIT, ""},
    {"any address", "{listenAddresses: ['*']}",
     "{nodes: [{extraPortMappings: [{containerPort: 80, hostPort: 8080}]}]}", POLICY_GIT, ""},
    {"a port of the system", "{}",
     "{nodes: [{extraPortMappings: [{containerPort: 80, hostPort: 80, listenAddress: "
     "127.0.0.1}]}]}",
     POLICY_GIT, "hostPorts a-control-plane\n"},
    {"ports, just within and just without", "{hostPorts: [80, 8000-8001]}",
     "{nodes: [{extraPortMappings: [{containerPort: 1, hostPort: 80, listenAddress: 127.0.0.1}, "
     "{containerPort: 2, hostPort: 8001, listenAddress: 127.0.0.1}, "
     "{containerPort: 3, hostPort: 8002, listenAddress: 127.0.0.1}]}]}",
     POLICY_GIT, "hostPorts a-control-plane\n"},
    {"no port at all", "{hostPorts: []}",
     "{nodes: [{extraPortMappings: [{containerPort: 1, hostPort: 8080, listenAddress: "
     "127.0.0.1}]}]}",
     POLICY_GIT, "hostPorts a-control-plane\n"},
    {"the API for all to see", "{}", "{networking: {apiServerAddress: 0.0.0.0, apiServerPort: 99}}",
     POLICY_GIT, "listenAddresses a\nhostPorts a\n"},
    {"the API at a name", "{}", "{networking: {apiServerAddress: localhost}}", POLICY_GIT,
     "listenAddresses a\n"},

    /* --- what runs in the cluster --- */
    {"patches of all kinds", "{}",
     "{kubeadmConfigPatches: ['kind: InitConfiguration'], kubeadmConfigPatchesJSON6902: [{kind: "
     "ClusterConfiguration, patch: '[]'}], containerdConfigPatches: ['version = 2'], "
     "containerdConfigPatchesJSON6902: ['[]']}",
     POLICY_GIT, "patches a\npatches a\npatches a\npatches a\n"},
    {"a node's patches", "{patches: [containerd]}",
     "{nodes: [{kubeadmConfigPatches: ['kind: InitConfiguration'], kubeadmConfigPatchesJSON6902: "
     "[{kind: ClusterConfiguration, patch: '[]'}]}]}",
     POLICY_GIT, "patches a-control-plane\npatches a-control-plane\n"},
    {"patches of kubeadm alone", "{patches: [kubeadm]}",
     "{kubeadmConfigPatches: ['kind: InitConfiguration'], containerdConfigPatches: ['version = "
     "2']}",
     POLICY_GIT, "patches a\n"},
    {"no patches though all else", "{base: permissive, patches: []}",
     "{containerdConfigPatches: ['version = 2']}", POLICY_OWN_FILES, "patches a\n"},
    {"manifests", "{}", "{manifests: [app.yaml]}", POLICY_GIT, "manifests a\n"},
    {"manifests, allowed", "{manifests: true}", "{manifests: [app.yaml]}", POLICY_GIT, ""},
    {"feature gates", "{featureGates: [Pod*]}", "{featureGates: {PodLevel: true, Other: true}}",
     POLICY_GIT, "featureGates a\n"},
    {"keys of the API server", "{runtimeConfig: []}", "{runtimeConfig: {api/all: 'true'}}",
     POLICY_GIT, "runtimeConfig a\n"},

    /* --- names and numbers --- */
    {"a name", "{clusterNames: [ci-*, lab]}", "{}", POLICY_GIT, "clusterNames a\n"},
    {"nodes of a cluster", "{maxNodes: 2}", "{nodes: [{}, {role: worker, replicas: 2}]}",
     POLICY_GIT, "maxNodes a\n"},
    {"nodes in all", "{maxNodesInAll: 2}", "{nodes: [{}, {role: worker, replicas: 2}]}", POLICY_GIT,
     "maxNodesInAll a\n"},

    {"the permissive base", "{base: permissive}",
     "{nodes: [{image: 'e/n', extraMounts: [{hostPath: /, containerPath: /x}], extraPortMappings: "
     "[{containerPort: 80, hostPort: 80}], kubeadmConfigPatches: ['kind: InitConfiguration']}], "
     "manifests: [app.yaml], containerdConfigPatches: ['version = 2'], networking: "
     "{apiServerAddress: 0.0.0.0, apiServerPort: 443}, preload: [x]}",
     POLICY_OWN_FILES, ""},
};

static int read_beside(void *context, struct arena *arena, const char *base, const char *path,
                       struct load_text *text, struct error **err)
{
    (void)context, (void)base, (void)err;
    const char *bytes = "{apiVersion: v1, kind: ConfigMap, metadata: {name: app}}\n";
    *text = (struct load_text){arena_string(arena, path), bytes, strlen(bytes)};
    return 0;
}

static void fail_if_wrong(const struct problem_list *problems)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    problem_list_print(problems, &text);
    if (problems->errors)
        fail_msg("%s", text.data);
}

static void read_fleet(struct problem_list *problems, const char *yaml, struct fleet_spec *fleet)
{
    const struct load_options options = {.base_folder = "/base", .read_file = read_beside};
    const struct load_text text = {"lab.yaml", yaml, strlen(yaml)};
    load_fleet(&text, 1, &options, fleet, problems);
    fail_if_wrong(problems);
}

static void read_policy(struct problem_list *problems, const char *spec, struct policy *policy)
{
    const char *yaml = arena_format(
        problems->arena, "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: %s\n", spec);
    const struct load_text text = {"policy.yaml", yaml, strlen(yaml)};
    load_policy(&text, policy, problems);
    fail_if_wrong(problems);
}

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_text struct text got;
        struct problem_list problems;
        struct policy policy;
        struct fleet_spec fleet;
        text_init(&got, 0);
        problem_list_init(&problems, arena);
        read_policy(&problems, rows[i].policy, &policy);
        read_fleet(&problems,
                   arena_format(arena,
                                "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\n"
                                "metadata: {name: a}\nspec: %s\n",
                                rows[i].cluster),
                   &fleet);
        const struct policy_judge judge = {.origin = rows[i].origin, .resolve = lead};
        policy_judge(arena, &policy, &judge, &fleet);
        const struct cluster_spec *cluster = &fleet.clusters[0];
        for (size_t j = 0; j < cluster->refusal_count; j++) {
            const struct spec_refusal *refusal = &cluster->refusals[j];
            text_add_format(&got, "%s %s\n", refusal->rule, refusal->subject);
            assert_int_not_equal(refusal->place.line, 0);
            assert_non_null(strstr(refusal->reason, "lab.yaml:"));
            assert_non_null(strstr(refusal->reason, "of policy.yaml; "));
        }
        test_equal(got.data, rows[i].want);
    }
}

#define CLUSTER(name, spec)                                                                        \
    "---\napiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: " name "}\n"            \
    "spec: " spec "\n"

/* "a:RULE", or "a" for those that are not refused, by name. */
static void check_fleet(const char *yaml, const char *policy_spec, const char *want)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_text struct text got;
    struct problem_list problems;
    struct policy policy;
    struct fleet_spec fleet;
    text_init(&got, 0);
    problem_list_init(&problems, arena);
    read_policy(&problems, policy_spec, &policy);
    read_fleet(&problems, yaml, &fleet);
    const struct policy_judge judge = {.origin = POLICY_GIT, .resolve = lead};
    policy_judge(arena, &policy, &judge, &fleet);
    for (size_t i = 0; i < fleet.cluster_count; i++) {
        const struct cluster_spec *cluster = &fleet.clusters[i];
        text_add_format(&got, "%s%s", i ? " " : "", cluster->name);
        if (cluster->refusal_count)
            text_add_format(&got, ":%s", cluster->refusals[0].rule);
    }
    test_equal(got.data, want);
}

/* One that is refused for itself does not use up what others may have. */
static void counts_what_is_allowed(void **state)
{
    (void)state;
    const char *three = CLUSTER("a", "{}") CLUSTER("b", "{nodes: [{image: e/n}]}")
        CLUSTER("c", "{}") CLUSTER("d", "{}");
    check_fleet(three, "{maxClusters: 2}", "a b:images c d:maxClusters");
    check_fleet(three, "{maxNodesInAll: 2}", "a b:images c d:maxNodesInAll");
    check_fleet(CLUSTER("a", "{}") CLUSTER("b", "{nodes: [{}, {role: worker}]}") CLUSTER("c", "{}"),
                "{maxNodesInAll: 2}", "a b:maxNodesInAll c");
}

/* What a mount led to when it was allowed is kept, to be looked at again. */
static void keeps_where_mounts_lead(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    struct policy policy;
    struct fleet_spec fleet;
    problem_list_init(&problems, arena);
    read_policy(&problems, "{hostPaths: [{path: /srv}]}", &policy);
    read_fleet(&problems,
               CLUSTER("a", "{nodes: [{extraMounts: [{hostPath: /link/a, containerPath: /x}]}]}"),
               &fleet);
    const struct policy_judge judge = {.origin = POLICY_OWN_FILES, .resolve = lead};
    policy_judge(arena, policy_default(POLICY_OWN_FILES), &judge, &fleet);
    assert_null(fleet.clusters[0].nodes[0].mounts[0].checked_path);
    policy_judge(arena, &policy, &judge, &fleet);
    test_equal(fleet.clusters[0].nodes[0].mounts[0].checked_path, "/srv/a");
}

static void has_an_end(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    cleanup_text struct text yaml;
    struct problem_list problems;
    struct fleet_spec fleet;
    text_init(&yaml, 0);
    problem_list_init(&problems, arena);
    text_add(&yaml, "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: a\nnodes:\n- "
                    "extraMounts:\n");
    for (unsigned i = 0; i < 500; i++)
        text_add_format(&yaml, "  - {hostPath: /etc/%u, containerPath: /x%u}\n", i, i);
    read_fleet(&problems, yaml.data, &fleet);
    const struct policy_judge judge = {.origin = POLICY_GIT, .resolve = lead};
    policy_judge(arena, policy_default(POLICY_GIT), &judge, &fleet);
    assert_in_range(fleet.clusters[0].refusal_count, 1, 100);
    test_equal(fleet.clusters[0].refusals[0].reason,
               "mounts /etc/0 of the host (lab.yaml:6:5); refused by hostPaths of the default for "
               "git sources; it allows no path");
}

static void matches_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool want;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*", "abc", true},
        {"a*", "ba", false},
        {"*c", "abc", true},
        {"*c", "abcd", false},
        {"a*c", "abbc", true},
        {"a*b*c", "a1b2b3c", true},
        {"a*b*c", "a1c2b", false},
        {"**", "x", true},
        {"kind.local/*", "kind.local", false},
        {"a.c", "abc", false},
        {"abc", "abc", true},
        {"abc", "ab", false},
        {"ab", "abc", false},
        {"a*a", "a", false},
        {"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        test_row(cases[i].pattern);
        assert_int_equal(policy_matches(cases[i].pattern, cases[i].text), cases[i].want);
    }
}

/* Files of policies that are wrong: all of what is wrong, each with its place. */
static const struct {
    const char *name, *text, *want;
} files[] = {
    {"empty", "# nothing\n", "p.yaml: error: holds no policy\n"},
    {"no YAML", "a: [\n", "p.yaml:2:1: error: "},
    {"a list", "[]\n",
     "p.yaml:1:1: error: is no policy; one begins with apiVersion: fleet.kind/v1alpha1 and kind: "
     "Policy\n"},
    {"a cluster", "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n",
     "p.yaml:1:1: error: is no policy; "},
    {"two", "apiVersion: fleet.kind/v1alpha1\nkind: Policy\n---\nkind: Policy\n",
     "p.yaml:4:1: error: a policy's file holds one document alone\n"},
    {"a field that is none",
     "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPath: []}\n",
     "p.yaml:3:8: error: spec: unknown field \"hostPath\"; did you mean \"hostPaths\"?"},
    {"a base that is none", "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {base: open}\n",
     "p.yaml:3:14: error: spec.base: \"open\" is not known; it may be restrictive or permissive\n"},
    {"paths",
     "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPaths: [{path: srv}, {path: "
     "/a/../b}, "
     "{readOnly: true}, {path: ''}]}\n",
     "p.yaml:3:27: error: spec.hostPaths[0].path: \"srv\" is not an absolute path without \"..\" "
     "and "
     "doubled slashes\n"
     "p.yaml:3:40: error: spec.hostPaths[1].path: \"/a/../b\" is not an absolute path without "
     "\"..\" "
     "and doubled slashes\n"
     "p.yaml:3:50: error: spec.hostPaths[2].path: is missing\n"
     "p.yaml:3:75: error: spec.hostPaths[3].path: \"\" is not an absolute path without \"..\" and "
     "doubled slashes\n"},
    {"ports",
     "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPorts: [0, 9-8, 1-65536, x, 1-, "
     "'']}\n",
     "p.yaml:3:20: error: spec.hostPorts[0]: \"0\" is no port of 1 to 65535, nor a range of them "
     "as "
     "8000-8999\n"
     "p.yaml:3:23: error: spec.hostPorts[1]: \"9-8\" is no"},
    {"addresses",
     "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {listenAddresses: [localhost]}\n",
     "p.yaml:3:26: error: spec.listenAddresses[0]: \"localhost\" is no IP address, nor \"*\" for "
     "any\n"},
    {"wrong types",
     "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {images: x, maxClusters: 0, patches: "
     "[cni]}\n",
     "p.yaml:3:16: error: spec.images: expected a list of strings"},
    {"no spec: as the base", "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nmetadata: {name: x}\n",
     ""},
    {"a null spec", "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec:\n", ""},
    {"a spec that is a list", "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: []\n",
     "p.yaml:3:7: error: spec: expected a mapping"},
};

static void reads_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        test_row(files[i].name);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_text struct text got;
        struct problem_list problems;
        struct policy policy;
        text_init(&got, 0);
        problem_list_init(&problems, arena);
        const struct load_text text = {"p.yaml", files[i].text, strlen(files[i].text)};
        int result = load_policy(&text, &policy, &problems);
        problem_list_sort(&problems);
        problem_list_print(&problems, &got);
        assert_int_equal(result, *files[i].want ? -1 : 0);
        if (strncmp(got.data, files[i].want, strlen(files[i].want)) != 0 || !*files[i].want)
            test_equal(got.data, files[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(counts_what_is_allowed),
        cmocka_unit_test(keeps_where_mounts_lead),
        cmocka_unit_test(has_an_end),
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(reads_files),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
