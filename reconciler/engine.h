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
    report_told *report;        /* may be NULL */
    void *report_context;
    /* Every cluster has an outcome; comes from the loop, once. */
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
