#include "volume.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../cluster-api/memory.h"

#define HOSTNAME_LABEL "kubernetes.io/hostname"
#define PROVISIONED_BY "pv.kubernetes.io/provisioned-by"
#define SELECTED_NODE "volume.kubernetes.io/selected-node"

static const char *text_at(const json_t *object, const char *outer, const char *inner)
{
    return json_string_value(json_object_get(json_object_get(object, outer), inner));
}

static const char *annotation(const json_t *object, const char *key)
{
    return text_at(json_object_get(object, "metadata"), "annotations", key);
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The API server makes uids of letters, digits and dashes; anything else is not used as a name. */
static bool volume_name(char name[VOLUME_NAME_SIZE], const char *uid)
{
    if (!uid || !*uid)
        return false;
    for (const char *c = uid; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return false;
    return snprintf(name, VOLUME_NAME_SIZE, "pvc-%s", uid) < VOLUME_NAME_SIZE;
}

/* The name without "beta" is what newer clusters set, first beside the other, then alone. */
static bool handed_over(const json_t *claim)
{
    const char *provisioner = annotation(claim, "volume.kubernetes.io/storage-provisioner");
    if (!provisioner)
        provisioner = annotation(claim, "volume.beta.kubernetes.io/storage-provisioner");
    return same(provisioner, VOLUME_PROVISIONER);
}

static const char *refusal(const json_t *spec)
{
    size_t i;
    const json_t *mode;
    if (same(json_string_value(json_object_get(spec, "volumeMode")), "Block"))
        return "volumes are folders: volumeMode Block is not possible";
    if (json_is_object(json_object_get(spec, "selector")))
        return "volumes are made for their claim: a selector is not possible";
    if (json_is_object(json_object_get(spec, "dataSource")))
        return "volumes begin empty: a dataSource is not possible";
    json_array_foreach(json_object_get(spec, "accessModes"), i, mode)
    {
        const char *text = json_string_value(mode);
        if (same(text, "ReadWriteMany") || same(text, "ReadOnlyMany"))
            return "volumes are folders of one node: only ReadWriteOnce is possible";
    }
    return NULL;
}

enum volume_wish volume_wish(const json_t *claim, const json_t *class, const char *node,
                             char name[VOLUME_NAME_SIZE], const char **why)
{
    const json_t *metadata = json_object_get(claim, "metadata");
    const char *bound = text_at(claim, "spec", "volumeName");
    if (!same(json_string_value(json_object_get(class, "provisioner")), VOLUME_PROVISIONER) ||
        !same(annotation(claim, SELECTED_NODE), node) || !handed_over(claim) || (bound && *bound) ||
        json_object_get(metadata, "deletionTimestamp") ||
        !volume_name(name, json_string_value(json_object_get(metadata, "uid"))))
        return VOLUME_UNWANTED;
    *why = refusal(json_object_get(claim, "spec"));
    return *why ? VOLUME_REFUSED : VOLUME_WANTED;
}

static json_t *claim_reference(const json_t *claim)
{
    return must(
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "apiVersion", "v1", "kind", "PersistentVolumeClaim",
                  "namespace", text_at(claim, "metadata", "namespace"), "name",
                  text_at(claim, "metadata", "name"), "uid", text_at(claim, "metadata", "uid")));
}

static json_t *on_node(const char *node)
{
    return must(json_pack("{s:{s:[{s:[{s:s, s:s, s:[s]}]}]}}", "required", "nodeSelectorTerms",
                          "matchExpressions", "key", HOSTNAME_LABEL, "operator", "In", "values",
                          node));
}

json_t *volume_object(const json_t *claim, const json_t *class, const char *node)
{
    const json_t *spec = json_object_get(claim, "spec");
    const json_t *asked = json_object_get(json_object_get(spec, "resources"), "requests");
    json_t *size = json_object_get(asked, "storage");
    const char *policy = json_string_value(json_object_get(class, "reclaimPolicy"));
    char name[VOLUME_NAME_SIZE], path[sizeof(VOLUME_BASE) + VOLUME_NAME_SIZE];
    if (!volume_name(name, text_at(claim, "metadata", "uid")))
        return NULL;
    snprintf(path, sizeof(path), VOLUME_BASE "/%s", name);
    return must(json_pack(
        "{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:{s:O*}, s:O*, s:s, s:s, s:s, s:o, s:{s:s, s:s}, s:o}}",
        "apiVersion", "v1", "kind", "PersistentVolume", "metadata", "name", name, "annotations",
        PROVISIONED_BY, VOLUME_PROVISIONER, "spec", "capacity", "storage", size, "accessModes",
        json_object_get(spec, "accessModes"), "persistentVolumeReclaimPolicy",
        policy ? policy : "Delete", "storageClassName", text_at(class, "metadata", "name"),
        "volumeMode", "Filesystem", "claimRef", claim_reference(claim), "hostPath", "path", path,
        "type", "DirectoryOrCreate", "nodeAffinity", on_node(node)));
}

json_t *volume_event(const json_t *claim, const char *node, const char *why, const char *now)
{
    char name[VOLUME_NAME_SIZE];
    if (!volume_name(name, text_at(claim, "metadata", "uid")))
        return NULL;
    return must(json_pack(
        "{s:s, s:s, s:{s:s, s:s}, s:o, s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:i}", "apiVersion",
        "v1", "kind", "Event", "metadata", "name", name, "namespace",
        text_at(claim, "metadata", "namespace"), "involvedObject", claim_reference(claim), "reason",
        "ProvisioningFailed", "message", why, "type", "Warning", "source", "component",
        "kind-storage", "host", node, "firstTimestamp", now, "lastTimestamp", now, "count", 1));
}

/* Just one node, and this one: what on_node() makes. */
static bool is_on_node(const json_t *volume, const char *node)
{
    json_t *wanted = on_node(node);
    const json_t *spec = json_object_get(volume, "spec");
    bool equal = json_equal(json_object_get(spec, "nodeAffinity"), wanted);
    json_decref(wanted);
    return equal;
}

bool volume_is_released(const json_t *volume, const char *node, char name[VOLUME_NAME_SIZE])
{
    const json_t *spec = json_object_get(volume, "spec");
    const char *own = text_at(volume, "metadata", "name");
    char path[sizeof(VOLUME_BASE) + VOLUME_NAME_SIZE];
    if (!same(text_at(volume, "status", "phase"), "Released") ||
        json_object_get(json_object_get(volume, "metadata"), "deletionTimestamp") ||
        !same(text_at(volume, "spec", "persistentVolumeReclaimPolicy"), "Delete") ||
        !same(annotation(volume, PROVISIONED_BY), VOLUME_PROVISIONER) || !is_on_node(volume, node))
        return false;
    /* Somebody could have made a volume that looks like ours with another path. */
    if (!volume_name(name, text_at(spec, "claimRef", "uid")) || !same(name, own))
        return false;
    snprintf(path, sizeof(path), VOLUME_BASE "/%s", name);
    return same(text_at(spec, "hostPath", "path"), path);
}
