#include "reconciler/diff_parts.h"

#include "base/duration.h"
#include "base/memory.h"
#include "model/moment.h"

/*
 * DESIGN: what may become of a cluster, whatever is planned for it. First all
 * is planned as if nobody had said anything; then who holds the cluster, by
 * hand or in its source, drops the plan; who protects it drops the end of it.
 * So no other file of the diff need know of either, and what waits can be told.
 */

/* --- Held. --- */

/* "3 changes wait": so many rows as people would count them. */
static const char *waiting_words(const struct diff *d)
{
    const struct plan *plan = d->plan;
    if (plan->count)
        return arena_format(
            d->arena, "; not done: %s %s%s%s", action_kind_words(plan->actions[0].kind),
            plan->actions[0].subject,
            plan->count > 1 ? arena_format(d->arena, ", and %zu more", plan->count - 1) : "",
            plan->refused_count ? ", and more" : "");
    return plan->refused_count ? "; its settings differ" : "";
}

/* A cluster that is to go is not held by having been stopped. */
static const char *why_held(const struct diff *d)
{
    const struct marks *marks = &d->observed->marks;
    if (!d->desired && d->policy->any_owner)
        return NULL;
    if (marks->suspended)
        return arena_format(d->arena, "suspended by hand; `kind resume %s` ends that%s",
                            d->plan->cluster, waiting_words(d));
    if (d->desired && d->desired->suspend)
        return arena_format(d->arena, "suspended by its source%s", waiting_words(d));
    if (d->desired && marks->stopped)
        return arena_format(d->arena, "stopped by hand; `kind start %s` ends that",
                            d->plan->cluster);
    return NULL;
}

/* --- Protected. --- */

/* A set-up that never finished has nothing to lose, unless it was marked once. */
bool diff_is_protected(const struct diff *d)
{
    const struct marks *marks = &d->observed->marks;
    if (!d->desired)
        return marks->protect && !d->policy->unprotect;
    return d->desired->protect && (marks->protect || d->observed->recorded != SEEN_NO);
}

const char *diff_recreate_needs(const struct diff *d)
{
    return diff_is_protected(d) ? "the cluster is protected" : "needs --allow recreate";
}

static const struct action *find_end(const struct diff *d)
{
    const struct action *first = NULL;
    size_t deleted = 0;
    for (size_t i = 0; i < d->plan->count; i++) {
        const struct action *action = &d->plan->actions[i];
        if (action->kind != ACTION_DELETE_NODE)
            continue;
        first = first ? first : action;
        deleted++;
        if (action->change >= CHANGE_RECREATE)
            return action;
    }
    return deleted && deleted == d->observed->node_count ? first : NULL;
}

static void keep_protected(const struct diff *d)
{
    const struct action *end = find_end(d);
    if (!end || !diff_is_protected(d))
        return;
    static const char lift[] = "take `protect: true` out of its source and apply that first";
    enum change_class change = d->desired ? CHANGE_RECREATE : CHANGE_DELETE;
    const char *reason = end->reason;
    d->plan->count = 0;
    d->plan->record = (struct facet_list){NULL, 0};
    plan_refuse(d->plan, change, d->plan->cluster, "%s; refused: the cluster is protected (%s%s)",
                reason, lift,
                d->policy->any_owner ? ", or give --protected to delete it all the same" : "");
}

/* --- Marked. --- */

static const char *moment_words(const struct diff *d, uint64_t unix_s)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (unix_s)
        moment_add(&text, unix_s);
    else
        text_add(&text, "none");
    return arena_string(d->arena, text.data);
}

static const char *ttl_words(const struct diff *d, uint64_t seconds)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (seconds)
        duration_add(&text, seconds * 1000);
    else
        text_add(&text, "none");
    return arena_string(d->arena, text.data);
}

static const char *marks_reason(const struct diff *d)
{
    const struct marks *have = &d->observed->marks;
    const struct cluster_spec *want = d->desired;
    if (have->protect != want->protect)
        return want->protect ? "protect: false -> true" : "protect: true -> false";
    if (have->ttl_s != want->ttl_s)
        return arena_format(d->arena, "ttl: %s -> %s", ttl_words(d, have->ttl_s),
                            ttl_words(d, want->ttl_s));
    if (have->expires_at_s != want->expires_at_s)
        return arena_format(d->arena, "expiresAt: %s -> %s", moment_words(d, have->expires_at_s),
                            moment_words(d, want->expires_at_s));
    return want->allow_delete ? "allow: delete is given" : "allow: delete is withdrawn";
}

