/*
 * load_node.h - the nodes of a cluster: their fields by format, their names and numbers.
 */
#ifndef MODEL_LOAD_NODE_H
#define MODEL_LOAD_NODE_H

#include "model/load_types.h"

/*
 * 100 nodes: the record of what was applied holds some facets of each, and
 * must stay within its 64 KiB; no host carries that many anyway.
 */
enum { LOAD_NODES_MAX = 100 };

/* An entry of `nodes` as it is written: it may stand for several nodes, or for none. */
struct node_draft {
    struct node_spec spec; /* first, so that rows of nodes are offsets into it */
    const char *key;       /* fleet objects' `name`; NULL: named by role and number */
    int32_t replicas;      /* 0: not given, one */
    unsigned old_role;     /* of a format that had more of them, see load_old.c */
    bool dropped;          /* stands for no node */
};

/* v1alpha4's, and the parts of it that older formats have too. */
extern const struct field_table node_table;
extern const struct field_table node_mounts_table; /* extraMounts */
extern const struct field_table node_ports_table;  /* role, image, extraMounts, extraPortMappings */
extern const struct field_table json6902_table;
extern const struct item_type node_item, json6902_item;

/* For item types: each draft must know its place, each patch must be complete. */
void node_finish(struct loader *loader, const struct cursor *at, void *item);
void json6902_finish(struct loader *loader, const struct cursor *at, void *item);

/* Patches are read when they are applied; here it is seen whether they can be. */
extern const struct text_check kubeadm_patch_texts, containerd_patch_texts,
    containerd_patch_6902_texts;

/* `replicas`, an int32_t from 1 to LOAD_NODES_MAX. */
extern const struct field_type type_replicas;

/*
 * Fills in the nodes of *spec, whose name is known, and its balancer: entries
 * are repeated and named, images chosen (--image, the entry's, else `image`,
 * which may be NULL). No entries at all are one control plane. `at` is the
 * cursor of the list.
 */
void nodes_expand(struct loader *loader, const struct cursor *at, const struct node_draft *drafts,
                  size_t count, const char *image, struct cluster_spec *spec);

#endif
