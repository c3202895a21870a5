#include "reconciler/engine_work.h"

#include "base/memory.h"
#include <assert.h>
#include <string.h>

/*
 * DESIGN: everything that happens is an event to one cluster's cycle; what
 * the cycle answers is carried out here, in order. Effects never call back
 * into the cycle directly: driver operations end from the loop, never before
 * the call that began them has returned (driver.h), so engine_step() is not
 * re-entered.
 */
uint64_t engine_now_ms(const struct engine *engine)
{
    return engine->options.transport->now_ms(engine->options.transport);
}

void engine_tell(struct work *work, struct report report)
{
    const struct engine *engine = work->engine;
    if (!engine->options.report)
        return;
    report.now_ms = engine_now_ms(engine);
    if (!report.elapsed_ms)
        report.elapsed_ms = report.now_ms - work->began_at_ms;
    report.cluster = work->name;
    report.desired = work->desired;
    report.plan = report.plan ? report.plan : cycle_plan(work->cycle);
    report.done = work->done;
    report.total = report.plan ? report.plan->count : 0;
    engine->options.report(engine->options.report_context, &report);
}

/* The cluster has come to its end, or to rest; the next in the queue may begin. */
void engine_conclude(struct work *work, enum engine_outcome outcome)
{
    struct engine *engine = work->engine;
    if (engine->options.standing) {
        engine_rest(work, outcome);
        return;
    }
    if (work->outcome != ENGINE_WORKING)
        return;
    work->outcome = outcome;
    engine->active -= work->begun;
    engine_begin_next(engine);
}

static void wake_now(void *context)
{
    struct work *work = context;
    work->wake = NULL;
    if (!work->begun)
        engine_came_due(work);
    else if (!engine_leaves(work))
        engine_step(work, (struct event){.kind = EVENT_WAKE});
}

void engine_wake_at(struct work *work, uint64_t at_ms)
{
    struct transport *transport = work->engine->options.transport;
    if (work->wake)
        transport->cancel_timer(transport, work->wake);
    uint64_t now = transport->now_ms(transport);
    work->wake = transport->after(transport, at_ms > now ? at_ms - now : 0, wake_now, work);
}

/* What failed without an action: all that there is to go by is what it says. */
static void diagnose_message(struct work *work, const struct error *failure)
{
    if (work->diagnosis || !failure)
        return;
    work->diagnosis = diagnosis_new();
    diagnosis_add_failure(work->diagnosis, failure);
    diagnosis_conclude(work->diagnosis, work->name, work->name);
}

static void observe_ended(struct op *op, struct error *failure)
{
    struct work *work = (struct work *)(void *)((char *)op - offsetof(struct work, observe));
    if (failure)
        work->seen = NULL; /* half of a look is none */
    if (engine_leaves(work) || engine_looks_again(work)) {
        error_free(failure);
        return;
    }
    engine_step(work, (struct event){
                          .kind = EVENT_OBSERVED,
                          .observed = work->seen,
                          .failure = failure,
                      });
    error_free(failure);
}

void engine_observe(struct work *work)
{
    engine_take_next(work);
    if (work->wake)
        work->engine->options.transport->cancel_timer(work->engine->options.transport, work->wake);
    work->wake = NULL;
    struct driver *driver = work->engine->options.driver;
    /* The cycle may still hold the state of the round before while it plans this one. */
    arena_free(work->old_arena);
    wish_release(work->old_wish);
    work->old_arena = work->seen_arena;
    work->old_wish = work->seen_wish;
    work->seen_arena = arena_new();
    work->seen_wish = wish_hold(work->wish);
    work->seen = arena_alloc(work->seen_arena, sizeof(*work->seen));
    work->observe = (struct op){.ended = observe_ended};
    diagnosis_free(work->diagnosis);
    work->diagnosis = NULL;
    driver->vtable->observe(driver, &work->observe, work->name, work->desired, work->seen_arena,
                            work->seen);
}

static struct running *running_of(struct op *op)
{
    return (struct running *)(void *)((char *)op - offsetof(struct running, op));
}

static const struct action *action_of(const struct running *running)
{
    return &cycle_plan(running->work->cycle)->actions[running->action];
}

static void action_step(struct op *op, const char *name)
{
    struct running *running = running_of(op);
    engine_tell(running->work,
                (struct report){.kind = REPORT_STEP, .action = action_of(running), .step = name});
}

static void action_note(struct op *op, const char *text)
{
    struct running *running = running_of(op);
    engine_tell(running->work,
                (struct report){.kind = REPORT_NOTE, .action = action_of(running), .text = text});
}

/* The first failure of a round is the one that counts, as the cycle has it. */
static void keep_diagnosis(struct work *work, struct diagnosis *diagnosis)
{
    if (work->diagnosis)
        diagnosis_free(diagnosis);
    else
        work->diagnosis = diagnosis;
}

