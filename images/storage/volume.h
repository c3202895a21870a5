/*
 * volume.h - which volumes this node owes to claims, and which it may clear away.
 *
 * Pure: API objects in, decisions and API objects out. A volume's name,
 * pvc-<uid of its claim>, says all: it is the PersistentVolume's name and the
 * folder's, so that making it twice makes it once.
 */
#ifndef STORAGE_VOLUME_H
#define STORAGE_VOLUME_H

#include <stdbool.h>

#include <jansson.h>

#define VOLUME_PROVISIONER "fleet.kind/local"
/* Where upstream's node image has them, too. */
#define VOLUME_BASE "/var/local-path-provisioner"

/* "pvc-" and a uid; a folder's name, so it holds neither slashes nor dots. */
enum { VOLUME_NAME_SIZE = 64 };

enum volume_wish {
    VOLUME_UNWANTED, /* no claim on this node, or it has its volume */
    VOLUME_WANTED,
    VOLUME_REFUSED, /* a folder cannot be what the claim asks for */
};

/*
 * What a claim wants of this node, once the scheduler has chosen it and
 * kube-controller-manager has handed the claim over. class is the claim's
 * StorageClass, or NULL. name is set unless VOLUME_UNWANTED; *why with VOLUME_REFUSED.
 */
enum volume_wish volume_wish(const json_t *claim, const json_t *class, const char *node,
                             char name[VOLUME_NAME_SIZE], const char **why);

/* The PersistentVolume for a claim that wants one; the caller's. */
json_t *volume_object(const json_t *claim, const json_t *class, const char *node);

/* The Event by which a refusal is told, once per claim; the caller's. now is RFC 3339. */
json_t *volume_event(const json_t *claim, const char *node, const char *why, const char *now);

/*
 * Is this PersistentVolume ours, this node's, given back, and to be deleted?
 * Volumes of a node that is gone are nobody's, and stay.
 */
bool volume_is_released(const json_t *volume, const char *node, char name[VOLUME_NAME_SIZE]);

#endif
