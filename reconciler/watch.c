#include "reconciler/watch.h"

#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * DESIGN: three things run side by side, each one operation or timer at a time.
 *
 *   follow   away ──(tries, more and more seldom)──► open ──(ends)──► away
 *   pass     idle ──(time, wake)──► listing ──► looking at marks ──► idle
 *   engine   rounds of single clusters (engine.h)
 *
 * A pass that is asked for while one runs comes after it: wishes collapse.
 */
enum { LOOKS_PARALLEL = 16 };

struct look {
    struct op op;
    struct watch *watch;
    size_t index; /* of the cluster in what was listed */
    struct cluster_state *state;
};

/* One pass under way. */
struct pass {
    struct arena *arena; /* NULL: none is */
    struct op list;
    struct fleet_state observed;
    struct rails_options rails;
    struct pass_unknown unknown;
    size_t next, looking; /* of the unknown */
    struct look looks[LOOKS_PARALLEL];
};

struct watch {
    struct watch_options options;
    struct engine *engine;
    struct desired *desired; /* in force; NULL before the first */
    bool settled_in;         /* a pass was made with a revision */
    struct prng prng;

    struct op follow;
    struct transport_timer *reconnect;
    unsigned failures; /* in a row, to reach the engine */
    bool there, absence_told;

    struct pass pass;
    struct transport_timer *timer;
    bool again;     /* a pass is wanted after this one */
    bool came_back; /* what failed is to be tried again */
    bool asked;     /* so is what was given up */

    struct rails_verdicts told; /* of the last pass, in told_arena */
    struct arena *told_arena;

    unsigned stops;
    bool engine_done, finished_told;
};

static void begin_pass(struct watch *watch);
static void begin_follow(void *context);
static void go_on_looking(struct watch *watch);

static struct driver *driver_of(const struct watch *watch)
{
    return watch->options.driver;
}

static void set_timer(struct watch *watch, struct transport_timer **timer, uint64_t delay_ms,
                      transport_timer_fired *fired)
{
    struct transport *transport = watch->options.transport;
    if (*timer)
        transport->cancel_timer(transport, *timer);
    *timer = transport->after(transport, delay_ms, fired, watch);
}

static void clear_timer(struct watch *watch, struct transport_timer **timer)
{
    if (*timer)
        watch->options.transport->cancel_timer(watch->options.transport, *timer);
    *timer = NULL;
}

/* --- The end. --- */

static void finish_if_over(struct watch *watch)
{
    bool busy = watch->pass.arena || watch->follow.running || !watch->engine_done;
    if (!watch->stops || busy || watch->finished_told)
        return;
    watch->finished_told = true;
    watch->options.finished(watch->options.context);
}

static void engine_finished(void *context)
{
    struct watch *watch = context;
    watch->engine_done = true;
    finish_if_over(watch);
}

/* --- The engine comes and goes. --- */

static void tell_engine(struct watch *watch, const struct error *why)
{
    if (watch->options.engine_told)
        watch->options.engine_told(watch->options.context, why);
}

static void engine_is_there(struct watch *watch)
{
    if (watch->there)
        return;
    watch->there = true;
    watch->came_back = true;
    watch->failures = 0;
    watch->absence_told = false;
    engine_hold(watch->engine, false);
    tell_engine(watch, NULL);
}

/* Nothing is begun until it answers; what runs fails by itself. */
static void engine_is_away(struct watch *watch, const struct error *why)
{
    watch->there = false;
    watch->failures++;
    engine_hold(watch->engine, true);
    clear_timer(watch, &watch->timer);
    if (!watch->absence_told)
        tell_engine(watch, why);
    watch->absence_told = true;
    if (!watch->stops)
        set_timer(watch, &watch->reconnect, watch_reconnect_ms(watch->failures, &watch->prng),
                  begin_follow);
}

static void follow_opened(void *context)
{
    struct watch *watch = context;
    engine_is_there(watch);
    begin_pass(watch);
}

