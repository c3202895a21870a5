#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <string.h>

/*
 * What is changed in a living cluster, field by field. A row says which action
 * does it, and of what; what only some directions of a change need (an image
 * that nobody wants any more stays where it is) is only recorded.
 */
enum live_subject { OF_ITS_NODE, OF_CLUSTER, OF_ALL_NODES };

static const struct live_row {
    const char *field;
    enum action_kind kind;
    enum live_subject subject;
    bool when_gone; /* also where the spec does not have it any more */
} live[] = {
    {"labels", ACTION_NODE_SETTINGS, OF_ITS_NODE, true},
    {"taints", ACTION_NODE_SETTINGS, OF_ITS_NODE, true},
    {"manifests", ACTION_MANIFESTS, OF_CLUSTER, true},
    {"preload", ACTION_PRELOAD, OF_ALL_NODES, false},
};

#define UP (KIND(START_NODE) | KIND(BALANCER))

static bool is_for(const struct live_row *row, const struct difference *difference)
{
    return difference->change == CHANGE_LIVE && diff_is_field(difference->facet, row->field) &&
           (difference->want || row->when_gone);
}

static size_t count_live(const struct differences *differences)
{
    size_t count = 0;
    for (size_t i = 0; i < differences->count; i++)
        count += differences->items[i].change == CHANGE_LIVE;
    return count;
}

bool diff_has_live(const struct differences *differences)
{
    return count_live(differences) > 0;
}

/* The difference itself if there is one, else how many; of a node (NULL: of all) and a kind. */
static const char *reason_of(const struct diff *d, const struct differences *differences,
                             enum action_kind kind, const char *node)
{
    const struct difference *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(live); i++) {
        for (size_t j = 0; live[i].kind == kind && j < differences->count; j++) {
            const struct difference *difference = &differences->items[j];
            if (!is_for(&live[i], difference) ||
                (node && strcmp(difference->facet->node, node) != 0))
                continue;
            first = first ? first : difference;
            count++;
        }
    }
    const struct node_state *seen = node ? diff_find(d, node) : NULL;
    if (!first)
        return seen && seen->drift && !diff_is_new(d, node) ? seen->drift
                                                            : "not known to have joined";
    return count == 1 ? diff_named_words(d, first)
                      : arena_format(d->arena, "%zu settings differ", count);
}

/* The API is asked once all stand that are started, and of a node once it has joined. */
static void plan_one(const struct diff *d, const struct differences *differences,
                     enum action_kind kind, const char *subject)
{
    if (diff_is_planned(d, kind, subject))
        return;
    bool of_node = kind == ACTION_NODE_SETTINGS;
    size_t action = plan_add(d->plan, kind, CHANGE_LIVE, subject,
                             reason_of(d, differences, kind, of_node ? subject : NULL));
    if (kind == ACTION_PRELOAD) {
        diff_wait_for_own(d, action, KIND(START_NODE) | KIND(REVIVE));
        return;
    }
    diff_wait_for_own(d, action, KIND(JOIN));
    diff_wait_for(d, action, UP);
}

/* Also on those that may not go: they are part of the cluster still. */
static void plan_on_all(const struct diff *d, const struct differences *differences,
                        enum action_kind kind)
{
    bool removes = diff_removes(d);
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool goes = removes && diff_is_worker(node) && !diff_desires(d, node->name);
        if (!diff_is_balancer(node) && !node_state_is_aside(node) && !goes)
            plan_one(d, differences, kind, node->name);
    }
}

static void plan_row(const struct diff *d, const struct live_row *row,
                     const struct differences *differences, const struct difference *difference)
{
    switch (row->subject) {
    case OF_ITS_NODE:
        plan_one(d, differences, row->kind, difference->facet->node);
        return;
    case OF_CLUSTER:
        plan_one(d, differences, row->kind, d->desired->name);
        return;
    case OF_ALL_NODES:
        plan_on_all(d, differences, row->kind);
        return;
    }
}

/* It may have joined when other labels were desired, and nobody wrote that down. */
static void plan_unrecorded(const struct diff *d, const struct differences *differences)
{
    size_t count = d->plan->count;
    for (size_t i = 0; i < count; i++) {
        const struct action *action = &d->plan->actions[i];
        if (action->kind == ACTION_JOIN && diff_find(d, action->subject) &&
            (diff_is_new(d, action->subject) || diff_is_forgotten(d, action->subject)))
            plan_one(d, differences, ACTION_NODE_SETTINGS, action->subject);
    }
}

/* Recorded, but not so: somebody else changed it, or the record was not written when we did. */
static void plan_drift(const struct diff *d, const struct differences *differences)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (node->drift && diff_desires(d, node->name) && !diff_is_new(d, node->name))
            plan_one(d, differences, ACTION_NODE_SETTINGS, node->name);
    }
}

void diff_plan_live(const struct diff *d, const struct differences *differences)
{
    plan_unrecorded(d, differences);
    plan_drift(d, differences);
    for (size_t i = 0; i < COUNT_OF(live); i++) {
        for (size_t j = 0; j < differences->count; j++) {
            if (is_for(&live[i], &differences->items[j]))
                plan_row(d, &live[i], differences, &differences->items[j]);
        }
    }
}

const char *diff_live_reason(const struct diff *d, const struct differences *differences)
{
    size_t count = count_live(differences), i = 0;
    if (count != 1)
        return arena_format(d->arena, "%zu settings differ", count);
    while (differences->items[i].change != CHANGE_LIVE)
        i++;
    return diff_named_words(d, &differences->items[i]);
}
