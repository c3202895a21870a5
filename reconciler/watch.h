/*
 * watch.h - makes a fleet as the sources say, and keeps it so, until it is stopped.
 *
 *   wakes                                      what comes of it
 *   watch_take: a new revision                 a pass; clusters that are to be something else: a
 * round the engine tells of a container            a round for its cluster a minute is over (with
 * jitter)             a pass: one list for the whole fleet a cluster's time is over a pass
 *   cycle.resync_ms after its last look        a round for one cluster
 *   what failed may be tried again             a round for one cluster
 *   the engine is there (again)                a pass; what had failed: a round
 *   watch_look: somebody asks                  a pass; what was given up: a round
 *
 * A pass lists all clusters, asks the rails, and compares each cluster's
 * containers with what its last round saw: what is the same is left alone.
 * Everything only wakes: what is to be done, looking decides. Where the engine
 * does not answer nothing is begun; it is asked again, more and more seldom.
 *
 * Before the first revision nothing at all is changed.
 *
 * It runs on a driver and a transport, as the engine does, and on no other clock but
 * options.now_s: the time of day, for what ends by date.
 */
#ifndef RECONCILER_WATCH_H
#define RECONCILER_WATCH_H

#include "reconciler/desired.h"
#include "reconciler/engine.h"
#include "reconciler/pass.h"
#include "reconciler/watch_schedule.h"

struct watch_options {
    struct driver *driver;
    struct transport *transport;
    struct cycle_options cycle; /* resync_ms too: 0 is WATCH_RESYNC_MS */
    /* What was asked for by hand. The Fleet of the sources may say prune, max_deletions and
     * clusters_parallel where that says nothing (no_prune: also not the Fleet). */
    struct rails_options rails; /* sources_whole and now_s are set by each pass */
    bool no_prune;
    size_t clusters_parallel; /* 0: not asked for */
    size_t clusters_default;  /* where nobody says, at least 1 */
    uint64_t seed;
    uint64_t list_ms; /* 0: WATCH_LIST_MS */
    uint64_t (*now_s)(void);

    /* Callbacks come from the loop; any may be NULL. */
    void *context;
    report_told *report;
    /* What the rails say, where that is something else than at the pass before. */
    void (*judged)(void *context, const struct rails_verdict *verdict);
    /* A pass is over: all clusters of the revision in force are known to the engine. */
    void (*passed)(void *context);
    /* It answers (why NULL), or it does not any more. */
    void (*engine_told)(void *context, const struct error *why);
    /* Its sources do not name it any more, or it is gone. */
    void (*dropped)(void *context, const char *cluster);
    void (*finished)(void *context); /* after watch_stop, once */
};

struct watch;

struct watch *watch_new(const struct watch_options *options);
void watch_start(struct watch *watch);

/* Takes effect at the pass that follows at once. Takes it over. */
void watch_take(struct watch *watch, struct desired *desired);

/* The revision in force, or NULL. */
const struct desired *watch_desired(const struct watch *watch);

/* Somebody asks: a pass, and what was given up is tried again. */
void watch_look(struct watch *watch);

/* The first call starts nothing more and lets running steps end, the second cancels them. */
void watch_stop(struct watch *watch);

/* After `finished`. NULL is fine. */
void watch_free(struct watch *watch);

/* For looks from outside: counts and sights. */
const struct engine *watch_engine(const struct watch *watch);
bool watch_engine_there(const struct watch *watch);

#endif
