#include "reconciler/rails.h"

/* A fifth of a fleet may go at once without being asked for: a slip costs little. */
enum { FLEET_SHARE = 5 };

static bool is_ours(const struct cluster_state *state, const char *fleet)
{
    return state->node_count > 0 && cluster_state_owned(state, fleet);
}

static size_t deletions_allowed(const struct fleet_state *observed,
                                const struct rails_options *options)
{
    if (options->max_deletions)
        return options->max_deletions;
    size_t fleet = 0;
    for (size_t i = 0; i < observed->cluster_count; i++)
        fleet += is_ours(&observed->clusters[i], options->fleet);
    return fleet / FLEET_SHARE > 1 ? fleet / FLEET_SHARE : 1;
}

/* Why nothing may go in this pass; NULL: it may. */
static const char *why_none(const struct fleet_spec *desired, const struct rails_options *options)
{
    if (!options->prune)
        return "not in the sources any more; --prune would delete it";
    if (!options->sources_whole)
        return "not in what could be read of the sources; stays until all of them can be";
    if (!desired->cluster_count && !options->allow_empty)
        return "the sources are empty; --allow-empty would delete it";
    return NULL;
}

void rails_prune(struct arena *arena, const struct fleet_spec *desired,
                 const struct fleet_state *observed, const struct rails_options *options,
                 struct rails_verdicts *verdicts)
{
    const char *none = why_none(desired, options);
    size_t allowed = deletions_allowed(observed, options), count = 0, removed = 0;
    struct rails_verdict *items = NULL;
    for (size_t i = 0; i < observed->cluster_count; i++) {
        const struct cluster_state *state = &observed->clusters[i];
        if (!is_ours(state, options->fleet) || fleet_spec_find(desired, state->name))
            continue;
        items = arena_grow(arena, items, count, sizeof(*items));
        struct rails_verdict *verdict = &items[count++];
        verdict->cluster = arena_string(arena, state->name);
        verdict->remove = !none && removed < allowed;
        removed += verdict->remove;
        if (verdict->remove)
            verdict->reason = "not in the sources any more";
        else if (none)
            verdict->reason = none;
        else
            verdict->reason = arena_format(
                arena, "not in the sources any more; stays for now: one pass deletes at most %zu",
                allowed);
    }
    *verdicts = (struct rails_verdicts){.items = items, .count = count};
}
