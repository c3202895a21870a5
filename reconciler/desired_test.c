/* Revisions before policies: what one says of them is taken back by the next. */
#include "reconciler/desired.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "model/load_policy.h"

static const char clusters[] =
    "apiVersion: fleet.kind/v1alpha1\nkind: Fleet\nspec: {policy: {base: permissive, clusterNames: "
    "[a, b, c]}}\n---\n"
    "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n"
    "spec: {nodes: [{role: control-plane, extraMounts: [{hostPath: /usr, containerPath: "
    "/x}]}]}\n---\n"
    "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: b\n---\n"
    "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: c}\n"
    "spec: {nodes: [{role: control-plane, image: kind.local/node:v1}]}\n---\n"
    "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: z\n";

/* NULL: none is given. */
static const struct policy *policy_of(struct arena *arena, const char *spec)
{
    if (!spec)
        return NULL;
    const char *bytes =
        arena_format(arena, "apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: %s\n", spec);
    const struct load_text text = {"policy.yaml", bytes, strlen(bytes)};
    struct policy *policy = arena_alloc(arena, sizeof(*policy));
    struct problem_list problems;
    problem_list_init(&problems, arena);
    assert_int_equal(load_policy(&text, policy, &problems), 0);
    return policy;
}

static struct desired *read_before(const struct policy *policy)
{
    cleanup_arena struct arena *arena = arena_new();
    struct load_text text = {"lab.yaml", clusters, strlen(clusters)};
    const struct source_texts texts = {&text, 1};
    const struct desired_rules rules = {
        .load = {.base_folder = "/"}, .policy = policy, .origin = POLICY_OWN_FILES};
    char *problem = NULL;
    struct desired *desired = desired_of(arena, &texts, &rules, &problem);
    assert_non_null(desired);
    return desired;
}

/* "a hostPaths, z clusterNames", and where mounts led. */
static char *verdicts_of(const struct desired *desired)
{
    struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < desired->fleet.cluster_count; i++) {
        const struct cluster_spec *cluster = &desired->fleet.clusters[i];
        for (size_t j = 0; j < cluster->refusal_count; j++)
            text_add_format(&text, "%s%s %s", text.length ? ", " : "", cluster->name,
                            cluster->refusals[j].rule);
        const struct node_spec *node = &cluster->nodes[0];
        if (node->mount_count && node->mounts[0].checked_path)
            text_add_format(&text, "%s%s led to %s", text.length ? ", " : "", cluster->name,
                            node->mounts[0].checked_path);
    }
    return text_take(&text);
}

static void is_judged_as_if_it_were_read_anew(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec, *want; /* of the policy */
    } rows[] = {
        {"none", NULL, "z clusterNames"},
        {"a strict one", "{}", "a hostPaths, z clusterNames"},
        {"one that names the path", "{hostPaths: [{path: /usr}]}", "a led to /usr, z clusterNames"},
        {"of names", "{base: permissive, clusterNames: [a]}",
         "b clusterNames, c clusterNames, z clusterNames, z clusterNames"},
        {"of images", "{images: [x], hostPaths: [{path: /}]}", "c images, z clusterNames"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t j = 0; j < COUNT_OF(rows); j++) {
            test_row(rows[j].name);
            struct arena *arena = arena_new();
            struct desired *first = read_before(policy_of(arena, rows[i].spec));
            first->revision = "3f2a";
            first->signer = "ann@lab";
            struct desired *again =
                desired_judge_again(first, policy_of(arena, rows[j].spec), POLICY_OWN_FILES);
            desired_free(first);
            arena_free(arena); /* nothing of it is borrowed */
            cleanup_free char *got = verdicts_of(again);
            test_equal(got, rows[j].want);
            test_equal(again->revision, "3f2a");
            test_equal(again->signer, "ann@lab");
            desired_free(again);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_judged_as_if_it_were_read_anew)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
