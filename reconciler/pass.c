#include "reconciler/pass.h"

#include <string.h>

void pass_must_know(struct arena *arena, const struct fleet_spec *desired,
                    struct fleet_state *observed, const struct rails_options *rails,
                    struct pass_unknown *unknown)
{
    size_t count = observed->cluster_count;
    struct cluster_state *clusters = arena_array(arena, count, sizeof(*clusters));
    *unknown = (struct pass_unknown){.items = arena_array(arena, count, sizeof(size_t))};
    for (size_t i = 0; i < count; i++) {
        clusters[i] = observed->clusters[i];
        if (rails_must_know(desired, &clusters[i], rails))
            unknown->items[unknown->count++] = i;
    }
    observed->clusters = clusters;
}

void pass_take_marks(struct fleet_state *observed, size_t index, const struct cluster_state *looked)
{
    /* pass_must_know made the copies. */
    struct cluster_state *cluster = (struct cluster_state *)(uintptr_t)&observed->clusters[index];
    cluster->marks = looked->marks;
    cluster->marked = looked->marked;
}

void pass_plan_targets(struct arena *arena, const struct fleet_spec *desired,
                       const struct fleet_state *observed, const struct rails_options *rails,
                       struct pass_plan *plan)
{
    rails_judge(arena, desired, observed, rails, &plan->verdicts);
    plan->targets =
        arena_array(arena, desired->cluster_count + plan->verdicts.count, sizeof(*plan->targets));
    plan->count = 0;
    for (size_t i = 0; i < desired->cluster_count; i++) {
        const struct cluster_spec *spec = &desired->clusters[i];
        const struct rails_verdict *verdict = rails_find(&plan->verdicts, spec->name);
        if (!verdict || (!verdict->remove && !verdict->unmade))
            plan->targets[plan->count++] = (struct pass_target){spec->name, spec, NULL};
    }
    for (size_t i = 0; i < plan->verdicts.count; i++) {
        const struct rails_verdict *verdict = &plan->verdicts.items[i];
        if (verdict->remove)
            plan->targets[plan->count++] =
                (struct pass_target){verdict->cluster, NULL, verdict->reason};
    }
}

static void keep_earlier(uint64_t *first, uint64_t end_s, uint64_t now_s)
{
    if (end_s > now_s && (!*first || end_s < *first))
        *first = end_s;
}

uint64_t pass_next_end_s(const struct fleet_spec *desired, const struct fleet_state *observed,
                         uint64_t now_s)
{
    uint64_t first = 0;
    for (size_t i = 0; i < observed->cluster_count; i++) {
        const struct cluster_state *state = &observed->clusters[i];
        const struct cluster_spec *spec = fleet_spec_find(desired, state->name);
        uint64_t ttl_s = spec ? spec->ttl_s : state->marks.ttl_s;
        uint64_t expires_at_s = spec ? spec->expires_at_s : state->marks.expires_at_s;
        keep_earlier(&first, rails_end_s(rails_created_s(state), ttl_s, expires_at_s), now_s);
    }
    for (size_t i = 0; i < desired->cluster_count; i++)
        keep_earlier(&first, desired->clusters[i].expires_at_s, now_s);
    return first;
}
