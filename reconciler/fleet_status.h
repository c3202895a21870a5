/*
 * fleet_status.h - what a standing service knows to tell of its fleet: each cluster, each source,
 * and what happened lately.
 *
 * Pure accumulation: it is fed with the engine's reports and with what the
 * sources say, and read by whoever renders it (metrics, JSON, a page). No I/O,
 * no clock: every time in here is the monotonic one that came with a call, so
 * that a clock that jumps spoils nothing; whoever renders makes it a time of
 * day. Everything is copied and bounded. Texts are made plain and freed of
 * secrets when they come in.
 *
 * Every change has a number, from 1 upwards. A reader that has seen all
 * changes up to one number asks for what came later, and gets each cluster
 * once, as it is now, however often it changed: a slow reader costs no memory.
 * What is told again without being different is no change.
 */
#ifndef RECONCILER_FLEET_STATUS_H
#define RECONCILER_FLEET_STATUS_H

#include "reconciler/report.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STATUS_EVENTS_MAX = 1000, /* what happened lately */
    STATUS_RUNNING_MAX = 32,  /* actions of one cluster at a time */
    STATUS_REFUSED_MAX = 32,  /* refusals that are shown of one plan */
    STATUS_BUCKETS = 12,      /* of a histogram, but for +Inf */
    STATUS_WORDS_MAX = 4096,  /* bytes of a message */
};

/* --- What comes in. --- */

/* Where desired state comes from, and how that goes. Strings are copied. */
struct source_status {
    const char *kind;             /* "folder", "git"; "engine" */
    const char *where;            /* path or URL; it names the source */
    const char *revision;         /* in force; NULL: none yet */
    const char *author, *subject; /* of that; NULL: not known */
    uint64_t revision_at_s;       /* Unix time of it; 0: not known */
    const char *signer;           /* who signed it, where that was checked; NULL */
    const char *pending;          /* a newer revision that is refused; NULL */
    const char *problem;          /* why, or why it cannot be read; one line a problem */
    uint64_t checked_at_ms;       /* the last look that went well; 0: none */
    uint64_t changed_at_ms;       /* when what is in force came in force; 0: never */
    uint64_t next_at_ms;          /* when it is looked at next; 0: not known */
    unsigned failures;            /* in a row */
    uint64_t checks_total, failed_total;
};

#define STATUS_ENGINE "engine"

struct fleet_status;

struct fleet_status *fleet_status_new(void);
void fleet_status_free(struct fleet_status *status); /* NULL is fine */

/* A report_told; context is the fleet_status. */
void fleet_status_report(void *context, const struct report *report);

/* The sources name this cluster: it is shown, also before its turn comes. */
void fleet_status_desire(struct fleet_status *status, uint64_t now_ms, const char *cluster,
                         const struct cluster_spec *desired);

/* It is none of ours any more. A cluster that is gone by a report needs no telling. */
void fleet_status_forget(struct fleet_status *status, uint64_t now_ms, const char *cluster);

/* Sources are told apart by `where`. */
void fleet_status_source(struct fleet_status *status, uint64_t now_ms,
                         const struct source_status *source);

/*
 * The engine answers (problem NULL), or why it does not. It is told among the
 * sources, as one of kind "engine": where: its address.
 */
void fleet_status_engine(struct fleet_status *status, uint64_t now_ms, const char *where,
                         const char *problem);

/* How many clusters wait for their turn, and how many have it. */
void fleet_status_queue(struct fleet_status *status, size_t depth, size_t working);

/* --- What can be read; it is the status's own, valid until the next call that feeds. --- */

enum status_phase {
    STATUS_PENDING,  /* waits for its turn */
    STATUS_WORKING,  /* is being made as desired */
    STATUS_RETRYING, /* failed; tries again by itself */
    STATUS_STALLED,  /* failed; given up until something changes */
    STATUS_SETTLED,  /* as desired, or all that is left is refused or held */
};

const char *status_phase_name(enum status_phase phase); /* "working" */

struct status_node {
    char *name, *role, *image, *trouble; /* trouble: NULL where there is none */
    enum container_status status;
    enum seen ready;
};

struct status_running {
    enum action_kind kind;
    char *subject, *reason, *step; /* step: NULL while none was told */
    uint64_t began_at_ms;
};

struct status_refusal {
    enum change_class change;
    char *subject, *reason;
};

