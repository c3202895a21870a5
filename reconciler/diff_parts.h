/*
 * diff_parts.h - what diff.c and the files diff_*.c share. For them alone.
 */
#ifndef RECONCILER_DIFF_PARTS_H
#define RECONCILER_DIFF_PARTS_H

#include "reconciler/diff.h"
#include <stdint.h>

/* One diff under way. */
struct diff {
    struct arena *arena;
    const struct cluster_spec *desired; /* not NULL but where the cluster must not exist */
    const struct cluster_state *observed;
    const struct diff_policy *policy;
    struct plan *plan;
    struct facet_list facets; /* of desired */
    bool refuses;             /* something that is said of the whole cluster, and cannot be had */
    unsigned char *fits;      /* of each observed node, once asked for: its diff_fit and one more */
};

/* A set of kinds. */
typedef uint64_t kind_set;
#define KIND(kind) (UINT64_C(1) << ACTION_##kind)
_Static_assert(ACTION_KINDS <= 64, "a set of kinds has a bit for each");

/* --- What is there, and what is planned (diff.c). --- */

const struct node_state *diff_find(const struct diff *d, const char *node); /* NULL: not there */
bool diff_desires(const struct diff *d, const char *node); /* also the load balancer */
bool diff_wants_control_plane(const struct diff *d, const char *node);
bool diff_is_control_plane(const struct node_state *node);
bool diff_is_balancer(const struct node_state *node);
bool diff_is_worker(const struct node_state *node);
bool diff_is_stopped(const struct node_state *node);
bool diff_is_lost(const struct node_state *node); /* dead, or being taken apart */

bool diff_is_planned(const struct diff *d, enum action_kind kind, const char *subject);

/* The action waits for all earlier ones of these kinds; false if there are none. */
bool diff_wait_for(const struct diff *d, size_t action, kind_set kinds);
/* The same, for those of its own subject; and for the last of a kind alone. */
void diff_wait_for_own(const struct diff *d, size_t action, kind_set kinds);
bool diff_wait_for_last(const struct diff *d, size_t action, enum action_kind kind);

/* Deletes every node that was seen, after all that is planned already. */
void diff_delete_all(const struct diff *d, enum change_class change, const char *reason);

/* --- What another tool made (diff_adopt.c). --- */

bool diff_is_strange(const struct node_state *node); /* nobody's of us, and nobody adopted it */
bool diff_is_adopted(const struct node_state *node); /* ours now, but not made by us */
/* False: it is not to be adopted, and nothing is planned. */
bool diff_plan_adoption(const struct diff *d);

/* --- By which settings a container was made (diff_fit.c). --- */

enum diff_fit {
    DIFF_FIT_RECORDED,
    DIFF_FIT_DESIRED,
    DIFF_FIT_NEITHER,
    DIFF_FIT_UNKNOWN, /* neither, but shapes are made in another way than they were */
};

/* Of one of the nodes that were observed. */
enum diff_fit diff_fit(const struct diff *d, const struct node_state *node);
bool diff_has_cni(const struct diff *d); /* of ours, as recorded */
/* Of the shape that is desired, whatever is refused of the cluster. */
bool diff_has_desired_shape(const struct diff *d, const struct node_state *node);
bool diff_is_recorded(const struct diff *d, const char *node);

/* The record of a complete cluster does not know it: it is added now, or was never finished. */
bool diff_is_new(const struct diff *d, const char *node);

/*
 * A running worker that the cluster does not know by its own word: made anew
 * and never joined, drained and wanted again, or somebody deleted its Node.
 */
bool diff_is_forgotten(const struct diff *d, const char *node);

/* --- Settings that differ from the recorded ones (diff_compare.c). --- */

struct difference {
    const struct facet *facet;       /* the wanted one, else the other */
    const struct facet *want, *have; /* one may be NULL */
    enum change_class change;
    const char *why; /* why it costs more than its kind does, and what to do; or NULL */
};

struct differences {
    struct difference *items;
    size_t count, recreating;
};

typedef void diff_visit(const struct diff *d, const struct facet *want, const struct facet *have,
                        void *context);

/* All settings, desired and recorded, side by side, sorted; one of the two may be NULL. */
void diff_walk(const struct diff *d, diff_visit *visit, void *context);

extern const char diff_two_words[]; /* why one of two control planes cannot be made anew */

/* Of the cluster, and of nodes that are both desired and recorded. */
void diff_compare(const struct diff *d, struct differences *differences);
bool diff_is_field(const struct facet *facet, const char *field);
const char *diff_words(const struct diff *d, const struct difference *difference); /* "a -> b" */
const char *diff_named_words(const struct diff *d, const struct difference *difference);

/* --- What is changed in place (diff_live.c). --- */

bool diff_has_live(const struct differences *differences);
void diff_plan_live(const struct diff *d, const struct differences *differences);
const char *diff_live_reason(const struct diff *d, const struct differences *differences);

/* --- Nodes that run, but are not Ready (diff_revive.c). --- */