static void conclude_action(struct running *running, struct error *failure, uint64_t elapsed_ms)
{
    struct work *work = running->work;
    struct diagnosis *diagnosis = TAKE(running->diagnosis);
    running->busy = false;
    work->done += failure == NULL;
    if (diagnosis)
        diagnosis_conclude(diagnosis, work->name, action_of(running)->subject);
    engine_tell(work, (struct report){
                          .kind = REPORT_ACTION_ENDS,
                          .action = action_of(running),
                          .failure = failure,
                          .diagnosis = diagnosis,
                          .elapsed_ms = elapsed_ms,
                      });
    keep_diagnosis(work, diagnosis);
    engine_step(
        work,
        (struct event){.kind = EVENT_ACTION_ENDED, .action = running->action, .failure = failure});
    error_free(failure);
}

/* However far it came: what was found is there. */
static void evidence_ended(struct op *op, struct error *failure)
{
    struct running *running = running_of(op);
    error_free(failure);
    conclude_action(running, TAKE(running->failure), running->elapsed_ms);
}

/*
 * Before anything is tried again or cleaned up: the cycle hears of the failure
 * when its evidence is there. Wrong input is its own evidence, and who is
 * stopping is in a hurry.
 */
static void action_ended(struct op *op, struct error *failure)
{
    struct running *running = running_of(op);
    struct driver *driver = running->work->engine->options.driver;
    uint64_t elapsed_ms = engine_now_ms(running->work->engine) - running->began_at_ms + 1;
    if (!failure || failure->kind == ERROR_CANCELED) {
        conclude_action(running, failure, elapsed_ms);
        return;
    }
    running->diagnosis = diagnosis_new();
    if (!driver->vtable->collect || failure->kind == ERROR_INVALID ||
        failure->kind == ERROR_INTERNAL || running->work->engine->stops) {
        diagnosis_add_failure(running->diagnosis, failure);
        conclude_action(running, failure, elapsed_ms);
        return;
    }
    running->failure = failure;
    running->elapsed_ms = elapsed_ms;
    running->op = (struct op){.ended = evidence_ended};
    driver->vtable->collect(driver, &running->op, &running->input, failure,
                            &running->diagnosis->evidence);
}

static struct running *find_running(struct work *work, bool busy, size_t action)
{
    for (size_t i = 0; i < CYCLE_PARALLEL_MAX; i++)
        if (work->running[i].busy == busy && (!busy || work->running[i].action == action))
            return &work->running[i];
    return NULL;
}

static void start_action(struct work *work, size_t action)
{
    struct driver *driver = work->engine->options.driver;
    struct running *running = find_running(work, false, 0);
    assert(running); /* the cycle never starts more */
    *running = (struct running){
        .op = {.ended = action_ended, .step = action_step, .note = action_note},
        .work = work,
        .action = action,
        .began_at_ms = engine_now_ms(work->engine),
        .busy = true,
    };
    engine_tell(work, (struct report){.kind = REPORT_ACTION_BEGINS, .action = action_of(running)});
    running->input = (struct apply_input){
        .cluster = work->name,
        .spec = work->desired,
        .observed = work->seen,
        .action = action_of(running),
        .record = &cycle_plan(work->cycle)->record,
        .marks = &cycle_plan(work->cycle)->marks,
        .plan = cycle_plan(work->cycle),
    };
    driver->vtable->apply(driver, &running->op, &running->input);
}

static void cancel_action(struct work *work, size_t action)
{
    struct driver *driver = work->engine->options.driver;
    struct running *running = find_running(work, true, action);
    if (running)
        driver->vtable->cancel(driver, &running->op);
}

static void tell_failed(struct work *work, uint64_t wait_ms)
{
    bool stalled = cycle_stalled(work->cycle);
    diagnose_message(work, cycle_failure(work->cycle));
    engine_tell(work, (struct report){
                          .kind = stalled ? REPORT_STALLED : REPORT_RETRY,
                          .failure = cycle_failure(work->cycle),
                          .diagnosis = work->diagnosis,
                          .failures = cycle_failures(work->cycle),
                          .wait_ms = wait_ms,
                      });
    if (stalled)
        engine_conclude(work, ENGINE_STALLED);
    else if (work->engine->options.standing)
        engine_conclude(work, ENGINE_WORKING); /* others go on meanwhile */
}

/* How long until the wake that comes with these effects. */
static uint64_t wait_of(const struct effects *effects, uint64_t now_ms)
{
    for (size_t i = 0; i < effects->count; i++)
        if (effects->items[i].kind == EFFECT_WAKE_AT && effects->items[i].wake_at_ms > now_ms)
            return effects->items[i].wake_at_ms - now_ms;
    return 0;
}

static void carry_out(struct work *work, const struct effect *effect, uint64_t wait_ms)
{
    switch (effect->kind) {
    case EFFECT_OBSERVE:
        work->done = 0;
        if (!work->leaving)
            engine_observe(work);
        break;
    case EFFECT_START:
        start_action(work, effect->action);
        break;
    case EFFECT_CANCEL:
        cancel_action(work, effect->action);
        break;
    case EFFECT_WAKE_AT:
        if (work->outcome == ENGINE_WORKING || work->engine->options.standing)
            engine_wake_at(work, effect->wake_at_ms);
        break;
    case EFFECT_SETTLED:
        engine_tell(work, (struct report){.kind = REPORT_SETTLED, .state = work->seen});
        engine_conclude(work, ENGINE_SETTLED);
        break;
    case EFFECT_FAILED:
        tell_failed(work, wait_ms);
        break;
    case EFFECT_STOPPED:
        engine_conclude(work, ENGINE_STOPPED);
        break;
    }
}

