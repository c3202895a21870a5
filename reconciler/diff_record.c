#include "reconciler/diff_parts.h"

#include <string.h>

/*
 * DESIGN: the record is what holds when the plan has been carried out. For
 * each setting that is desired or was recorded one of the two is true then,
 * or neither, because its node is not there.
 */
struct record {
    struct facet *items;
    size_t count;
};

/* Of a node that the spec has. */
static const struct facet *of_desired(const struct diff *d, const struct facet *want,
                                      const struct facet *have, enum change_class change,
                                      const char *node)
{
    bool comes =
        diff_is_planned(d, ACTION_CREATE_NODE, node) || diff_is_planned(d, ACTION_BALANCER, node);
    if (!diff_find(d, node))
        return comes ? want : NULL;
    if (diff_is_new(d, node))
        return diff_is_planned(d, ACTION_JOIN, node) ? want : NULL;
    return change == CHANGE_LIVE ? want : have;
}

static const struct facet *holds(const struct diff *d, const struct facet *want,
                                 const struct facet *have)
{
    const struct facet *facet = want ? want : have;
    const char *node = facet->node;
    if (!node)
        return facet->change == CHANGE_LIVE ? want : have;
    if (facet_is_entrance(facet) && diff_moves(d))
        return diff_moves_now(d) ? want : have;
    if (diff_desires(d, node))
        return of_desired(d, want, have, facet->change, node);
    return diff_find(d, node) && !diff_is_planned(d, ACTION_DELETE_NODE, node) ? have : NULL;
}

/* It is made anew with its data, and nothing else is changed. */
static const struct facet *of_successor(const struct diff *d, const struct facet *want,
                                        const struct facet *have)
{
    const struct facet *facet = want ? want : have;
    /* It has no images that nobody wants any more. */
    if (!facet->node)
        return want || !diff_is_field(facet, "preload") ? have : NULL;
    if (diff_is_planned(d, ACTION_BOOTSTRAP, facet->node))
        return facet->change == CHANGE_LIVE ? have : want;
    bool stays = diff_find(d, facet->node) && !diff_is_planned(d, ACTION_DELETE_NODE, facet->node);
    return stays ? have : NULL;
}

static bool has_successor(const struct diff *d)
{
    for (size_t i = 0; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == ACTION_BOOTSTRAP)
            return true;
    }
    return false;
}

static void add_facet(const struct diff *d, struct record *record, const struct facet *facet)
{
    record->items = arena_grow(d->arena, record->items, record->count, sizeof(*record->items));
    const char *path = arena_string(d->plan->arena, facet->path);
    record->items[record->count++] = (struct facet){
        .path = path,
        .field = path + (facet->field - facet->path),
        .value = arena_string(d->plan->arena, facet->value),
        .node = arena_string(d->plan->arena, facet->node),
        .change = facet->change,
    };
}

static void add_held(const struct diff *d, const struct facet *want, const struct facet *have,
                     void *context)
{
    const struct facet *facet =
        has_successor(d) ? of_successor(d, want, have) : holds(d, want, have);
    if (facet)
        add_facet(d, context, facet);
}

static void add_wanted(const struct diff *d, const struct facet *want, const struct facet *have,
                       void *context)
{
    (void)have;
    if (want)
        add_facet(d, context, want);
}

void diff_fill_record(const struct diff *d)
{
    struct record record = {0};
    diff_walk(d, d->observed->recorded == SEEN_YES ? add_held : add_wanted, &record);
    d->plan->record = (struct facet_list){.items = record.items, .count = record.count};
}

/* Facets are sorted, so those of one node stand together. */
size_t diff_count_dropped(const struct diff *d)
{
    size_t count = 0;
    const char *last = "";
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const char *node = d->observed->applied.items[i].node;
        if (!node || strcmp(node, last) == 0)
            continue;
        last = node;
        count += !diff_desires(d, node) && !diff_find(d, node);
    }
    return count;
}

bool diff_refuse_unrecordable(const struct diff *d)
{
    if (facet_record_fits(d->desired->name, &d->facets))
        return false;
    plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster,
                "asks for more settings than can be recorded (%d KiB)",
                FACET_RECORD_BYTES_MAX / 1024);
    return true;
}
