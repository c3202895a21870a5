#include "model/upgrade.h"

#include "model/version.h"
#include <string.h>

/* How many minor versions a kubelet may be behind the API: one more since 1.28. */
enum { SKEW = 2, LATER_SKEW = 3 };

const char *upgrade_image_version(struct arena *arena, const char *image)
{
    if (!image)
        return NULL;
    const char *slash = strrchr(image, '/');
    const char *colon = strchr(slash ? slash : image, ':');
    if (!colon)
        return NULL;
    const char *tag = arena_string_n(arena, colon + 1, strcspn(colon + 1, "@"));
    struct version version;
    struct error *none = NULL;
    if (version_parse(tag, &version, &none)) {
        error_free(none);
        return NULL;
    }
    return *tag == 'v' ? tag : arena_format(arena, "v%s", tag);
}

/* False also for what is no version. */
static bool read(const char *text, struct version *version)
{
    struct error *none = NULL;
    if (!text)
        return false;
    bool good = version_parse(text, version, &none) == 0;
    error_free(none);
    return good;
}

/* Of the same minor version, or one older, or newer. */
static bool is_next(const struct version *from, const struct version *to)
{
    return to->major == from->major && to->minor <= from->minor + 1;
}

static const char *of_control_plane(struct arena *arena, const struct upgrade *upgrade)
{
    struct version from, other, to;
    if (!read(upgrade->from, &from) || !read(upgrade->to, &to))
        return NULL;
    if (version_compare(&to, &from) < 0)
        return arena_format(arena,
                            "%s -> %s is a downgrade, which Kubernetes does not support; keep %s, "
                            "or make the cluster anew with --allow recreate",
                            upgrade->from, upgrade->to, upgrade->from);
    if (!is_next(&from, &to))
        return arena_format(arena,
                            "%s -> %s skips a minor version, which Kubernetes does not support; go "
                            "to v%u.%u first",
                            upgrade->from, upgrade->to, from.major, from.minor + 1);
    if (!read(upgrade->control_plane, &other) || is_next(&other, &to))
        return NULL;
    return arena_format(arena,
                        "%s is more than one minor version newer than another control plane's %s, "
                        "which Kubernetes does not support; upgrade that one first",
                        upgrade->to, upgrade->control_plane);
}

/* It holds no data, but whoever takes a version back means the whole cluster, which cannot. */
static const char *of_worker(struct arena *arena, const struct upgrade *upgrade)
{
    struct version from, planes, to;
    if (!read(upgrade->to, &to))
        return NULL;
    if (read(upgrade->from, &from) && version_compare(&to, &from) < 0)
        return arena_format(arena,
                            "%s -> %s is a downgrade, which Kubernetes does not support; keep %s, "
                            "or take the node out of the spec and add it again",
                            upgrade->from, upgrade->to, upgrade->from);
    if (!read(upgrade->control_plane, &planes))
        return NULL;
    if (version_compare(&to, &planes) > 0)
        return arena_format(arena,
                            "%s is newer than the control planes' %s, which Kubernetes does not "
                            "support; upgrade the control planes first",
                            upgrade->to, upgrade->control_plane);
    unsigned skew = version_core_before(&planes, "v1.28.0") ? SKEW : LATER_SKEW;
    if (to.major == planes.major && to.minor + skew >= planes.minor)
        return NULL;
    return arena_format(arena,
                        "%s is more than %u minor versions older than the control planes' %s; take "
                        "a newer image for it",
                        upgrade->to, skew, upgrade->control_plane);
}

const char *upgrade_refusal(struct arena *arena, const struct upgrade *upgrade)
{
    return upgrade->role == NODE_CONTROL_PLANE ? of_control_plane(arena, upgrade)
                                               : of_worker(arena, upgrade);
}