void engine_step(struct work *work, struct event event)
{
    event.now_ms = engine_now_ms(work->engine);
    struct effects effects = {.count = 0};
    bool observed = event.kind == EVENT_OBSERVED && !event.failure;
    cycle_step(work->cycle, &event, &effects);
    if (observed && cycle_plan(work->cycle))
        engine_tell(work, (struct report){.kind = REPORT_PLANNED, .state = work->seen});
    for (size_t i = 0; i < effects.count; i++)
        carry_out(work, &effects.items[i], wait_of(&effects, event.now_ms));
    (void)engine_leaves(work);
}

struct engine *engine_new(const struct engine_options *options)
{
    assert(options->clusters_parallel > 0);
    struct engine *engine = memory_new(sizeof(*engine));
    engine->options = *options;
    return engine;
}

/* --- What a cluster should be. --- */

struct wish *wish_hold(struct wish *wish)
{
    if (wish)
        wish->holders++;
    return wish;
}

void wish_release(struct wish *wish)
{
    if (!wish || --wish->holders)
        return;
    arena_free(wish->arena);
    free(wish);
}

static uint64_t spread_seed(uint64_t seed, const char *name)
{
    for (; *name; name++)
        seed = (seed ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return seed;
}

struct work *engine_new_work(struct engine *engine, const char *name, struct wish *wish)
{
    struct work *work = memory_new(sizeof(*work));
    struct cycle_options options = engine->options.cycle;
    options.seed = spread_seed(options.seed, name);
    options.policy.end_reason = wish->end_reason;
    options.resync_ms -= options.seed % (options.resync_ms / 4 + 1); /* not all at once */
    work->engine = engine;
    work->name = name;
    work->wish = wish_hold(wish);
    work->desired = wish->desired;
    work->cycle = cycle_new(name, wish->desired, &options);
    engine->works = memory_resize(engine->works, engine->count + 1, sizeof(struct work *));
    engine->works[engine->count++] = work;
    return work;
}

void engine_add(struct engine *engine, const char *name, const struct cluster_spec *desired)
{
    engine_add_end(engine, name, desired, NULL);
}

void engine_add_end(struct engine *engine, const char *name, const struct cluster_spec *desired,
                    const char *end_reason)
{
    struct wish *wish = memory_new(sizeof(*wish));
    *wish = (struct wish){.desired = desired, .end_reason = end_reason};
    engine_new_work(engine, name, wish);
}

void engine_start(struct engine *engine)
{
    engine_begin_next(engine);
}

static void stop_work(struct work *work, bool first)
{
    struct driver *driver = work->engine->options.driver;
    if (work->outcome != ENGINE_WORKING)
        return;
    if (!work->begun && !work->engine->options.standing) {
        engine_conclude(work, ENGINE_STOPPED);
        return;
    }
    if (!work->begun)
        return;
    engine_step(work, (struct event){.kind = EVENT_STOP});
    for (size_t i = 0; first && i < CYCLE_PARALLEL_MAX; i++) {
        struct running *running = &work->running[i];
        if (running->busy && running->failure) /* only looks */
            driver->vtable->cancel(driver, &running->op);
        else if (running->busy)
            driver->vtable->drain(driver, &running->op);
    }
    if (work->observe.running)
        driver->vtable->cancel(driver, &work->observe);
}

void engine_stop(struct engine *engine)
{
    bool first = engine->stops++ == 0;
    for (size_t i = 0; i < engine->count; i++)
        stop_work(engine->works[i], first);
    if (engine->options.standing)
        engine_finish(engine);
}

void engine_free_work(struct work *work)
{
    if (work->wake) {
        struct transport *transport = work->engine->options.transport;
        transport->cancel_timer(transport, work->wake);
    }
    cycle_free(work->cycle);
    diagnosis_free(work->diagnosis);
    arena_free(work->seen_arena);
    arena_free(work->old_arena);
    wish_release(work->seen_wish);
    wish_release(work->old_wish);
    wish_release(work->wish);
    wish_release(work->next);
    error_free(work->vainly);
    free(work->own_name);
    free(work);
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->pump)
        engine->options.transport->cancel_timer(engine->options.transport, engine->pump);
    for (size_t i = 0; i < engine->count; i++)
        engine_free_work(engine->works[i]);
    free(engine->works);
    free(engine);
}

size_t engine_count(const struct engine *engine)
{
    return engine->count;
}

struct engine_result engine_result(const struct engine *engine, size_t index)
{
    const struct work *work = engine->works[index];
    return (struct engine_result){
        .cluster = work->name,
        .desired = work->desired,
        .outcome = work->outcome,
        .plan = cycle_plan(work->cycle),
        .failure = work->vainly ? work->vainly : cycle_failure(work->cycle),
        .diagnosis = work->diagnosis,
        .state = work->seen,
        .rounds = cycle_rounds(work->cycle),
    };
}
