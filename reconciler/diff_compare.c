#include "reconciler/diff_parts.h"

#include <assert.h>
#include <string.h>

/*
 * A node can be replaced alone, a lone control plane with the cluster's data,
 * one of several because others have it. What is said of the cluster was said
 * to all nodes: that is its end.
 */
static enum change_class cost_of(const struct diff *d, const struct facet *facet)
{
    if (facet->change != CHANGE_REPLACE)
        return facet->change;
    const struct node_state *node = facet->node ? diff_find(d, facet->node) : NULL;
    if (!node || diff_is_field(facet, "role") || diff_is_balancer(node))
        return CHANGE_RECREATE;
    bool plane = diff_wants_control_plane(d, node->name);
    size_t planes = diff_count_planes(d);
    bool alone = !plane || diff_is_lone(d, node->name) || planes > 2 ||
                 spec_role_count(d->desired, NODE_CONTROL_PLANE) > 2 || /* others come first */
                 (planes > 1 && !d->desired->balancer); /* it is lone when they have gone */
    return plane == diff_is_control_plane(node) && alone ? CHANGE_REPLACE : CHANGE_RECREATE;
}

const char diff_two_words[] = "two control planes cannot be made anew one by one (a third makes it "
                              "possible), and all nodes anew need --allow recreate";

/* Says of one of two control planes what needs another container: neither can be without the other.
 */
static bool is_one_of_two(const struct diff *d, const struct facet *facet)
{
    return facet && facet->node && facet->change == CHANGE_REPLACE &&
           !diff_is_field(facet, "role") && diff_wants_control_plane(d, facet->node) &&
           spec_role_count(d->desired, NODE_CONTROL_PLANE) == 2 && diff_count_planes(d) == 2;
}

/* What is made anew with its data must have been made by us. */
static bool is_of_adopted_plane(const struct diff *d, const struct facet *facet)
{
    const struct node_state *node = facet && facet->node ? diff_find(d, facet->node) : NULL;
    return node && diff_is_control_plane(node) && diff_is_adopted(node) &&
           facet->change == CHANGE_REPLACE;
}

/* A control plane whose data the wanted version would not read, or that is one of two. */
static const char *why_dearer(const struct diff *d, const struct facet *want,
                              const struct facet *have)
{
    if (is_of_adopted_plane(d, want) || is_of_adopted_plane(d, have))
        return "another tool made it, so it cannot be made anew with its data, and all nodes anew "
               "need --allow recreate";
    if (is_one_of_two(d, want) || is_one_of_two(d, have))
        return diff_two_words;
    if (!want || !have || !want->node || !diff_is_field(want, "image") ||
        !diff_wants_control_plane(d, want->node))
        return NULL;
    return diff_version_refusal(d, want->node, have->value, want->value);
}

/* A node that is only wanted, or only there, differs as a whole: not told facet by facet. */
static bool is_of_one_side(const struct diff *d, const struct facet *facet)
{
    return facet->node && (!diff_desires(d, facet->node) || !diff_find(d, facet->node) ||
                           diff_is_new(d, facet->node));
}

static void add_difference(const struct diff *d, struct differences *differences,
                           const struct facet *want, const struct facet *have)
{
    const struct facet *facet = want ? want : have;
    assert(facet);
    if (facet_is_entrance(facet) && diff_moves(d) ? !want || !diff_why_stays(d, want)
                                                  : is_of_one_side(d, facet))
        return;
    size_t count = differences->count++;
    differences->items =
        arena_grow(d->arena, differences->items, count, sizeof(*differences->items));
    const char *why = why_dearer(d, want, have);
    bool recreates = why || (facet_is_entrance(facet) && diff_moves(d));
    differences->items[count] = (struct difference){
        facet, want, have, recreates ? CHANGE_RECREATE : cost_of(d, facet), why};
    differences->recreating += differences->items[count].change == CHANGE_RECREATE;
}

void diff_walk(const struct diff *d, diff_visit *visit, void *context)
{
    const struct facet_list *want = &d->facets, *have = &d->observed->applied;
    size_t i = 0, j = 0;
    while (i < want->count || j < have->count) {
        const struct facet *left = i < want->count ? &want->items[i] : NULL;
        const struct facet *right = j < have->count ? &have->items[j] : NULL;
        int order = !left ? 1 : !right ? -1 : strcmp(left->path, right->path);
        visit(d, order <= 0 ? left : NULL, order >= 0 ? right : NULL, context);
        i += order <= 0;
        j += order >= 0;
    }
}

static void compare(const struct diff *d, const struct facet *want, const struct facet *have,
                    void *context)
{
    if (!want || !have || strcmp(want->value, have->value) != 0)
        add_difference(d, context, want, have);
}

void diff_compare(const struct diff *d, struct differences *differences)
{
    *differences = (struct differences){0};
    diff_walk(d, compare, differences);
}

bool diff_is_field(const struct facet *facet, const char *field)
{
    size_t length = strlen(field);
    return strncmp(facet->field, field, length) == 0 &&
           (!facet->field[length] || facet->field[length] == '[');
}

const char *diff_words(const struct diff *d, const struct difference *difference)
{
    if (facet_is_entrance(difference->facet) && diff_moves(d))
        return diff_why_stays(d, difference->want);
    return arena_format(d->arena, "%s -> %s", difference->have ? difference->have->value : "none",
                        difference->want ? difference->want->value : "none");
}

/* "labels tier: web -> db", "image a -> b": the field, what stands in its brackets, the values. */
const char *diff_named_words(const struct diff *d, const struct difference *difference)
{
    const struct facet *facet = difference->facet;
    const char *field = facet->field, *key = strchr(field, '['), *words = diff_words(d, difference);
    if (!key)
        return arena_format(d->arena, "%s %s", field, words);
    return arena_format(d->arena, "%.*s %.*s: %s", (int)(key - field), field, (int)strlen(key) - 2,
                        key + 1, words);
}
