/*
 * An engine that stays: clusters come, change and go, and rounds are wanted for reasons of
 * different urgency.
 *
 * DESIGN: a cluster rests (`begun` is false) or has one of the places. What
 * wants a round leaves its priority in `wanted`; pump() gives free places to
 * the most urgent, in the order of asking among equals. It runs from a timer,
 * never from within a step. What a cluster should be is swapped at one point
 * alone, where a round begins to look (engine_take_next): nothing runs then.
 */
#include "reconciler/engine_work.h"

#include "base/memory.h"
#include "base/prng.h"
#include "model/spec_copy.h"
#include <assert.h>
#include <string.h>

/* A cluster that was given up is not tried again sooner than this because its containers changed:
 * it may well have been us. */
enum { STALLED_REST_MS = 30 * 1000 };

/* --- Finding clusters. --- */

/* Where it is, or would be. */
static size_t place_of(const struct engine *engine, const char *name, bool *found)
{
    size_t low = 0, high = engine->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(engine->works[middle]->name, name);
        *found = order == 0;
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct work *find(const struct engine *engine, const char *name)
{
    bool found;
    size_t place = place_of(engine, name, &found);
    return found ? engine->works[place] : NULL;
}

/* --- Who comes next. --- */

/* A cluster that was never as it should be waits for those that it depends on. */
static const char *awaited(const struct work *work)
{
    const struct cluster_spec *desired = work->next ? work->next->desired : work->desired;
    for (size_t i = 0; desired && !work->settled && i < desired->dependency_count; i++) {
        const struct work *other = find(work->engine, desired->depends_on[i].name);
        if (!other || !other->upheld)
            return desired->depends_on[i].name;
    }
    return NULL;
}

static struct work *most_urgent(const struct engine *engine)
{
    struct work *best = NULL;
    for (size_t i = 0; i < engine->count; i++) {
        struct work *work = engine->works[i];
        if (work->begun || !work->wanted)
            continue;
        if (best && (work->wanted < best->wanted ||
                     (work->wanted == best->wanted && work->wanted_at > best->wanted_at)))
            continue;
        const char *name = awaited(work);
        if (name)
            engine_tell_waiting(work, name);
        else
            best = work;
    }
    return best;
}

static void pump(void *context)
{
    struct engine *engine = context;
    engine->pump = NULL;
    while (!engine->held && !engine->stops && engine->active < engine->options.clusters_parallel) {
        struct work *work = most_urgent(engine);
        if (!work)
            return;
        work->wanted = ENGINE_NO_WAKE;
        work->waiting_told = false;
        work->outcome = ENGINE_WORKING;
        engine_begin(work);
    }
}

static void pump_soon(struct engine *engine)
{
    struct transport *transport = engine->options.transport;
    if (!engine->pump && !engine->stops)
        engine->pump = transport->after(transport, 0, pump, engine);
}

static void want(struct work *work, enum engine_priority priority)
{
    if (priority > work->wanted) {
        work->wanted = priority;
        work->wanted_at = ++work->engine->wanted_last;
    }
    pump_soon(work->engine);
}

/* Looks that come due while nothing can be looked at do not pile up for the moment when that ends.
 */
void engine_came_due(struct work *work)
{
    struct engine *engine = work->engine;
    bool failed = cycle_failures(work->cycle) > 0;
    if (engine->held && !failed)
        engine_wake_at(work, engine_now_ms(engine) + engine->options.cycle.resync_ms);
    else
        want(work, failed ? ENGINE_RETRY : ENGINE_RESYNC);
}

/* --- A round and its end. --- */

uint64_t engine_print(const struct cluster_state *state)
{
    uint64_t print = UINT64_C(14695981039346656037);
    for (size_t i = 0; state && i < state->node_count; i++) {
        const struct node_state *node = &state->nodes[i];
        const char *const words[] = {node->id, node->name, node->network, node->ipv4, node->ipv6};
        for (size_t j = 0; j < COUNT_OF(words); j++)
            for (const char *at = words[j] ? words[j] : "-"; *at; at++)
                print = (print ^ (unsigned char)*at) * UINT64_C(1099511628211);
        print = (print ^ (uint64_t)node->status) * UINT64_C(1099511628211);
        print = (print ^ node->api_port) * UINT64_C(1099511628211);
    }
    return state && state->node_count ? print | 1 : 0;
}

static bool is_upheld(const struct work *work, enum engine_outcome outcome)
{
    const struct plan *plan = cycle_plan(work->cycle);
    return outcome == ENGINE_SETTLED && work->desired && plan && !plan->held &&
           !plan->refused_count && engine_is_ready(work);
}

/* What was seen is of use in the round alone, and a fleet has many clusters. */
static void forget_sight(struct work *work)
{
    arena_free(work->seen_arena);
    arena_free(work->old_arena);
    wish_release(work->seen_wish);
    wish_release(work->old_wish);
    work->seen_arena = work->old_arena = NULL;
    work->seen_wish = work->old_wish = NULL;
    work->seen = NULL;
}

void engine_rest(struct work *work, enum engine_outcome outcome)
{
    struct engine *engine = work->engine;
    if (!work->begun)
        return;
    work->begun = false;
    work->outcome = outcome;
    work->upheld = is_upheld(work, outcome);
    work->settled = work->settled || work->upheld;
    work->failed_at_ms = outcome == ENGINE_SETTLED ? 0 : engine_now_ms(engine);
    work->seen_print = engine_print(work->seen);
    forget_sight(work);
    engine->active--;
    if (engine->stops)
        engine_finish(engine);
    else
        pump_soon(engine);
    if (work->next && !engine->stops)
        want(work, ENGINE_EDIT);
}

void engine_take_next(struct work *work)
{
    if (!work->next)
        return;
    wish_release(work->wish);
    work->wish = TAKE(work->next);
    work->desired = work->wish->desired;
    cycle_set_desired(work->cycle, work->desired);
    cycle_set_end_reason(work->cycle, work->wish->end_reason);
}

/* Between two rounds, or where one has drained. */
static bool is_quiet(const struct work *work)
{
    enum cycle_state state = cycle_state(work->cycle);
    return state != CYCLE_EXECUTING && state != CYCLE_DRAINING && !work->observe.running;
}

static void forget(struct work *work)
{
    struct engine *engine = work->engine;
    bool found;
    size_t place = place_of(engine, work->name, &found);
    assert(found && engine->works[place] == work);
    engine->active -= work->begun;
    memmove(&engine->works[place], &engine->works[place + 1],
            (engine->count - place - 1) * sizeof(*engine->works));
    engine->count--;
    engine_free_work(work);
    pump_soon(engine);
}

bool engine_leaves(struct work *work)
{
    if (!work->leaving || work->engine->stops || !is_quiet(work))
        return false;
    forget(work);
    return true;
}

/* It was looked at with what it should have been in mind. */
bool engine_looks_again(struct work *work)
{
    if (!work->next || work->engine->stops || cycle_state(work->cycle) != CYCLE_OBSERVING)
        return false;
    engine_observe(work);
    return true;
}

/* --- What is asked for from outside. --- */

static struct wish *new_wish(const struct cluster_spec *desired, const char *end_reason)
{
    struct wish *wish = memory_new(sizeof(*wish));
    wish->holders = 1;
    wish->arena = arena_new();
    wish->desired = desired ? spec_copy(wish->arena, desired) : NULL;
    wish->end_reason = arena_string(wish->arena, end_reason);
    return wish;
}

static bool is_wished(const struct work *work, const struct cluster_spec *desired)
{
    const struct wish *wish = work->next ? work->next : work->wish;
    if (!wish->desired || !desired)
        return wish->desired == desired;
    return spec_equal(wish->desired, desired);
}

static void add(struct engine *engine, const char *name, struct wish *wish,
                enum engine_priority priority)
{
    bool found;
    size_t place = place_of(engine, name, &found);
    char *own_name = memory_string(name);
    struct work *work = engine_new_work(engine, own_name, wish);
    work->own_name = own_name;
    memmove(&engine->works[place + 1], &engine->works[place],
            (engine->count - 1 - place) * sizeof(*engine->works));
    engine->works[place] = work;
    wish_release(wish);
    want(work, priority);
}

bool engine_set(struct engine *engine, const char *name, const struct cluster_spec *desired,
                const char *end_reason, enum engine_priority priority)
{
    assert(engine->options.standing);
    struct work *work = find(engine, name);
    bool came_back = work && work->leaving;
    if (work)
        work->leaving = false;
    if (work && is_wished(work, desired)) {
        if (came_back)
            engine_wake(engine, name, priority);
        return came_back;
    }
    struct wish *wish = new_wish(desired, end_reason);
    if (!work) {
        add(engine, name, wish, priority);
        return true;
    }
    wish_release(work->next);
    work->next = wish;
    if (!work->begun)
        want(work, priority);
    else if (cycle_state(work->cycle) == CYCLE_EXECUTING)
        engine_step(work, (struct event){.kind = EVENT_WAKE});
    return true;
}

/* When it may be tried again because its containers changed. */
static uint64_t rest_until(const struct work *work)
{
    return work->failed_at_ms + STALLED_REST_MS;
}

void engine_wake(struct engine *engine, const char *name, enum engine_priority priority)
{
    struct work *work = find(engine, name);
    if (!work || engine->stops)
        return;
    bool drift = priority == ENGINE_DRIFT;
    if (work->begun) {
        /* What acts looks again at its end. */
        if (cycle_state(work->cycle) == CYCLE_OBSERVING)
            engine_step(work, (struct event){.kind = EVENT_WAKE});
    } else if (drift && work->failed_at_ms && work->wake) {
        return; /* its time comes */
    } else if (drift && work->failed_at_ms && rest_until(work) > engine_now_ms(engine)) {
        engine_wake_at(work, rest_until(work));
    } else {
        want(work, priority);
    }
}

void engine_drop(struct engine *engine, const char *name)
{
    struct work *work = find(engine, name);
    if (!work || engine->stops)
        return;
    work->leaving = true;
    if (cycle_state(work->cycle) == CYCLE_EXECUTING)
        engine_step(work, (struct event){.kind = EVENT_WAKE});
    else
        (void)engine_leaves(work);
}

void engine_hold(struct engine *engine, bool held)
{
    engine->held = held;
    if (!held)
        pump_soon(engine);
}

void engine_set_parallel(struct engine *engine, size_t clusters_parallel)
{
    assert(clusters_parallel > 0);
    engine->options.clusters_parallel = clusters_parallel;
    pump_soon(engine);
}

/* --- What can be seen from outside. --- */

struct engine_sight engine_sight_at(const struct engine *engine, size_t index)
{
    const struct work *work = engine->works[index];
    const struct wish *wish = work->next ? work->next : work->wish;
    bool stalled = !work->begun && work->outcome == ENGINE_STALLED;
    return (struct engine_sight){
        .cluster = work->name,
        .desired = wish->desired,
        .working = work->begun || work->wanted,
        .upheld = work->upheld,
        .stalled = stalled,
        .failing = !stalled && work->failed_at_ms,
        .print = work->seen_print,
    };
}

bool engine_look(const struct engine *engine, const char *name, struct engine_sight *sight)
{
    bool found;
    size_t place = place_of(engine, name, &found);
    if (!found || engine->works[place]->leaving)
        return false;
    *sight = engine_sight_at(engine, place);
    return true;
}

void engine_count_work(const struct engine *engine, size_t *ret_waiting, size_t *ret_working)
{
    size_t waiting = 0;
    for (size_t i = 0; i < engine->count; i++)
        waiting += !engine->works[i]->begun && engine->works[i]->wanted;
    *ret_waiting = waiting;
    *ret_working = engine->active;
}