static void follow_happened(void *context, const char *cluster, const char *action)
{
    struct watch *watch = context;
    if (watch_is_hint(action))
        engine_wake(watch->engine, cluster, ENGINE_DRIFT);
}

static struct watch *watch_of_follow(struct op *op)
{
    return (struct watch *)(void *)((char *)op - offsetof(struct watch, follow));
}

/* It told all it had to tell (an engine that ends says so, too), or something broke. */
static void follow_ended(struct op *op, struct error *failure)
{
    struct watch *watch = watch_of_follow(op);
    struct error *ended = failure;
    if (!ended)
        error_set(&ended, ERROR_UNAVAILABLE, "the engine ended the stream of its events");
    if (watch->stops)
        finish_if_over(watch);
    else if (watch->there && ended->kind == ERROR_TIMEOUT)
        set_timer(watch, &watch->reconnect, 0, begin_follow); /* it was quiet for very long */
    else
        engine_is_away(watch, ended);
    error_free(ended);
}

static void begin_follow(void *context)
{
    struct watch *watch = context;
    struct driver *driver = driver_of(watch);
    watch->reconnect = NULL;
    watch->follow = (struct op){.ended = follow_ended};
    const struct driver_ear ear = {
        .opened = follow_opened,
        .happened = follow_happened,
        .context = watch,
        .actions = watch_hints,
    };
    driver->vtable->follow(driver, &watch->follow, &ear);
}

/* --- A pass. --- */

static void pass_came_due(void *context)
{
    struct watch *watch = context;
    watch->timer = NULL;
    begin_pass(watch);
}

static void next_pass_in(struct watch *watch, uint64_t delay_ms)
{
    if (!watch->stops && watch->there)
        set_timer(watch, &watch->timer, delay_ms, pass_came_due);
}

static void end_pass(struct watch *watch)
{
    arena_free(watch->pass.arena);
    watch->pass.arena = NULL;
    if (watch->stops)
        finish_if_over(watch);
    else if (watch->again)
        next_pass_in(watch, 0);
}

static bool is_target(const struct watch *watch, const struct pass_plan *plan, const char *name)
{
    const struct rails_verdict *verdict = rails_find(&plan->verdicts, name);
    if (verdict && (verdict->remove || verdict->unmade))
        return verdict->remove;
    return fleet_spec_find(&watch->desired->fleet, name) != NULL;
}

/* What goes is seen off to its end: its kubeconfig entry goes last. */
static void drop_others(struct watch *watch, const struct pass_plan *plan)
{
    for (size_t i = engine_count(watch->engine); i-- > 0;) {
        const struct engine_sight sight = engine_sight_at(watch->engine, i);
        if (is_target(watch, plan, sight.cluster) || (!sight.desired && sight.working))
            continue;
        cleanup_free char *name = memory_string(sight.cluster);
        engine_drop(watch->engine, name);
        if (watch->options.dropped)
            watch->options.dropped(watch->options.context, name);
    }
}

static void wake_if_changed(struct watch *watch, const char *name)
{
    const struct cluster_state *state = fleet_state_find(&watch->pass.observed, name);
    struct engine_sight sight;
    if (!engine_look(watch->engine, name, &sight))
        return;
    bool failed = sight.failing || sight.stalled;
    if (failed && watch->asked)
        engine_wake(watch->engine, name, ENGINE_EDIT);
    else if (failed && watch->came_back)
        engine_wake(watch->engine, name, ENGINE_RETRY);
    else if (!sight.working && sight.print != engine_print(state))
        engine_wake(watch->engine, name, ENGINE_DRIFT);
}

static void set_targets(struct watch *watch, const struct pass_plan *plan)
{
    enum engine_priority priority = watch->settled_in ? ENGINE_EDIT : ENGINE_RESYNC;
    for (size_t i = 0; i < plan->count; i++) {
        const struct pass_target *target = &plan->targets[i];
        if (!engine_set(watch->engine, target->name, target->desired, target->end_reason, priority))
            wake_if_changed(watch, target->name);
    }
}

