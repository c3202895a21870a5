/*
 * conditions.h - how a cluster is, as conditions in the style of Kubernetes' objects.
 *
 *   Synced    what is there is what was applied last: set up to the end, all containers running,
 *             and the last apply went well
 *   Ready     all nodes are Ready, by the cluster's own word
 *   Stalled   it was given up on: only somebody's doing helps
 *
 * Pure: made from one look and the last failure, if there is one. Since when
 * a condition holds is told only where something says so.
 */
#ifndef CLI_CONDITIONS_H
#define CLI_CONDITIONS_H

#include "base/arena.h"
#include "cli/last_failure.h"
#include "model/state.h"
#include <jansson.h>

enum condition_type { CONDITION_SYNCED, CONDITION_READY, CONDITION_STALLED };
#define CONDITIONS (CONDITION_STALLED + 1)

struct condition {
    enum seen status;
    const char *reason;  /* "NodesNotReady" */
    const char *message; /* "" where there is nothing to say */
    uint64_t since_s;    /* Unix time; 0: not known */
};

/*
 * All of them, into conditions[CONDITIONS]. looked: why the look failed, or
 * NULL; state then is what the list showed. last NULL: there is none.
 */
void conditions_of(struct arena *arena, const struct cluster_state *state, const char *looked,
                   const struct last_failure *last, struct condition *conditions);

const char *condition_type_name(enum condition_type type); /* "Synced" */

/* New reference: [{"type","status","reason","message","lastTransitionTime"}]. */
json_t *conditions_json(const struct condition *conditions);

#endif
