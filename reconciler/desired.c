#include "reconciler/desired.h"

#include "base/memory.h"
#include "model/spec_copy.h"
#include "reconciler/policy_file.h"

void desired_free(struct desired *desired)
{
    if (desired)
        arena_free(desired->arena); /* it lives there itself */
}

int desired_load(const struct source_texts *texts, const struct desired_rules *rules,
                 struct fleet_spec *fleet, struct problem_list *problems, struct error **err)
{
    int result = 0;
    *fleet = (struct fleet_spec){0};
    if (texts->count)
        result = load_fleet(texts->items, texts->count, &rules->load, fleet, problems);
    if (result == 0)
        policy_apply(problems->arena, rules->policy, rules->origin, fleet);
    problem_list_sort(problems);
    if (result == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "%zu error%s in the sources; nothing was changed",
                     problems->errors, problems->errors == 1 ? "" : "s");
}

/* In an arena of its own; the caller may still change the clusters. */
static struct desired *keep(const struct fleet_spec *fleet, const char *warnings,
                            struct cluster_spec **ret_clusters)
{
    struct arena *arena = arena_new();
    struct desired *desired = arena_alloc(arena, sizeof(*desired));
    struct cluster_spec *clusters = arena_array(arena, fleet->cluster_count, sizeof(*clusters));
    for (size_t i = 0; i < fleet->cluster_count; i++)
        clusters[i] = *spec_copy(arena, &fleet->clusters[i]);
    *desired = (struct desired){.arena = arena, .fleet = *fleet, .revision = ""};
    desired->fleet.clusters = *ret_clusters = clusters;
    desired->fleet.policy = fleet->policy ? policy_copy(arena, fleet->policy) : NULL;
    desired->warnings = arena_string(arena, warnings);
    return desired;
}

struct desired *desired_judge_again(const struct desired *desired, const struct policy *policy,
                                    enum policy_origin origin)
{
    struct cluster_spec *clusters;
    struct desired *again = keep(&desired->fleet, desired->warnings, &clusters);
    for (size_t i = 0; i < again->fleet.cluster_count; i++)
        policy_forget(&clusters[i]);
    policy_apply(again->arena, policy, origin, &again->fleet);
    again->revision = arena_string(again->arena, desired->revision);
    again->author = arena_string(again->arena, desired->author);
    again->subject = arena_string(again->arena, desired->subject);
    again->signer = arena_string(again->arena, desired->signer);
    again->revised_at_s = desired->revised_at_s;
    return again;
}

struct desired *desired_of(struct arena *scratch, const struct source_texts *texts,
                           const struct desired_rules *rules, char **problem)
{
    struct fleet_spec fleet;
    struct problem_list problems;
    cleanup_error struct error *err = NULL;
    cleanup_text struct text words;
    problem_list_init(&problems, scratch);
    text_init(&words, 0);
    int result = desired_load(texts, rules, &fleet, &problems, &err);
    problem_list_print(&problems, &words);
    struct cluster_spec *clusters;
    if (result == 0)
        return keep(&fleet, words.data, &clusters);
    *problem = memory_string(words.data);
    return NULL;
}
