/*
 * Any bytes as a policy: no crash, every problem is one printable line, what is loaded is complete,
 * and clusters before it are refused or not, always in the same way.
 */
#include "base/memory.h"
#include "model/load.h"
#include "model/load_policy.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char clusters[] =
    "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: a}\nspec:\n"
    "  featureGates: {X: true}\n  runtimeConfig: {api/all: 'true'}\n"
    "  kubeadmConfigPatches: ['kind: ClusterConfiguration']\n"
    "  networking: {apiServerAddress: 0.0.0.0, apiServerPort: 6443}\n"
    "  nodes:\n"
    "  - role: control-plane\n"
    "    image: kind.local/node:v1\n"
    "    extraMounts: [{hostPath: /srv/a/b, containerPath: /b}, {hostPath: /etc, containerPath: "
    "/c,\n"
    "      readOnly: true}]\n"
    "    extraPortMappings: [{containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1}]\n"
    "---\napiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: b\n";

/* Everything leads to itself, but for one that cannot be told. */
static const char *resolve(void *context, struct arena *arena, const char *path)
{
    (void)context;
    return strcmp(path, "/none") == 0 ? NULL : arena_string(arena, path);
}

static void check_problems(const struct problem_list *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        assert(!strpbrk(problems->items[i].message, "\n\r\x1b"));
}

static void check_policy(const struct policy *policy)
{
    assert(policy->name && *policy->name);
    for (size_t i = 0; i < policy->path_count; i++)
        assert(policy->paths[i].path[0] == '/');
    for (size_t i = 0; i < policy->port_count; i++)
        assert(policy->ports[i].first >= 1 && policy->ports[i].last <= 65535 &&
               policy->ports[i].first <= policy->ports[i].last);
}

static size_t judge(struct arena *arena, const struct policy *policy)
{
    const struct load_text text = {"clusters", clusters, strlen(clusters)};
    static const struct load_options options = {.base_folder = "/"};
    const struct policy_judge judge = {.origin = POLICY_GIT, .resolve = resolve};
    struct problem_list problems;
    struct fleet_spec fleet;
    size_t refusals = 0;
    problem_list_init(&problems, arena);
    assert(load_fleet(&text, 1, &options, &fleet, &problems) == 0 && fleet.cluster_count == 2);
    policy_judge(arena, policy, &judge, &fleet);
    for (size_t i = 0; i < fleet.cluster_count; i++)
        refusals += fleet.clusters[i].refusal_count;
    return refusals;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_arena struct arena *arena = arena_new();
    const struct load_text text = {"fuzz", (const char *)data, size};
    struct problem_list problems;
    struct policy policy;
    problem_list_init(&problems, arena);
    int result = load_policy(&text, &policy, &problems);
    assert((result == 0) == (problems.errors == 0));
    check_problems(&problems);
    if (result)
        return 0;
    check_policy(&policy);
    assert(judge(arena, &policy) == judge(arena, &policy));
    return 0;
}
