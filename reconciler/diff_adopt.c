#include "reconciler/diff_parts.h"

#include <string.h>

/*
 * DESIGN: a cluster that another tool made is left alone until somebody says
 * --adopt. To adopt it changes nothing in it: it is noted whose it is, and its
 * settings are recorded as they are. What differs from the source is the next
 * round's, in the next plan, by the rules for every cluster. So that this can
 * be no removal of something that the source merely forgot to name, the
 * source must name just the nodes that are there, and what they are made of.
 */

bool diff_is_strange(const struct node_state *node)
{
    return !node->owner;
}

static bool is_all_strange(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (!diff_is_strange(&d->observed->nodes[i]))
            return false;
    }
    return d->observed->node_count > 0;
}

static const struct node_spec *spec_of(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        if (strcmp(d->desired->nodes[i].name, node) == 0)
            return &d->desired->nodes[i];
    }
    return NULL;
}

/* Why it cannot be taken over as it is, and what to do; or NULL. */
static const char *why_not_node(const struct diff *d, const struct node_state *node)
{
    const struct node_spec *spec = spec_of(d, node->name);
    if (!diff_desires(d, node->name))
        return "is there, but not in its source; name it there first";
    if (diff_is_lost(node))
        return "its container is dead";
    if (spec && strcmp(node->role, node_role_name(spec->role)) != 0)
        return arena_format(d->arena, "is a %s; say so in its source first", node->role);
    if (spec && (!spec->image || strcmp(spec->image, node->image) != 0))
        return arena_format(d->arena, "was made of another image; write 'image: %s' in its source",
                            node->image);
    return NULL;
}

static bool refuse(const struct diff *d)
{
    size_t before = d->plan->refused_count;
    if (!marks_can_name(d->policy->fleet))
        plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster,
                    "cannot be adopted: of the fleet's name '%s' no note can be made",
                    d->policy->fleet);
    if (spec_role_count(d->desired, NODE_CONTROL_PLANE) > 1)
        plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster,
                    "cannot be adopted: it has several control planes, behind a load balancer that "
                    "only its maker knows");
    if (d->desired->suspend)
        plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster,
                    "cannot be adopted: it is suspended by its source");
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        const char *why = why_not_node(d, node);
        if (why)
            plan_refuse(d->plan, CHANGE_LIVE, node->name, "cannot be adopted: %s", why);
    }
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const char *name = d->desired->nodes[i].name;
        if (!diff_find(d, name))
            plan_refuse(d->plan, CHANGE_LIVE, name,
                        "cannot be adopted: is in the source, but not there; add it afterwards");
    }
    return d->plan->refused_count > before;
}

bool diff_plan_adoption(const struct diff *d)
{
    if (!d->policy->adopt || !d->desired || d->policy->wish || !is_all_strange(d))
        return false;
    diff_refuse_unsupported(d->desired, d->plan);
    if (diff_refuse_unknown_marks(d) || refuse(d) || d->plan->refused_count)
        return true;
    d->plan->marks.owner = arena_string(d->plan->arena, d->policy->fleet);
    plan_add(d->plan, ACTION_ADOPT, CHANGE_LIVE, d->plan->cluster,
             "made by upstream's kind; is this fleet's from now on");
    return true;
}

bool diff_is_adopted(const struct node_state *node)
{
    return !node->shape;
}
