/*
 * facet.h - a spec as a sorted list of path and value, each with what changing it costs.
 *
 * One table decides which field of a spec is which facet and of which class.
 * Two specs differ exactly where their facets differ; the diff, the record in
 * the cluster (/kind/fleet.json) and the label on a container all use them.
 *
 * An item of a list is a facet of its own, its key or index in brackets:
 * "featureGates[A]", "nodes[a-worker].extraMounts[0]". Patches, and values
 * too long for a line, appear as "sha256:" and 12 hex digits. The address and
 * port of the API server are ports of the node that publishes it, so they
 * stand there: "nodes[a-control-plane].apiServerPort".
 */
#ifndef MODEL_FACET_H
#define MODEL_FACET_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "model/spec.h"
#include <stdbool.h>
#include <stddef.h>

/* Limits on a record; what would pass them is refused before a cluster is made. */
enum { FACET_RECORD_VERSION = 1, FACET_RECORD_BYTES_MAX = 64 * 1024, FACET_MAX = 4096 };

/* How invasive a change is, mildest first (the order matters: "at least REPLACE"). */
enum change_class { CHANGE_LIVE, CHANGE_REMOVE, CHANGE_REPLACE, CHANGE_RECREATE, CHANGE_DELETE };

const char *change_class_name(enum change_class change); /* "live", "replace", ... */

struct facet {
    const char *path;  /* "networking.podSubnet", "nodes[a-control-plane].image" */
    const char *field; /* its part behind the node's brackets; all of it for one of the cluster */
    const char *value; /* canonical text, one line; an image that is not given is "default" */
    const char *node;  /* the node's name, or NULL for a facet of the cluster */
    enum change_class change;
};

struct facet_list {
    const struct facet *items; /* sorted by path, unique */
    size_t count;
};

/* For qsort: by path. */
int facet_compare(const void *a, const void *b);

/* Does any of them stand at that node? */
bool facet_list_has_node(const struct facet_list *facets, const char *node);

/* Node and class, as the path tells them; an unknown one is CHANGE_RECREATE. Copies both. */
struct facet facet_of_path(struct arena *arena, const char *path, const char *value);

/* Everything is copied into the arena; the spec may go. */
void spec_facets(struct arena *arena, const struct cluster_spec *spec, struct facet_list *facets);

/* Says where the API is published: a facet of whichever container does that. */
bool facet_is_entrance(const struct facet *facet);

/*
 * Hash (64 hex digits of SHA-256) over what cannot change in a living
 * container, of this node or of the whole cluster (CHANGE_REPLACE and up):
 * the label fleet.kind/shape. Where the API is published stands apart, as
 * "-" and 16 digits more on the container that does it: a load balancer may
 * take that over.
 */
const char *facet_shape(struct arena *arena, const struct facet_list *facets, const char *node);

/* Are both the same shape, wherever the API is published? */
bool facet_shape_is_like(const char *shape, const char *other);

/*
 * Hash (64 hex digits of SHA-256) over all facets: equal exactly where nothing
 * differs. Cheap to ask a node for, see FACET_DIGEST_LINK.
 */
const char *facet_digest(struct arena *arena, const struct facet_list *facets);

/*
 * Beside the record lies a symbolic link of this name whose target is
 * "sha256-" and the digest: an engine tells a link's target by a mere look
 * (1 ms), while a file's content costs it a process (40 ms). It is written
 * after the record, in the same archive.
 */
#define FACET_RECORD_FILE "fleet.json"
#define FACET_DIGEST_LINK "fleet.digest"
#define FACET_DIGEST_PREFIX "sha256-"

/*
 * The record of what was applied, as the JSON of /kind/fleet.json:
 * {"version":1,"cluster":"a","facets":{"networking.podSubnet":"10.244.0.0/16",...}}
 */
void facet_record_print(const char *cluster, const struct facet_list *facets, struct text *text);

/* False if the record would be too large to be read again. */
bool facet_record_fits(const char *cluster, const struct facet_list *facets);

/* Reads a record, strictly (ERROR_INVALID); classes come from today's table. */
int facet_record_parse(struct arena *arena, const char *json, size_t length,
                       struct facet_list *facets, struct error **err);

#endif