/* Verdicts are told when they are others than before. */
static void tell_verdicts(struct watch *watch, const struct rails_verdicts *verdicts)
{
    struct arena *arena = arena_new();
    struct rails_verdict *copies = arena_array(arena, verdicts->count, sizeof(*copies));
    for (size_t i = 0; i < verdicts->count; i++) {
        const struct rails_verdict *verdict = &verdicts->items[i];
        const struct rails_verdict *before = rails_find(&watch->told, verdict->cluster);
        bool same = before && before->remove == verdict->remove &&
                    strcmp(before->reason, verdict->reason) == 0;
        if (!same && watch->options.judged)
            watch->options.judged(watch->options.context, verdict);
        copies[i] = *verdict;
        copies[i].cluster = arena_string(arena, verdict->cluster);
        copies[i].reason = arena_string(arena, verdict->reason);
    }
    arena_free(watch->told_arena);
    watch->told_arena = arena;
    watch->told = (struct rails_verdicts){.items = copies, .count = verdicts->count};
}

static void judge(struct watch *watch)
{
    struct pass *pass = &watch->pass;
    const struct fleet_spec *fleet = &watch->desired->fleet;
    struct pass_plan plan;
    pass_plan_targets(pass->arena, fleet, &pass->observed, &pass->rails, &plan);
    tell_verdicts(watch, &plan.verdicts);
    set_targets(watch, &plan);
    drop_others(watch, &plan);
    watch->settled_in = true;
    watch->came_back = watch->asked = false;
    uint64_t end_s = pass_next_end_s(fleet, &pass->observed, pass->rails.now_s);
    uint64_t list_ms = watch_jitter_ms(watch->options.list_ms, &watch->prng);
    next_pass_in(watch, watch_pass_ms(list_ms, end_s, pass->rails.now_s));
    if (watch->options.passed)
        watch->options.passed(watch->options.context);
    end_pass(watch);
}

static void looked(struct op *op, struct error *failure)
{
    struct look *look = (struct look *)(void *)op;
    struct watch *watch = look->watch;
    watch->pass.looking--;
    if (!failure)
        pass_take_marks(&watch->pass.observed, look->index, look->state);
    look->state = NULL;
    error_free(failure); /* what cannot be read stays */
    go_on_looking(watch);
}

/* Several at a time, at those whose marks must be known. */
static void go_on_looking(struct watch *watch)
{
    struct pass *pass = &watch->pass;
    struct driver *driver = driver_of(watch);
    for (size_t i = 0; i < LOOKS_PARALLEL && pass->next < pass->unknown.count; i++) {
        struct look *look = &pass->looks[i];
        if (look->state || watch->stops)
            continue;
        *look = (struct look){.op = {.ended = looked},
                              .watch = watch,
                              .index = pass->unknown.items[pass->next++],
                              .state = arena_alloc(pass->arena, sizeof(*look->state))};
        pass->looking++;
        driver->vtable->look(driver, &look->op, pass->observed.clusters[look->index].name,
                             pass->arena, look->state);
    }
    if (pass->looking)
        return;
    if (watch->stops)
        end_pass(watch);
    else
        judge(watch);
}

static struct rails_options rails_of(const struct watch *watch)
{
    struct rails_options rails = watch->options.rails;
    const struct fleet_spec *fleet = &watch->desired->fleet;
    rails.prune = rails.prune || (fleet->prune && !watch->options.no_prune);
    rails.max_deletions = rails.max_deletions ? rails.max_deletions : fleet->max_deletions;
    rails.sources_whole = true; /* there is no revision of half a source */
    rails.now_s = watch->options.now_s();
    return rails;
}

static struct watch *watch_of_list(struct op *op)
{
    return (struct watch *)(void *)((char *)op - offsetof(struct watch, pass.list));
}

