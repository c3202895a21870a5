/*
 * sim_life.h - one life in sim_test.c, and the rules that it must keep.
 *
 * The rules know nothing of diff and cycle: they say again, in their own
 * tables, what must come before what and what needs leave.
 */
#ifndef RECONCILER_SIM_LIFE_H
#define RECONCILER_SIM_LIFE_H

#include "base/prng.h"
#include "reconciler/cycle.h"
#include "reconciler/sim_world.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct operation {
    size_t action;
    enum action_kind kind;
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
    int planned_for; /* variant */
    uint32_t ended;  /* kinds of actions that ended well */
    bool draining;
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

/* What must have ended well in this round before an action of the kind begins. */
static const uint32_t needs[ACTION_KINDS] = {
    [ACTION_CREATE_NODE] = BIT(NETWORK) | BIT(IMAGE),
    [ACTION_UPLOAD_CONFIG] = BIT(BOOTSTRAP),
    [ACTION_MARK_CONTROL_PLANE] = BIT(BOOTSTRAP),
    [ACTION_TOKEN] = BIT(BOOTSTRAP),
    [ACTION_PROXY] = BIT(BOOTSTRAP),
    [ACTION_DNS] = BIT(BOOTSTRAP),
    [ACTION_CNI] = BIT(BOOTSTRAP),
    [ACTION_STORAGE] = BIT(BOOTSTRAP),
    [ACTION_RECORD] = BIT(BOOTSTRAP) | BIT(UPLOAD_CONFIG) | BIT(MARK_CONTROL_PLANE) | BIT(TOKEN) |
                      BIT(DNS) | BIT(STORAGE) | BIT(KUBECONFIG),
};

static inline bool saw_running(const struct life *life)
{
    for (size_t i = 0; i < life->look.node_count; i++) {
        if (strcmp(life->look.nodes[i].name, sim_names[0]) == 0)
            return life->look.nodes[i].status == CONTAINER_RUNNING;
    }
    return false;
}

static inline bool saw_control_plane(const struct life *life)
{
    for (size_t i = 0; i < life->look.node_count; i++) {
        if (strcmp(life->look.nodes[i].role, "control-plane") == 0)
            return true;
    }
    return false;
}

static inline uint32_t needs_of(const struct life *life, const struct action *action)
{
    const struct cluster_spec *spec = planned_variant(life)->spec;
    uint32_t kinds = needs[action->kind];
    bool finished = life->look.recorded == SEEN_YES;
    if (action->kind == ACTION_DELETE_NODE && !spec)
        kinds |= BIT(FORGET);
    if (action->kind == ACTION_RECORD && !spec->networking.disable_default_cni)
        kinds |= BIT(CNI) | BIT(AWAIT_READY);
    if (action->kind == ACTION_RECORD && spec->networking.proxy_mode != PROXY_NONE)
        kinds |= BIT(PROXY);
    if ((action->kind == ACTION_KUBECONFIG || action->kind == ACTION_AWAIT_READY) && !finished)
        kinds |= BIT(BOOTSTRAP);
    if (action->kind == ACTION_AWAIT_READY && !finished)
        kinds |= BIT(CNI) | BIT(DNS) | BIT(KUBECONFIG);
    return kinds;
}

static inline bool saw_strangers(const struct life *life)
{
    return !cluster_state_owned(&life->look, NOTATION_FLEET);
}

static inline void check_order(struct life *life, const struct action *action)
{
    bool needs_node = action->kind == ACTION_BOOTSTRAP || action->kind == ACTION_KUBECONFIG ||
                      action->kind == ACTION_AWAIT_READY;
    expect(life, !(needs_of(life, action) & ~life->ended), "nothing begins before what it needs");
    expect(life,
           !needs_node || saw_running(life) || (life->ended & (BIT(CREATE_NODE) | BIT(START_NODE))),
           "nothing is done in a node that does not run");
}

static inline void check_leave(struct life *life, const struct action *action)
{
    const struct diff_policy *policy = &life->options.policy;
    const struct sim_variant *variant = planned_variant(life);
    bool deletes = action->kind == ACTION_DELETE_NODE;
    expect(life, !saw_strangers(life) || (!variant->text && policy->any_owner),
           "nothing is done to a cluster that is not ours");
    expect(life, !variant->unsupported, "nothing is done for what is not supported");
    expect(life, variant->text || policy->allow_delete || policy->any_owner,
           "nothing is deleted without leave");
    expect(life,
           !variant->text || life->look.recorded != SEEN_UNKNOWN ||
               (deletes && policy->allow_recreate),
           "nothing is done to what cannot be read");
}

static inline void check_start(struct life *life, const struct action *action)
{
    expect(life, !life->stops, "nothing begins after a stop");
    expect(life, !life->draining, "nothing begins while draining");
    expect(life, !life->observing, "nothing begins before it is seen");
    for (size_t i = 0; i < life->running_count; i++)
        expect(life,
               life->running[i].kind != action->kind ||
                   strcmp(life->running[i].subject, action->subject) != 0,
               "no two of one kind on one subject");
    check_order(life, action);
    check_leave(life, action);
}

#endif
