#include "reconciler/rails.h"

#include "base/duration.h"
#include "base/text.h"
#include "model/moment.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLEET_SHARE = 5, /* a fifth may go at once without being asked for: a slip costs little */
    SLACK_S = 300,   /* by which two clocks may differ */
    LATE_DAYS_MAX = 30,
    DAY_S = 86400,
};

/* One pass under way. */
struct pass {
    struct arena *arena;
    const struct fleet_spec *desired;
    const struct rails_options *options;
    const char *none; /* why what left the sources may not go now; NULL: it may */
    size_t allowed, removed;
    struct rails_verdict *items;
    size_t count;
};

/* A cluster before its judges. */
struct candidate {
    const char *name;
    const struct cluster_spec *spec;   /* NULL: no source names it */
    const struct cluster_state *state; /* NULL: it is not there */
    const char *over;                  /* why its time is over, in words; NULL: it is not */
    const char *doubt;                 /* why the clock is not believed then; NULL: it is */
};

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

/* --- Time. --- */

uint64_t rails_created_s(const struct cluster_state *state)
{
    uint64_t first = 0;
    for (size_t i = 0; i < state->node_count; i++) {
        uint64_t created = state->nodes[i].created_at_s;
        first = !first || created < first ? created : first;
    }
    return first;
}

uint64_t rails_end_s(uint64_t created_at_s, uint64_t ttl_s, uint64_t expires_at_s)
{
    uint64_t by_age = ttl_s && created_at_s ? created_at_s + ttl_s : 0;
    return by_age && (!expires_at_s || by_age < expires_at_s) ? by_age : expires_at_s;
}

static const char *moment_words(const struct pass *pass, uint64_t unix_s)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    moment_add(&text, unix_s);
    return arena_string(pass->arena, text.data);
}

static const char *over_words(const struct pass *pass, uint64_t end_s, uint64_t expires_at_s,
                              uint64_t ttl_s)
{
    if (end_s == expires_at_s)
        return arena_format(pass->arena, "expired at %s", moment_words(pass, end_s));
    cleanup_text struct text ttl;
    text_init(&ttl, 0);
    duration_add(&ttl, ttl_s * 1000);
    return arena_format(pass->arena, "its ttl of %s was over at %s", ttl.data,
                        moment_words(pass, end_s));
}

/* Too late is suspicious: a clock that jumped would end all clusters at once. */
static const char *why_doubtful(const struct pass *pass, uint64_t created_s, uint64_t end_s)
{
    uint64_t now = pass->options->now_s;
    if (created_s > now + SLACK_S)
        return arena_format(pass->arena,
                            "the clock here says %s, but it was made at %s, so nothing ends by "
                            "that clock",
                            moment_words(pass, now), moment_words(pass, created_s));
    if (created_s && now - end_s > (uint64_t)LATE_DAYS_MAX * DAY_S)
        return arena_format(pass->arena,
                            "the clock here says %s, more than %d days later, and may be wrong; "
                            "`kind delete cluster` deletes it",
                            moment_words(pass, now), LATE_DAYS_MAX);
    return NULL;
}

/* Where the sources name it they say how long; else what was applied last does. */
static void look_at_time(const struct pass *pass, struct candidate *candidate)
{
    static const struct marks none;
    const struct cluster_spec *spec = candidate->spec;
    const struct marks *marks = candidate->state ? &candidate->state->marks : &none;
    if (spec && spec->refusal_count)
        return;
    uint64_t created_s = candidate->state ? rails_created_s(candidate->state) : 0;
    uint64_t ttl_s = spec ? spec->ttl_s : marks->ttl_s;
    uint64_t expires_at_s = spec ? spec->expires_at_s : marks->expires_at_s;
    uint64_t end_s = rails_end_s(created_s, ttl_s, expires_at_s);
    if (!end_s || pass->options->now_s < end_s)
        return;
    candidate->over = over_words(pass, end_s, expires_at_s, ttl_s);
    candidate->doubt = why_doubtful(pass, created_s, end_s);
}

/* --- Judgement. --- */

/* Why nothing that left the sources may go in this pass; NULL: it may. */
static const char *why_none(const struct fleet_spec *desired, const struct rails_options *options)
{
    if (!options->sources_whole)
        return "not in what could be read of the sources; stays until all of them can be";
    if (!desired->cluster_count && !options->allow_empty)
        return "the sources are empty; --allow-empty would delete it";
    return NULL;
}

/* What it says of itself, and so also without the source that had it. */
static const char *why_kept(const struct candidate *candidate)
{
    const struct marks *marks = &candidate->state->marks;
    if (candidate->state->marked == SEEN_UNKNOWN)
        return "stays: whether it is protected cannot be read now";
    if (marks->unknown)
        return "stays: it is marked by a later version";
    if (candidate->spec ? candidate->spec->protect : marks->protect)
        return "stays: it is protected (take `protect: true` out of its source and apply that "
               "first)";
    if (marks->protect)
        return "stays for now: it was protected until this pass";
    if (marks->suspended)
        return "stays: it is suspended by hand; `kind resume` ends that";
    if (candidate->spec && candidate->spec->suspend)
        return "stays: it is suspended by its source";
    return NULL;
}

