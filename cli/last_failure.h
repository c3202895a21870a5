/*
 * last_failure.h - the last failure of a cluster, in a file of the user's state folder.
 *
 * An aid for `kind explain` and `kind status`, and nothing more: nothing
 * decides by it, and where it cannot be written or read there is none. One
 * file for an engine and a cluster, in $XDG_STATE_HOME/kind/failures, else
 * /var/lib/kind/failures for root, else ~/.local/state/kind/failures; for this
 * user alone, replaced as a whole, bounded in size and number. It holds no
 * secrets: evidence has none, and messages go through model/redact.h.
 */
#ifndef CLI_LAST_FAILURE_H
#define CLI_LAST_FAILURE_H

#include "base/arena.h"
#include "model/evidence.h"
#include "reconciler/report.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAST_FAILURE_LINES_MAX = 20 }; /* of one piece of evidence */

struct last_cause {
    const char *id, *words, *cure;
    const char *source, *subject, *line; /* source: in words, "kubelet" */
};

struct last_evidence {
    const char *source, *subject, *text;
};

struct last_failure {
    uint64_t first_at_s, at_s; /* Unix time: of the first in a row, and of this one */
    uint64_t next_at_s;        /* when the next try was to come; 0: none */
    unsigned failures;         /* of that run, in a row */
    bool stalled;              /* it was given up */
    const char *kind, *message;
    struct last_cause causes[FINDINGS_MAX];
    size_t cause_count;
    struct last_evidence evidence[EVIDENCE_ITEMS_MAX];
    size_t evidence_count;
};

/* False if there is none; strings are in the arena. */
bool last_failure_read(struct arena *arena, const char *engine, const char *cluster,
                       struct last_failure *last);

/* Of a REPORT_RETRY or REPORT_STALLED. */
void last_failure_write(const char *engine, const struct report *report, uint64_t now_s);

/* The cluster is as it should be, or gone. */
void last_failure_forget(const char *engine, const char *cluster);

/* What a diagnosis found, as a file would have it; borrows its strings. */
void last_failure_take(struct last_failure *last, const struct diagnosis *diagnosis);

#endif