void diff_plan_revival(const struct diff *d);
/* A worker that could not be helped: why, or NULL. It is made anew; there is nothing to drain. */
const char *diff_why_given_up(const struct diff *d, const struct node_state *node);

/* --- Control planes that come and go (diff_planes.c). --- */

size_t diff_count_planes(const struct diff *d);              /* that the record knows */
bool diff_is_member(const struct diff *d, const char *node); /* a control plane, by the record */

/*
 * The cluster gets anew what images bring for all of it when this one of
 * several control planes joins: it is the first, or it comes with another image.
 */
bool diff_renews(const struct diff *d, const struct node_spec *node);

/*
 * Most of several recorded control planes are gone, and the API does not
 * answer: etcd's majority went with them. The first of those. NULL: a majority
 * may be well, if only because the record is late.
 */
const char *diff_without_majority(const struct diff *d);

/* The API is to be published by another container than the record says. */
bool diff_moves(const struct diff *d);
bool diff_may_move(const struct diff *d);  /* and it can be */
bool diff_moves_now(const struct diff *d); /* and the plan does it */
/* Why not, in words, for a wanted facet of a moving entrance; NULL: it can. */
const char *diff_why_stays(const struct diff *d, const struct facet *want);

bool diff_may_come(const struct diff *d, const struct node_spec *node);
void diff_plan_endpoints(const struct diff *d);
bool diff_is_any_detached(const struct diff *d);
/* Makes one that is not wanted any more, as long as control planes are left that were behind it. */
void diff_plan_lacking_balancer(const struct diff *d);
bool diff_needs_leave(const struct diff *d, const struct node_spec *node);
void diff_refuse_comers(const struct diff *d);

bool diff_sheds(const struct diff *d); /* some go, and this is the time */
bool diff_plan_shedding(const struct diff *d);
void diff_refuse_shedding(const struct diff *d);
void diff_plan_departed(const struct diff *d);
/* Drained, out of etcd, deleted; for workers and control planes. */
void diff_plan_leave(const struct diff *d, enum change_class change, const char *node,
                     const char *reason);

/* --- Workers that go (diff_remove.c). --- */

/* By number, as people count: "a-worker10" comes after "a-worker2". */
int diff_compare_numbers(const char *a, const char *b);

bool diff_removes(const struct diff *d); /* there are such, and this is the time */
void diff_plan_removals(const struct diff *d);
void diff_refuse_removals(const struct diff *d);
/* One of two control planes, made for settings that nobody recorded; NULL: there is none. */
const struct node_state *diff_odd_of_two(const struct diff *d);
/* Of those that differ in what needs a new container one goes, or all are refused. */
void diff_plan_replacement(const struct diff *d, const struct differences *differences);

/* --- A lone control plane is replaced with its data (diff_succession.c). --- */

const struct node_state *diff_carrier(const struct diff *d); /* NULL: none is being replaced */
bool diff_is_lone(const struct diff *d, const char *node);   /* the only one, now and then */
void diff_plan_successor(const struct diff *d, const char *reason); /* begins */
void diff_plan_succession(const struct diff *d);                    /* goes on, beside a carrier */

/* --- Kubernetes versions, as far as they are known (diff_version.c). --- */

/* Why a node cannot be made of the image that is wanted, and what to do instead; or NULL. */
const char *diff_version_refusal(const struct diff *d, const char *node, const char *have,
                                 const char *want);

/* --- The record (diff_record.c). --- */

void diff_fill_record(const struct diff *d);         /* once all is planned */
size_t diff_count_dropped(const struct diff *d);     /* nodes that only the record knows */
bool diff_refuse_unrecordable(const struct diff *d); /* true: there is too much to record */

/* --- What may become of it (diff_life.c). --- */

bool diff_is_protected(const struct diff *d);
const char *diff_recreate_needs(const struct diff *d); /* why it is not made anew now */
bool diff_refuse_unknown_marks(const struct diff *d);  /* true: nothing may be done */
void diff_plan_wish(const struct diff *d);
void diff_plan_life(const struct diff *d); /* once all is planned */

/* --- The set-up (diff_setup.c). --- */

/* From nothing or from where it stopped. */
void diff_plan_setup(const struct diff *d);

/* Starts what stands still, wanted or not, unless it goes now; and the load balancer. */
void diff_plan_standing(const struct diff *d);

/* What is missing is made, and joins. */
void diff_plan_comers(const struct diff *d);

/* All workers join that may not have done so: one that has is found done. */
void diff_plan_joins(const struct diff *d);

/* --- Nodes with other addresses than they had (diff_address.c). --- */

/* False: none is seen, and nothing is planned. Else nothing else is to be planned now. */
bool diff_plan_addresses(const struct diff *d);
/* Workers alone, once the API of the control plane that is being replaced answers. */
void diff_plan_moved_workers(const struct diff *d);

/* --- A cluster whose set-up was recorded as complete (diff_repair.c). --- */

void diff_plan_repair(const struct diff *d);

#endif
