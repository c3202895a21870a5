/*
 * driver.h - the only door to the outside world, as the reconciler sees it.
 *
 * A driver carries out operations: list, observe, apply. An operation is the
 * caller's memory, begins when handed over and ends exactly once, through its
 * `ended`, never before the function that started it has returned, also when
 * it was canceled. Single-threaded.
 */
#ifndef DRIVERS_DRIVER_H
#define DRIVERS_DRIVER_H

#include "base/arena.h"
#include "base/error.h"
#include "model/evidence.h"
#include "model/plan.h"
#include "model/spec.h"
#include "model/state.h"

struct driver;

struct op {
    /* failure is owned by the callee; NULL: it went well. */
    void (*ended)(struct op *op, struct error *failure);
    void (*step)(struct op *op, const char *name); /* a step begins; may be NULL */
    void (*note)(struct op *op, const char *text); /* worth saying once; may be NULL */
    void *running;                                 /* the driver's; NULL when not running */
};

/* What an action needs to know. All must stay valid until the operation has ended. */
struct apply_input {
    const char *cluster;
    const struct cluster_spec *spec; /* NULL when the cluster is to go */
    const struct cluster_state *observed;
    const struct action *action;
    /*
     * What ACTION_RECORD writes, see plan.h; where it is not empty the shape
     * of a new node's container is made from it, too. NULL: the spec's facets.
     */
    const struct facet_list *record;
    const struct marks *marks; /* what ACTION_MARKS and ACTION_RECORD write; NULL: none */
    const struct plan *plan;   /* that the action is of, or NULL */
};

struct admin_access {
    const char *admin_conf; /* text of /etc/kubernetes/admin.conf */
    const char *server;     /* "https://127.0.0.1:34567" */
};

/* Who listens to what happens to the containers of clusters. */
struct driver_ear {
    void *context;
    void (*opened)(void *context); /* nothing that happens from here on is missed */
    /* It happened to a container of this cluster; no more than a hint. */
    void (*happened)(void *context, const char *cluster, const char *action);
    const char *const *actions; /* that are of interest ("die"), ended by NULL; must last */
};

struct driver_vtable {
    const char *name;
    void (*close)(struct driver *driver);
    /* All clusters on the engine into *fleet, in arena, sorted by name; containers only. */
    void (*list)(struct driver *driver, struct op *op, struct arena *arena,
                 struct fleet_state *fleet);
    /*
     * One cluster into *state, in arena: containers, record, readiness. A
     * cluster that is not there is a state without nodes, not a failure.
     * desired (NULL: unknown, or to go; must last until the end) spares
     * reading the record where it says just that; without it state->applied
     * stays empty.
     */
    void (*observe)(struct driver *driver, struct op *op, const char *cluster,
                    const struct cluster_spec *desired, struct arena *arena,
                    struct cluster_state *state);
    /* The same, but containers and marks alone: one small request, and none of the cluster's API.
     */
    void (*look)(struct driver *driver, struct op *op, const char *cluster, struct arena *arena,
                 struct cluster_state *state);
    void (*apply)(struct driver *driver, struct op *op, const struct apply_input *input);
    /*
     * What there is to be seen after this action has failed, into *evidence
     * (with its arena), the failure first: it changes nothing, and takes a few
     * seconds at most. What cannot be had is left out, so how it ends says
     * nothing. input, failure and evidence must last until then.
     */
    void (*collect)(struct driver *driver, struct op *op, const struct apply_input *input,
                    const struct error *failure, struct evidence *evidence);
    /* The admin's kubeconfig as the cluster has it, and where its API is published; in arena. */
    void (*read_admin)(struct driver *driver, struct op *op, const char *cluster,
                       struct arena *arena, struct admin_access *admin);
    /*
     * Tells what happens, until the engine ends that, or is lost: then the
     * operation ends, and what happened meanwhile is only seen by looking.
     * The callbacks may begin other operations.
     */
    void (*follow)(struct driver *driver, struct op *op, const struct driver_ear *ear);
    /* Finish the running step, then end (ERROR_CANCELED unless it was the last). */
    void (*drain)(struct driver *driver, struct op *op);
    /* End now, with ERROR_CANCELED; what was sent may still take effect. */
    void (*cancel)(struct driver *driver, struct op *op);
};

struct driver {
    const struct driver_vtable *vtable;
};

#endif
