/*
 * fleet_status_parts.h - what the files of fleet_status share: the store, and how it is changed.
 *
 * fleet_status.c keeps clusters, sources and events and numbers their changes;
 * fleet_status_report.c knows what a report means for a cluster.
 */
#ifndef RECONCILER_FLEET_STATUS_PARTS_H
#define RECONCILER_FLEET_STATUS_PARTS_H

#include "reconciler/fleet_status.h"

/* Something that changes by itself, in the order of the last changes. */
struct status_thing {
    struct status_thing *older, *newer;
    uint64_t change;
    uint64_t print; /* of what can be seen of it: the same again is no change */
    bool is_source;
};

struct cluster_entry {
    struct status_thing thing; /* first */
    struct cluster_status shown;
    bool in_round;           /* between a plan and the end of its round */
    bool acted;              /* an action began since it was settled last */
    uint64_t round_began_ms; /* if in_round */
    char *failed_action;     /* of this round: "join node ci-worker"; or NULL */
    char *plan_words;        /* the last plan that was told, so that it is not told again */
};

struct source_entry {
    struct status_thing thing; /* first */
    struct status_source shown;
};

struct fleet_status {
    struct cluster_entry **clusters; /* sorted by name */
    size_t cluster_count;
    struct source_entry **sources;
    size_t source_count;
    struct status_event *events; /* a ring; the oldest is at event_first */
    size_t event_first, event_count;
    uint64_t change, horizon;
    struct status_thing *oldest, *newest;
    struct status_totals totals;
    void (*changed)(void *context);
    void *changed_context;
    uint64_t told_change; /* up to which the listener was called */
};

/* The cluster of this name, made if it is not there. */
struct cluster_entry *fleet_status_entry(struct fleet_status *status, uint64_t now_ms,
                                         const char *name);

/* After whatever may have changed it: numbers the change if there is one. */
void fleet_status_touch(struct fleet_status *status, struct cluster_entry *entry);

void fleet_status_remove(struct fleet_status *status, struct cluster_entry *entry);

/* One of cluster and source is NULL. */
void fleet_status_note(struct fleet_status *status, uint64_t now_ms, enum status_level level,
                       const char *type, const char *cluster, const char *source, const char *text);

/* Calls the listener if something has changed since it was called. */
void fleet_status_tell(struct fleet_status *status);

void fleet_status_count_round(struct fleet_status *status, enum status_result result,
                              uint64_t took_ms);
void fleet_status_count_action(struct fleet_status *status, enum action_kind kind, bool failed,
                               uint64_t took_ms);

/* --- Strings of its own: plain, without secrets, bounded. --- */

/* A copy of a short one: a name, a version. NULL stays NULL. */
char *status_word(const char *string);

/* A copy of a message: lines are kept. NULL and "" give NULL. */
char *status_words(const char *string);

/* Puts a new string in the place of an old one, which is freed. */
void status_put(char **slot, char *string);

void cluster_status_done(struct cluster_status *cluster);
void cluster_status_drop_nodes(struct cluster_status *cluster);
void cluster_status_drop_running(struct cluster_status *cluster);
void cluster_status_drop_refused(struct cluster_status *cluster);
void cluster_status_drop_failure(struct cluster_status *cluster);

/* A number that is another if anything of it that is shown is another; times of waiting count. */
uint64_t cluster_status_print(const struct cluster_status *cluster);
uint64_t source_status_print(const struct source_status *source);

#endif
