/*
 * report.h - what the engine tells whoever watches: the live view, the log, JSON events.
 *
 * Events are told on the loop's thread, in order; strings are valid during
 * the call only.
 */
#ifndef RECONCILER_REPORT_H
#define RECONCILER_REPORT_H

#include "base/error.h"
#include "model/diagnosis.h"
#include "model/plan.h"
#include "model/state.h"
#include <stddef.h>
#include <stdint.h>

enum report_kind {
    REPORT_PLANNED,       /* a round has a plan (maybe empty, maybe with refusals): plan */
    REPORT_ACTION_BEGINS, /* action */
    REPORT_STEP,          /* action, step: what it does now */
    REPORT_ACTION_ENDS,   /* action; failure if it did not go well */
    REPORT_RETRY,         /* failure, wait_ms until the next try */
    REPORT_SETTLED,       /* the cluster is as desired, or gone; state is what was seen last */
    REPORT_STALLED,       /* failure; no further try by itself */
    REPORT_NOTE,          /* text worth saying once: "using kind.local/node:v1.20.2, because ..." */
};

struct report {
    enum report_kind kind;
    uint64_t now_ms;     /* monotonic */
    uint64_t elapsed_ms; /* since this cluster's work began; ACTION_ENDS: of the action */
    const char *cluster;
    const struct plan *plan;     /* PLANNED, ACTION_*, STEP */
    const struct action *action; /* ACTION_*, STEP */
    size_t done, total;          /* actions of the plan that ended well, and all of them */
    const char *step;
    const char *text;
    const struct error *failure;
    const struct diagnosis *diagnosis; /* of the failure; NULL: none was made */
    unsigned failures;                 /* RETRY, STALLED: in a row */
    uint64_t wait_ms;
    const struct cluster_state *state;  /* SETTLED */
    const struct cluster_spec *desired; /* NULL: it is to go */
};

typedef void report_told(void *context, const struct report *report);

#endif
