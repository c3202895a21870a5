#include "model/upgrade.h"
#include "model/version.h"
#include "reconciler/diff_parts.h"

#include <string.h>

static bool is_older(const char *version, const char *than)
{
    struct version a, b;
    struct error *none = NULL;
    bool older = version_parse(version, &a, &none) == 0 && version_parse(than, &b, &none) == 0 &&
                 version_compare(&a, &b) < 0;
    error_free(none);
    return older;
}

/* The oldest that a control plane has but this one (NULL: but none), by its recorded image. */
static const char *oldest_plane(const struct diff *d, const char *but)
{
    const char *oldest = NULL;
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (!facet->node || !diff_is_field(facet, "image") || !diff_is_member(d, facet->node) ||
            (but && strcmp(facet->node, but) == 0))
            continue;
        const char *version = upgrade_image_version(d->arena, facet->value);
        if (version && (!oldest || is_older(version, oldest)))
            oldest = version;
    }
    return oldest;
}

/* What the control planes have: by their recorded images, else by what a kubelet says. */
static const char *control_plane_version(const struct diff *d)
{
    const char *version = oldest_plane(d, NULL);
    return version ? version : d->observed->version;
}

const char *diff_version_refusal(const struct diff *d, const char *node, const char *have,
                                 const char *want)
{
    bool plane = diff_wants_control_plane(d, node);
    const struct upgrade upgrade = {
        .role = plane ? NODE_CONTROL_PLANE : NODE_WORKER,
        .from = upgrade_image_version(d->arena, have),
        .to = upgrade_image_version(d->arena, want),
        .control_plane = plane ? oldest_plane(d, node) : control_plane_version(d),
    };
    return upgrade_refusal(d->arena, &upgrade);
}
