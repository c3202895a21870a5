/* What clusters wait for: known names, and no circles. */
#include "base/nearest.h"
#include "base/text.h"
#include "model/validate.h"
#include <string.h>

static size_t index_of(const struct fleet_spec *fleet, const char *name)
{
    const struct cluster_spec *found = fleet_spec_find(fleet, name);
    return found ? (size_t)(found - fleet->clusters) : fleet->cluster_count;
}

static void report_unknown(struct loader *loader, const struct fleet_spec *fleet,
                           const struct dependency_spec *dependency)
{
    struct nearest nearest = {.word = dependency->name};
    for (size_t i = 0; i < fleet->cluster_count; i++)
        nearest_offer(&nearest, fleet->clusters[i].name);
    const char *name = problem_quote(loader->problems, dependency->name);
    if (nearest.best)
        problem_add(loader->problems, dependency->place,
                    "spec.dependsOn: there is no cluster %s in these sources; did you mean %s?",
                    name, problem_quote(loader->problems, nearest.best));
    else
        problem_add(loader->problems, dependency->place,
                    "spec.dependsOn: there is no cluster %s in these sources", name);
}

/* Those that are known, waited for and not in order yet. */
static size_t count_open(const struct fleet_spec *fleet, const bool *ordered,
                         const struct cluster_spec *cluster)
{
    size_t open = 0;
    for (size_t i = 0; i < cluster->dependency_count; i++) {
        size_t index = index_of(fleet, cluster->depends_on[i].name);
        open += index < fleet->cluster_count && !ordered[index];
    }
    return open;
}

/* Marks what can be begun one after the other; what remains is in a circle, or waits for one. */
static void order(const struct fleet_spec *fleet, bool *ordered)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < fleet->cluster_count; i++) {
            if (ordered[i] || count_open(fleet, ordered, &fleet->clusters[i]))
                continue;
            ordered[i] = more = true;
        }
    }
}

/* The first that this one waits for in vain. */
static const struct dependency_spec *next_in_circle(const struct fleet_spec *fleet,
                                                    const bool *ordered, size_t cluster,
                                                    size_t *ret_next)
{
    const struct cluster_spec *spec = &fleet->clusters[cluster];
    for (size_t i = 0; i < spec->dependency_count; i++) {
        size_t next = index_of(fleet, spec->depends_on[i].name);
        if (next < fleet->cluster_count && !ordered[next]) {
            *ret_next = next;
            return &spec->depends_on[i];
        }
    }
    return NULL;
}

/* From any that remains the way leads into a circle: one link of it is told, and opened. */
static void report_circle(struct loader *loader, const struct fleet_spec *fleet, bool *ordered,
                          size_t start)
{
    enum { NAMES_MAX = 10 };
    size_t next = start;
    for (size_t steps = 0; steps < fleet->cluster_count; steps++)
        (void)next_in_circle(fleet, ordered, next, &next);
    cleanup_text struct text way;
    text_init(&way, 0);
    const size_t first = next;
    const struct dependency_spec *link = next_in_circle(fleet, ordered, first, &next);
    text_add(&way, fleet->clusters[first].name);
    size_t named = 0;
    for (size_t at = next; at != first; (void)next_in_circle(fleet, ordered, at, &at)) {
        if (named++ < NAMES_MAX)
            text_add_format(&way, " -> %s", fleet->clusters[at].name);
    }
    text_add_format(&way, "%s -> %s", named > NAMES_MAX ? " -> ..." : "",
                    fleet->clusters[first].name);
    problem_add(loader->problems, link->place, "spec.dependsOn: waits for itself: %s; take one out",
                way.data);
    ordered[first] = true;
}

void validate_dependencies(struct loader *loader, const struct fleet_spec *fleet)
{
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        const struct cluster_spec *cluster = &fleet->clusters[i];
        for (size_t j = 0; j < cluster->dependency_count; j++)
            if (!fleet_spec_find(fleet, cluster->depends_on[j].name))
                report_unknown(loader, fleet, &cluster->depends_on[j]);
    }
    bool *ordered = arena_array(loader->arena, fleet->cluster_count, sizeof(*ordered));
    order(fleet, ordered);
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        while (!ordered[i]) {
            report_circle(loader, fleet, ordered, i);
            order(fleet, ordered);
        }
    }
}