/* At once, before all else: that must hold also where the rest cannot be done. */
static void plan_marks(const struct diff *d)
{
    if (d->observed->recorded != SEEN_YES || marks_agree(&d->observed->marks, d->desired) ||
        find_end(d))
        return;
    plan_add_first(d->plan, ACTION_MARKS, CHANGE_LIVE, d->plan->cluster, marks_reason(d));
    for (size_t i = 1; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == ACTION_RECORD)
            plan_after(d->plan, i, 0);
    }
}

void diff_plan_life(const struct diff *d)
{
    keep_protected(d);
    if (d->desired)
        plan_marks(d);
    const char *held = why_held(d);
    if (held)
        plan_hold(d->plan, held);
}

bool diff_refuse_unknown_marks(const struct diff *d)
{
    const char *unknown = d->observed->marks.unknown;
    if (!unknown || (!d->desired && d->policy->any_owner && !d->policy->wish))
        return false;
    plan_refuse(d->plan, d->desired || d->policy->wish ? CHANGE_LIVE : CHANGE_DELETE,
                d->plan->cluster,
                "is marked '%s', which this version does not know; left alone (use the newer one)",
                unknown);
    return true;
}

/* --- Asked for by hand. --- */

/* Changes this mark unless it is so already. */
static void plan_mark(const struct diff *d, bool *mark, bool wanted, const char *reason)
{
    if (*mark != wanted)
        plan_add(d->plan, ACTION_MARKS, CHANGE_LIVE, d->plan->cluster, reason);
    *mark = wanted;
}

/* Those that run, or may run again in a moment. */
static void stop_nodes(const struct diff *d, bool (*is_of_kind)(const struct node_state *),
                       size_t after_count)
{
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool runs = node->status == CONTAINER_RUNNING || node->status == CONTAINER_PAUSED ||
                    node->status == CONTAINER_RESTARTING;
        if (!runs || !is_of_kind(node))
            continue;
        size_t action =
            plan_add(d->plan, ACTION_STOP_NODE, CHANGE_LIVE, node->name, "asked for by hand");
        for (size_t earlier = 0; earlier < after_count; earlier++)
            plan_after(d->plan, action, earlier);
    }
}

/* What is asked of control planes is answered to the last; who leads there goes after them. */
static void plan_stop(const struct diff *d)
{
    plan_mark(d, &d->plan->marks.stopped, true, "stopped by hand");
    stop_nodes(d, diff_is_worker, d->plan->count);
    stop_nodes(d, diff_is_control_plane, d->plan->count);
    stop_nodes(d, diff_is_balancer, d->plan->count);
}

static void plan_start(const struct diff *d)
{
    plan_mark(d, &d->plan->marks.stopped, false, "started by hand");
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX - 2; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_is_stopped(node))
            plan_add(d->plan, ACTION_START_NODE, CHANGE_LIVE, node->name,
                     container_status_name(node->status));
    }
    bool started = d->plan->count && d->plan->actions[d->plan->count - 1].kind == ACTION_START_NODE;
    if (d->observed->recorded != SEEN_YES)
        return;
    if (d->observed->kubeconfig == SEEN_NO) {
        size_t action = plan_add(d->plan, ACTION_KUBECONFIG, CHANGE_LIVE, d->plan->cluster,
                                 "entry is missing or out of date");
        diff_wait_for(d, action, KIND(START_NODE));
    }
    if (started || d->observed->ready == SEEN_NO) {
        size_t action =
            plan_add(d->plan, ACTION_AWAIT_READY, CHANGE_LIVE, d->plan->cluster, "not Ready");
        diff_wait_for(d, action, KIND(START_NODE) | KIND(KUBECONFIG));
    }
}

void diff_plan_wish(const struct diff *d)
{
    switch (d->policy->wish) {
    case DIFF_CONVERGE:
        return;
    case DIFF_STOP:
        plan_stop(d);
        return;
    case DIFF_START:
        plan_start(d);
        return;
    case DIFF_SUSPEND:
        plan_mark(d, &d->plan->marks.suspended, true, "suspended by hand");
        return;
    case DIFF_RESUME:
        plan_mark(d, &d->plan->marks.suspended, false, "resumed by hand");
        return;
    }
}
