/*
 * engine.h - turns the effects of cycles into operations of a driver, and their endings into
 * events.
 *
 * One engine drives all clusters of one invocation, each with its own cycle;
 * at most `clusters_parallel` of them work at a time. It reads time and sets
 * timers through the transport only, so that it runs in a simulated world as
 * it does on libuv. Single-threaded; callbacks come from the loop.
 *
 * A cluster that depends on others is begun once they have settled and are
 * Ready; where one will not be, in this run, it is ENGINE_STALLED without
 * having been begun, and its failure says why. Nobody waits in a dry run.
 *
 * An engine that stays (`standing`) never finishes by itself: clusters are set,
 * woken and dropped while it runs. A cluster whose round is over rests, and
 * others get its place; whose wish was the most urgent comes next. Whatever
 * is asked for, one round of a cluster runs at a time: what it should be from
 * now on takes effect when the round that runs has drained.
 */
#ifndef RECONCILER_ENGINE_H
#define RECONCILER_ENGINE_H

#include "drivers/driver.h"
#include "drivers/transport.h"
#include "reconciler/cycle.h"
#include "reconciler/report.h"

enum engine_outcome {
    ENGINE_WORKING,
    ENGINE_SETTLED, /* as desired; or all that is left is refused: see the plan */
    ENGINE_STALLED, /* gave up: see the failure */
    ENGINE_STOPPED, /* by engine_stop */
};

struct engine_options {
    struct driver *driver;
    struct transport *transport;
    struct cycle_options cycle; /* for every cluster; the seed is spread by name */
    size_t clusters_parallel;   /* at least 1 */
    bool standing;              /* it stays; cycle.resync_ms counts, with jitter */
    report_told *report;        /* may be NULL */
    void *report_context;
    /* Every cluster has an outcome, or an engine that stays was stopped; comes from the loop, once.
     */
    void (*finished)(void *context);
    void *finished_context;
};

struct engine;

struct engine *engine_new(const struct engine_options *options);

/* No operation may be running: after `finished`, or before engine_start. */
void engine_free(struct engine *engine);

/* desired NULL: it must not exist. name and desired must outlive the engine. */
void engine_add(struct engine *engine, const char *name, const struct cluster_spec *desired);

/* The same; end_reason is why it must not exist, in words, where desired is NULL. */
void engine_add_end(struct engine *engine, const char *name, const struct cluster_spec *desired,
                    const char *end_reason);

void engine_start(struct engine *engine);

/*
 * The first call starts nothing more and lets running steps end; the second
 * cancels them. Clusters that were not finished are ENGINE_STOPPED.
 */
void engine_stop(struct engine *engine);

/* --- Of an engine that stays alone. --- */

/* Why a round is wanted, the more urgent the later. */
enum engine_priority {
    ENGINE_NO_WAKE,
    ENGINE_RESYNC, /* it is time for a look */
    ENGINE_RETRY,  /* what failed is tried again */
    ENGINE_DRIFT,  /* something happened to its containers */
    ENGINE_EDIT,   /* it should be something else from now on, or somebody asks */
};

/*
 * The cluster should be so from now on; everything is copied. Does nothing
 * where it should be just so already; else its round is drained, and another
 * wanted with this priority. True: it is new, or something else than before.
 */
bool engine_set(struct engine *engine, const char *name, const struct cluster_spec *desired,
                const char *end_reason, enum engine_priority priority);

/*
 * A round is wanted. A wake by ENGINE_DRIFT does not disturb a round that acts,
 * which looks once more at its end, nor shorten the time until what failed is
 * tried again; one by ENGINE_RETRY or ENGINE_EDIT does the latter. Unknown names are passed over.
 */
void engine_wake(struct engine *engine, const char *name, enum engine_priority priority);

/* It is none of ours any more: forgotten once its round has drained. */
void engine_drop(struct engine *engine, const char *name);

/* No round begins while it is held: there is nothing that could be looked at. */
void engine_hold(struct engine *engine, bool held);

void engine_set_parallel(struct engine *engine, size_t clusters_parallel);

/* What is known of a cluster of an engine that stays. */
struct engine_sight {
    const char *cluster;
    const struct cluster_spec *desired; /* as it should be, also if that is not in force yet */
    bool working;                       /* a round runs, or is wanted */
    bool upheld;                        /* it was as desired and Ready when it was looked at last */
    bool stalled, failing;              /* it was given up; or it failed, and will be tried again */
    uint64_t print; /* engine_print of its containers at the last look; 0: none were seen */
};

/* False: there is no such cluster. */
bool engine_look(const struct engine *engine, const char *name, struct engine_sight *sight);
struct engine_sight engine_sight_at(const struct engine *engine, size_t index);
void engine_count_work(const struct engine *engine, size_t *ret_waiting, size_t *ret_working);

/* A number that is another one when the containers of a cluster are others, or do something else.
 */
uint64_t engine_print(const struct cluster_state *state);

/* What came of the clusters, in the order of engine_add; plan and failure live as long as the
 * engine. */
struct engine_result {
    const char *cluster;
    const struct cluster_spec *desired;
    enum engine_outcome outcome;
    const struct plan *plan;           /* of the last round, or NULL */
    const struct error *failure;       /* the last one, or NULL */
    const struct cluster_state *state; /* as seen last, or NULL */
    unsigned rounds;
    const struct diagnosis *diagnosis; /* of the failure, or NULL */
};

size_t engine_count(const struct engine *engine);
struct engine_result engine_result(const struct engine *engine, size_t index);

#endif
