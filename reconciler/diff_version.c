#include "model/upgrade.h"
#include "reconciler/diff_parts.h"

#include <string.h>

/*
 * What the control planes have: by the recorded image of the first, else by
 * what its kubelet says.
 */
static const char *control_plane_version(const struct diff *d)
{
    const char *first = spec_first_control_plane(d->desired)->name;
    const char *version = NULL;
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (facet->node && strcmp(facet->node, first) == 0 && diff_is_field(facet, "image"))
            version = upgrade_image_version(d->arena, facet->value);
    }
    return version ? version : d->observed->version;
}

const char *diff_version_refusal(const struct diff *d, const char *node, const char *have,
                                 const char *want)
{
    const struct upgrade upgrade = {
        .role = diff_wants_control_plane(d, node) ? NODE_CONTROL_PLANE : NODE_WORKER,
        .from = upgrade_image_version(d->arena, have),
        .to = upgrade_image_version(d->arena, want),
        .control_plane = control_plane_version(d),
    };
    return upgrade_refusal(d->arena, &upgrade);
}
