/*
 * upgrade.h - which change of a node's Kubernetes version is allowed.
 *
 * The rules are kubeadm's: patches up, one minor version up, nothing down,
 * nothing skipped; and Kubernetes' own: no kubelet newer than the API it
 * speaks to, nor much older. What is not known refuses nothing: who knows
 * more asks again.
 */
#ifndef MODEL_UPGRADE_H
#define MODEL_UPGRADE_H

#include "base/arena.h"
#include "model/spec.h"

/* The version in an image's tag, as "v1.20.2"; NULL if it has none. In the arena. */
const char *upgrade_image_version(struct arena *arena, const char *image);

struct upgrade {
    enum node_role role;
    const char *from, *to; /* of the node; NULL: not known */
    /* The oldest that a control plane has, of a control plane: another one; NULL: not known. */
    const char *control_plane;
};

/* Why not, and what to do instead, in the arena; NULL: it is allowed, or not known to be wrong. */
const char *upgrade_refusal(struct arena *arena, const struct upgrade *upgrade);

#endif