/* It tells what happens, and cannot be looked at: that is as bad as being away. */
static void note_list(struct watch *watch, const struct error *failure)
{
    if (failure && !watch->absence_told)
        tell_engine(watch, failure);
    if (!failure && watch->absence_told)
        tell_engine(watch, NULL);
    watch->absence_told = failure != NULL;
    watch->failures = failure ? watch->failures + 1 : 0;
    if (failure)
        next_pass_in(watch, watch_reconnect_ms(watch->failures, &watch->prng));
}

static void listed(struct op *op, struct error *failure)
{
    struct watch *watch = watch_of_list(op);
    struct pass *pass = &watch->pass;
    if (!watch->stops)
        note_list(watch, failure);
    if (failure || watch->stops || !watch->desired) {
        error_free(failure);
        end_pass(watch);
        return;
    }
    pass->rails = rails_of(watch);
    pass_must_know(pass->arena, &watch->desired->fleet, &pass->observed, &pass->rails,
                   &pass->unknown);
    go_on_looking(watch);
}

static void begin_pass(struct watch *watch)
{
    struct driver *driver = driver_of(watch);
    watch->again = watch->pass.arena != NULL;
    if (watch->again || watch->stops || !watch->there || !watch->desired)
        return;
    clear_timer(watch, &watch->timer);
    watch->pass = (struct pass){.arena = arena_new(), .list = {.ended = listed}};
    driver->vtable->list(driver, &watch->pass.list, watch->pass.arena, &watch->pass.observed);
}

/* --- From outside. --- */

struct watch *watch_new(const struct watch_options *options)
{
    struct watch *watch = memory_new(sizeof(*watch));
    watch->options = *options;
    watch->prng.state = options->seed;
    if (!watch->options.list_ms)
        watch->options.list_ms = WATCH_LIST_MS;
    struct engine_options engine = {
        .driver = options->driver,
        .transport = options->transport,
        .cycle = options->cycle,
        .clusters_parallel =
            options->clusters_parallel ? options->clusters_parallel : options->clusters_default,
        .standing = true,
        .report = options->report,
        .report_context = options->context,
        .finished = engine_finished,
        .finished_context = watch,
    };
    if (!engine.cycle.resync_ms)
        engine.cycle.resync_ms = WATCH_RESYNC_MS;
    watch->engine = engine_new(&engine);
    engine_hold(watch->engine, true);
    return watch;
}

void watch_start(struct watch *watch)
{
    set_timer(watch, &watch->reconnect, 0, begin_follow);
}

void watch_take(struct watch *watch, struct desired *desired)
{
    const struct watch_options *options = &watch->options;
    /* Where a pass runs its specs are in use until it is over. */
    desired_free(watch->desired);
    watch->desired = desired;
    if (!options->clusters_parallel)
        engine_set_parallel(watch->engine, desired->fleet.concurrency ? desired->fleet.concurrency
                                                                      : options->clusters_default);
    begin_pass(watch);
}

const struct desired *watch_desired(const struct watch *watch)
{
    return watch->desired;
}

void watch_look(struct watch *watch)
{
    watch->asked = true;
    begin_pass(watch);
}

void watch_stop(struct watch *watch)
{
    struct driver *driver = driver_of(watch);
    watch->stops++;
    clear_timer(watch, &watch->reconnect);
    clear_timer(watch, &watch->timer);
    engine_stop(watch->engine);
    if (watch->follow.running)
        driver->vtable->cancel(driver, &watch->follow);
    if (watch->pass.arena && watch->pass.list.running)
        driver->vtable->cancel(driver, &watch->pass.list);
    for (size_t i = 0; watch->pass.arena && i < LOOKS_PARALLEL; i++)
        if (watch->pass.looks[i].op.running)
            driver->vtable->cancel(driver, &watch->pass.looks[i].op);
    finish_if_over(watch);
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    engine_free(watch->engine);
    desired_free(watch->desired);
    arena_free(watch->told_arena);
    free(watch);
}

const struct engine *watch_engine(const struct watch *watch)
{
    return watch->engine;
}

bool watch_engine_there(const struct watch *watch)
{
    return watch->there;
}