static void add_verdict(struct pass *pass, const struct rails_verdict *verdict)
{
    pass->items = arena_grow(pass->arena, pass->items, pass->count, sizeof(*pass->items));
    pass->items[pass->count] = *verdict;
    pass->items[pass->count++].cluster = arena_string(pass->arena, verdict->cluster);
}

static const char *joined(const struct pass *pass, const char *why, const char *but)
{
    return arena_format(pass->arena, "%s; %s", why, but);
}

/* It is to go for this reason: the last rails. */
static void judge_end(struct pass *pass, const struct candidate *candidate, const char *why)
{
    struct rails_verdict verdict = {.cluster = candidate->name, .asked = true, .reason = why};
    const char *kept = why_kept(candidate);
    if (!kept && pass->removed >= pass->allowed)
        kept =
            arena_format(pass->arena, "stays for now: one pass deletes at most %zu", pass->allowed);
    verdict.remove = !kept;
    pass->removed += verdict.remove;
    if (kept)
        verdict.reason = joined(pass, why, kept);
    add_verdict(pass, &verdict);
}

static void judge_unnamed(struct pass *pass, const struct candidate *candidate)
{
    static const char gone[] = "not in the sources any more";
    bool leave = pass->options->prune || candidate->state->marks.allow_delete;
    bool over = candidate->over && !candidate->doubt;
    struct rails_verdict stays = {.cluster = candidate->name, .asked = leave || over};
    if (!leave && candidate->doubt)
        stays.reason = joined(pass, candidate->over, candidate->doubt);
    else if (!leave && !over)
        stays.reason = "not in the sources any more; --prune would delete it";
    else if (pass->none)
        stays.reason = pass->none;
    if (stays.reason)
        add_verdict(pass, &stays);
    else
        judge_end(pass, candidate, over ? candidate->over : gone);
}

static void judge_named(struct pass *pass, const struct candidate *candidate)
{
    struct rails_verdict verdict = {.cluster = candidate->name, .asked = true};
    if (!candidate->over)
        return;
    if (!candidate->state) {
        verdict.unmade = true;
        verdict.reason = joined(pass, candidate->over, "not made again");
        add_verdict(pass, &verdict);
    } else if (candidate->doubt) {
        verdict.reason = joined(pass, candidate->over, candidate->doubt);
        add_verdict(pass, &verdict);
    } else {
        judge_end(pass, candidate, candidate->over);
    }
}

static void judge(struct pass *pass, struct candidate *candidate)
{
    if (candidate->state && !is_ours(candidate->state, pass->options->fleet))
        return;
    look_at_time(pass, candidate);
    if (candidate->spec)
        judge_named(pass, candidate);
    else
        judge_unnamed(pass, candidate);
}

bool rails_must_know(const struct fleet_spec *desired, const struct cluster_state *state,
                     const struct rails_options *options)
{
    const struct cluster_spec *spec = fleet_spec_find(desired, state->name);
    if (!is_ours(state, options->fleet))
        return false;
    if (!spec)
        return !why_none(desired, options);
    if (spec->refusal_count)
        return false;
    uint64_t end_s = rails_end_s(rails_created_s(state), spec->ttl_s, spec->expires_at_s);
    return end_s && options->now_s >= end_s;
}

void rails_judge(struct arena *arena, const struct fleet_spec *desired,
                 const struct fleet_state *observed, const struct rails_options *options,
                 struct rails_verdicts *verdicts)
{
    struct pass pass = {
        .arena = arena,
        .desired = desired,
        .options = options,
        .none = why_none(desired, options),
        .allowed = deletions_allowed(observed, options),
    };
    size_t i = 0, j = 0;
    while (i < desired->cluster_count || j < observed->cluster_count) {
        struct candidate candidate = {.name = NULL};
        const struct cluster_spec *spec = i < desired->cluster_count ? &desired->clusters[i] : NULL;
        const struct cluster_state *state =
            j < observed->cluster_count ? &observed->clusters[j] : NULL;
        int order = !spec ? 1 : !state ? -1 : strcmp(spec->name, state->name);
        candidate.spec = order <= 0 ? spec : NULL;
        candidate.state = order >= 0 ? state : NULL;
        assert(candidate.spec || candidate.state);
        candidate.name = candidate.spec ? candidate.spec->name : candidate.state->name;
        judge(&pass, &candidate);
        i += order <= 0;
        j += order >= 0;
    }
    *verdicts = (struct rails_verdicts){.items = pass.items, .count = pass.count};
}

static int name_order(const void *name, const void *verdict)
{
    return strcmp(name, ((const struct rails_verdict *)verdict)->cluster);
}

const struct rails_verdict *rails_find(const struct rails_verdicts *verdicts, const char *cluster)
{
    if (!verdicts->count)
        return NULL;
    return bsearch(cluster, verdicts->items, verdicts->count, sizeof(*verdicts->items), name_order);
}
