/*
 * cycle.h - one cluster's loop as a state machine without I/O.
 *
 *   state         event                    does                  next
 *   IDLE          wake, or resync time     observe               OBSERVING
 *   OBSERVING     seen, plan is empty      report, wake later    IDLE
 *   OBSERVING     seen, there is a plan    start what is ready   EXECUTING
 *   OBSERVING     failed, or no progress   wake after backoff    BACKING_OFF
 *   EXECUTING     one ended well           start what can now    EXECUTING, at the end OBSERVING
 *   EXECUTING     one failed, wake, stop   start nothing more    DRAINING
 *   DRAINING      the last one ended       as the reason says    BACKING_OFF, OBSERVING or STOPPED
 *   DRAINING      stop, a second time      cancel what runs      DRAINING
 *   BACKING_OFF   wake, or its time        observe               OBSERVING
 *   any other     stop                     nothing               STOPPED
 *
 * One round at a time; a wake during a round drains it and starts another:
 * wishes collapse. (While OBSERVING nothing is to be drained: the wake only
 * makes a round that finds nothing to do look once more.) A round that acted
 * and then plans the same actions again made no progress and backs off as if
 * it had failed; so do 32 rounds that never settle. Three alike failures (same
 * kind at the same action), or one ERROR_INVALID or ERROR_INTERNAL, make it
 * stalled: then it only waits for a wake, or for new desired state.
 */
#ifndef RECONCILER_CYCLE_H
#define RECONCILER_CYCLE_H

#include "base/error.h"
#include "model/plan.h"
#include "model/spec.h"
#include "model/state.h"
#include "reconciler/diff.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cycle_state {
    CYCLE_IDLE,
    CYCLE_OBSERVING,
    CYCLE_EXECUTING,
    CYCLE_DRAINING,
    CYCLE_BACKING_OFF,
    CYCLE_STOPPED,
};

enum event_kind {
    EVENT_WAKE,         /* also when a WAKE_AT time has come */
    EVENT_OBSERVED,     /* observed, or failure */
    EVENT_ACTION_ENDED, /* action, and failure if it did not go well */
    EVENT_STOP,
};

struct event {
    enum event_kind kind;
    uint64_t now_ms;                      /* the only clock the cycle sees */
    const struct cluster_state *observed; /* EVENT_OBSERVED: with a name; used in this step only */
    size_t action;                        /* EVENT_ACTION_ENDED */
    const struct error *failure;          /* NULL: it went well */
};

enum effect_kind {
    EFFECT_OBSERVE, /* look; a WAKE_AT that has not come yet is void */
    EFFECT_START,   /* action of cycle_plan */
    EFFECT_CANCEL,  /* action */
    EFFECT_WAKE_AT, /* replaces an earlier one */
    EFFECT_SETTLED, /* nothing (more) to do: desired is reached, or all that is left is refused */
    /*
     * A failure was counted, see cycle_failure. WAKE_AT follows unless it is
     * stalled; also then, if a wake came during the round.
     */
    EFFECT_FAILED,
    EFFECT_STOPPED, /* the last effect of all; what is still being observed is of no use */
};

struct effect {
    enum effect_kind kind;
    size_t action;
    uint64_t wake_at_ms;
};

enum { CYCLE_PARALLEL_MAX = 16 };

struct effects {
    struct effect items[2 * CYCLE_PARALLEL_MAX + 4];
    size_t count;
};

struct cycle_options {
    struct diff_policy policy;
    size_t parallel;    /* actions at once, 1 to CYCLE_PARALLEL_MAX */
    uint64_t resync_ms; /* IDLE to the next look; 0: only when woken */
    uint64_t seed;      /* of the jitter */
    bool dry_run;       /* plan, then settle without starting anything */
};

struct cycle;

/* desired NULL: must not exist. It and options' strings must outlive the cycle or the next set. */
struct cycle *cycle_new(const char *cluster, const struct cluster_spec *desired,
                        const struct cycle_options *options);
void cycle_free(struct cycle *cycle);

/*
 * Desired state changed: failures are forgotten. The next plan is made from
 * it; wake the cycle to have one. The one before is not used any more.
 */
void cycle_set_desired(struct cycle *cycle, const struct cluster_spec *desired);

/* Why it must not exist, where that is desired now; as options.policy.end_reason. */
void cycle_set_end_reason(struct cycle *cycle, const char *end_reason);

/*
 * One event in, what to do about it out, in that order. OBSERVED answers an
 * OBSERVE, ACTION_ENDED a START, each exactly once and never from within the
 * step that asked; an OBSERVED after STOPPED is ignored. A canceled action
 * still ends.
 */
void cycle_step(struct cycle *cycle, const struct event *event, struct effects *effects);

enum cycle_state cycle_state(const struct cycle *cycle);
const char *cycle_state_name(enum cycle_state state);
/* Of this or the last round, until the next EVENT_OBSERVED; NULL before the first. */
const struct plan *cycle_plan(const struct cycle *cycle);
const struct error *cycle_failure(const struct cycle *cycle); /* the last one counted, or NULL */
unsigned cycle_failures(const struct cycle *cycle);           /* in a row */
bool cycle_stalled(const struct cycle *cycle);
unsigned cycle_rounds(const struct cycle *cycle);
size_t cycle_running(const struct cycle *cycle);

#endif
