#include "model/spec_copy.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "model/load.h"
#include "model/policy.h"
#include "model/spec_print.h"
#include <string.h>

static const char everything[] =
    "kind: Cluster\n"
    "apiVersion: fleet.kind/v1alpha1\n"
    "metadata: {name: a}\n"
    "spec:\n"
    "  version: v1.20.2\n"
    "  protect: true\n"
    "  ttl: 3h\n"
    "  allow: [recreate]\n"
    "  dependsOn: [b]\n"
    "  preload: [busybox]\n"
    "  manifests: [cni.yaml]\n"
    "  featureGates: {Some: true}\n"
    "  runtimeConfig: {api/alpha: \"false\"}\n"
    "  networking: {podSubnet: 10.8.0.0/16, dnsSearch: [a.example, b.example]}\n"
    "  kubeadmConfigPatches: [\"kind: ClusterConfiguration\"]\n"
    "  kubeadmConfigPatchesJSON6902: [{kind: ClusterConfiguration, patch: \"[]\"}]\n"
    "  containerdConfigPatches: [\"a = 1\"]\n"
    "  nodes:\n"
    "  - {role: control-plane, replicas: 3}\n"
    "  - role: worker\n"
    "    name: big\n"
    "    image: kind.local/node:v1.20.3\n"
    "    labels: {tier: big}\n"
    "    taints: [{key: k, value: v, effect: NoSchedule}]\n"
    "    resources: {memory: 1Gi, cpus: \"1.5\"}\n"
    "    extraMounts: [{hostPath: /tmp, containerPath: /host, readOnly: true}]\n"
    "    extraPortMappings: [{containerPort: 80, hostPort: 8080}]\n"
    "    kubeadmConfigPatches: [\"kind: JoinConfiguration\"]\n"
    "---\n"
    "kind: Cluster\n"
    "apiVersion: kind.x-k8s.io/v1alpha4\n"
    "name: b\n";

static int read_manifest(void *context, struct arena *arena, const char *base, const char *path,
                         struct load_text *text, struct error **err)
{
    (void)base, (void)err;
    *text = (struct load_text){path, arena_string(arena, context), strlen(context)};
    return 0;
}

static struct fleet_spec load(struct arena *arena, char *manifest)
{
    struct fleet_spec fleet;
    struct problem_list problems;
    const struct load_text text = {"test.yaml", arena_string(arena, everything),
                                   sizeof(everything) - 1};
    const struct load_options options = {
        .base_folder = "/", .read_file = read_manifest, .read_context = manifest};
    struct text told;
    text_init(&told, 0);
    problem_list_init(&problems, arena);
    (void)load_fleet(&text, 1, &options, &fleet, &problems);
    problem_list_print(&problems, &told);
    test_equal(told.data, "");
    text_done(&told);
    return fleet;
}

static void print(const struct cluster_spec *spec, struct text *text)
{
    text_init(text, 0);
    spec_print(spec, text);
    for (size_t i = 0; i < spec->manifest_count; i++)
        text_add_format(text, "%s %s", spec->manifests[i].text, spec->manifests[i].place.file);
    for (size_t i = 0; i < spec->node_count; i++)
        text_add_format(text, "%s %s:%u\n", spec->nodes[i].name, spec->nodes[i].place.file,
                        spec->nodes[i].place.line);
    text_add_format(text, "%s %s %s", spec->balancer ? spec->balancer : "-", spec->place.file,
                    spec->networking.api_server_address);
}

static const char *lead(void *context, struct arena *arena, const char *path)
{
    return arena_format(arena, "%s%s", (const char *)context, path);
}

/* What a policy says of them; where mounts lead is asked of nobody. */
static void judge(struct arena *arena, struct fleet_spec *fleet, const char *root,
                  const struct policy_path *path)
{
    struct policy policy = *policy_base(path ? POLICY_PERMISSIVE : POLICY_RESTRICTIVE);
    const struct policy_judge judge = {.resolve = lead, .context = (void *)(uintptr_t)root};
    if (path) {
        policy.paths = path;
        policy.path_count = 1;
    }
    policy_judge(arena, &policy, &judge, fleet);
}

/* A cluster that is refused stays so as a copy, and is another one than before. */
static void refusals_count(void **state)
{
    (void)state;
    char manifest[] = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n";
    struct arena *arena = arena_new(), *copies = arena_new();
    struct fleet_spec free_one = load(arena, manifest), refused = load(arena, manifest);
    judge(arena, &refused, "", NULL);
    assert_true(refused.clusters[0].refusal_count > 0);
    assert_false(spec_equal(&free_one.clusters[0], &refused.clusters[0]));
    const struct cluster_spec *copy = spec_copy(copies, &refused.clusters[0]);
    assert_true(spec_equal(copy, &refused.clusters[0]));
    size_t count = refused.clusters[0].refusal_count;
    arena_free(arena);
    assert_int_equal(copy->refusal_count, count);
    assert_non_null(strstr(copy->refusals[0].reason, "refused by"));
    arena_free(copies);
}

/* Nor is one whose mounts lead elsewhere the same as before. */
static void ways_of_mounts_count(void **state)
{
    (void)state;
    static const struct policy_path all = {"/", true};
    char manifest[] = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n";
    struct arena *arena = arena_new(), *copies = arena_new();
    struct fleet_spec one = load(arena, manifest), other = load(arena, manifest);
    judge(arena, &one, "", &all);
    judge(arena, &other, "/x", &all);
    assert_int_equal(one.clusters[0].refusal_count, 0);
    assert_false(spec_equal(&one.clusters[0], &other.clusters[0]));
    const struct cluster_spec *copy = spec_copy(copies, &one.clusters[0]);
    assert_true(spec_equal(copy, &one.clusters[0]));
    arena_free(arena);
    test_equal(copy->nodes[copy->node_count - 1].mounts[0].checked_path, "/tmp");
    arena_free(copies);
}

/* Under a sanitizer it is seen, too, if anything is still borrowed. */
static void outlives_its_source(void **state)
{
    (void)state;
    char manifest[] = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n";
    struct arena *arena = arena_new(), *copies = arena_new();
    struct fleet_spec fleet = load(arena, manifest);
    struct cluster_spec *copy[2];
    struct text before[2], after;
    for (size_t i = 0; i < 2; i++) {
        copy[i] = spec_copy(copies, &fleet.clusters[i]);
        assert_true(spec_equal(copy[i], &fleet.clusters[i]));
        print(&fleet.clusters[i], &before[i]);
    }
    assert_false(spec_equal(copy[0], copy[1]));
    arena_free(arena);
    for (size_t i = 0; i < 2; i++) {
        print(copy[i], &after);
        test_equal(after.data, before[i].data);
        text_done(&after);
        text_done(&before[i]);
    }
    arena_free(copies);
}

static void manifests_count(void **state)
{
    (void)state;
    char one[] = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n";
    char other[] = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: y}\n";
    cleanup_arena struct arena *arena = arena_new();
    struct fleet_spec left = load(arena, one), right = load(arena, other);
    assert_false(spec_equal(left.clusters, right.clusters));
    assert_true(spec_equal(&left.clusters[1], &right.clusters[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlives_its_source),
        cmocka_unit_test(refusals_count),
        cmocka_unit_test(ways_of_mounts_count),
        cmocka_unit_test(manifests_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
