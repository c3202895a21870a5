/*
 * sim_life.h - one life in sim_test.c, and how it is told.
 */
#ifndef RECONCILER_SIM_LIFE_H
#define RECONCILER_SIM_LIFE_H

#include "base/prng.h"
#include "reconciler/cycle.h"
#include "reconciler/sim_act.h"
#include "reconciler/sim_truth.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct operation {
    size_t action;
    enum action_kind kind;
    enum change_class change;
    const char *subject;
    bool canceled;
};

struct life {
    uint64_t seed;
    struct prng prng;
    bool told, calm, broken;
    size_t steps;

    struct sim_world world;
    int desired; /* variant */

    struct cycle *cycle;
    struct cycle_options options;
    uint64_t now_ms, wake_at_ms; /* 0: no timer */
    bool observing, settled, stopped;
    struct node_state nodes[SIM_NODES];
    struct cluster_state look;
    struct operation running[CYCLE_PARALLEL_MAX];
    size_t running_count;

    /* The rules' own memory of this round. */
    int planned_for;                   /* variant */
    const struct facet_list *complete; /* what was truly recorded when it was seen, or NULL */
    bool done[PLAN_ACTIONS_MAX];       /* actions that ended well */
    bool draining, meddled;
    unsigned stops;
};

static inline void say(const struct life *life, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void say(const struct life *life, const char *format, ...)
{
    if (!life->told)
        return;
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static inline void expect(struct life *life, bool holds, const char *rule)
{
    if (holds)
        return;
    if (!life->broken || life->told)
        printf("seed %llu: broken rule: %s\n", (unsigned long long)life->seed, rule);
    life->broken = true;
}

static inline bool chance(struct life *life, unsigned percent)
{
    return prng_below(&life->prng, 100) < percent;
}

static inline const struct sim_variant *planned_variant(const struct life *life)
{
    return &sim_variants[life->planned_for];
}

#endif