struct status_cause {
    char *id, *words, *cure;
    char *source, *subject, *line; /* the evidence: "journal of kubelet", node, what it says */
};

struct status_failure {
    char *kind, *message;
    char *what; /* the action that failed: "join node ci-worker"; NULL: none did */
    struct status_cause causes[FINDINGS_MAX];
    size_t cause_count;
    char *evidence;    /* the last words of what failed, where no cause is known; or NULL */
    unsigned failures; /* in a row */
    uint64_t first_at_ms, at_ms, next_at_ms; /* next: 0 where nothing comes by itself */
};

struct cluster_status {
    char *name;
    char *version; /* "v1.20.2", or NULL */
    char *held;    /* why it is left alone on purpose; NULL: it is not */
    char *note;    /* said last about what is going on, or NULL */
    enum status_phase phase;
    bool leaving; /* it is to go */
    enum seen synced, ready, stalled;
    char *message;             /* why not synced or not Ready, in words; or NULL */
    struct status_node *nodes; /* containers, those of a load balancer too */
    size_t node_count;
    size_t nodes_wanted, nodes_seen, nodes_ready; /* of Kubernetes */
    size_t done, total;                           /* actions */
    struct status_running *running;
    size_t running_count;
    struct status_refusal *refused;
    size_t refused_count, refused_total;
    struct status_failure *failure; /* of the last round that failed, until it is settled */
    char *revision, *author;        /* of the source, when it was made as desired last; or NULL */
    uint64_t began_at_ms;           /* of this or the last work on it; 0: none yet */
    uint64_t phase_at_ms;           /* since when the phase is as it is */
    uint64_t settled_at_ms;         /* when work on it ended well last; 0: never */
    uint64_t rounds_total, failures_total;
    uint64_t change; /* number of its last change */
};

enum status_level { STATUS_DETAIL, STATUS_INFO, STATUS_GOOD, STATUS_BAD };
const char *status_level_name(enum status_level level); /* "good" */

struct status_event {
    uint64_t change; /* its number */
    uint64_t at_ms;
    enum status_level level;
    const char *type; /* "settled": as events of `apply -o json`, and "gone", "source" */
    char *cluster;    /* NULL: it is about a source */
    char *source;     /* NULL: it is about a cluster */
    char *text;
};

struct status_source {
    struct source_status told;
    uint64_t change;
};

struct status_histogram {
    uint64_t buckets[STATUS_BUCKETS]; /* not cumulative; what is above all is in count alone */
    uint64_t count;
    double sum_s;
};
extern const double status_bucket_limits_s[STATUS_BUCKETS];

enum status_result { STATUS_SUCCESS, STATUS_ERROR, STATUS_GIVEN_UP };
enum { STATUS_RESULTS = STATUS_GIVEN_UP + 1 };
const char *status_result_name(enum status_result result); /* "success", "error", "stalled" */

struct status_totals {
    uint64_t rounds[STATUS_RESULTS];
    struct status_histogram round_seconds;
    struct status_histogram action_seconds[ACTION_KINDS];
    uint64_t action_failures[ACTION_KINDS];
    size_t queue_depth, working;
};

size_t fleet_status_count(const struct fleet_status *status);
/* In the order of names. */
const struct cluster_status *fleet_status_cluster(const struct fleet_status *status, size_t index);
const struct cluster_status *fleet_status_find(const struct fleet_status *status, const char *name);
size_t fleet_status_source_count(const struct fleet_status *status);
const struct status_source *fleet_status_source_at(const struct fleet_status *status, size_t index);
const struct status_totals *fleet_status_totals(const struct fleet_status *status);

/* The number of the last change; 0: there was none. */
uint64_t fleet_status_change(const struct fleet_status *status);

/* Changes up to this number may have been forgotten; who has seen fewer must begin anew. */
uint64_t fleet_status_horizon(const struct fleet_status *status);

/* The earliest one thing whose last change is after this number; one of the pointers is set. */
struct status_news {
    uint64_t change; /* 0: there is none */
    const struct cluster_status *cluster;
    const struct status_source *source;
    const struct status_event *event;
};
struct status_news fleet_status_after(const struct fleet_status *status, uint64_t change);

/* Calls after each change, from within the call that fed it; NULL: nobody. */
void fleet_status_listen(struct fleet_status *status, void (*changed)(void *context),
                         void *context);

#endif
