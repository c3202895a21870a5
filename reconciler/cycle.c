#include "reconciler/cycle.h"

#include "base/memory.h"
#include "base/text.h"
#include "reconciler/backoff.h"
#include <assert.h>

/*
 * DESIGN: one function per event, each a switch over the states of the table
 * in cycle.h. A plan is executed by asking, after each ending, which waiting
 * actions have all they wait for: no counters, so none can be wrong.
 */
enum {
    ALIKE_MAX = 3,      /* failures of one kind at one place, until it is hopeless */
    UNSETTLED_MAX = 32, /* rounds without an end, before it is held to run in circles */
};

enum progress { WAITING, RUNNING, DONE, FAILED };

struct cycle {
    char *cluster;
    const struct cluster_spec *desired;
    struct cycle_options options;
    struct prng prng;
    enum cycle_state state;
    bool woken;              /* a wake came during this round */
    bool stopping, canceled; /* the first stop, the second */
    unsigned rounds, unsettled;

    struct arena *arena; /* of this or the last round: plan, progress, work; NULL before */
    struct plan plan;
    enum progress *progress;
    const char *work; /* the plan's actions as text, without reasons */
    size_t running;
    struct error *trouble; /* the first failure of this round, and where */
    const char *trouble_at;

    char *done; /* `work` of the last round, if all of it ended well */

    struct error *failure; /* the last one counted, and where */
    char *failure_at;
    unsigned failures, alike;
    bool stalled;
};

struct cycle *cycle_new(const char *cluster, const struct cluster_spec *desired,
                        const struct cycle_options *options)
{
    struct cycle *cycle = memory_new(sizeof(*cycle));
    cycle->cluster = memory_string(cluster);
    cycle->desired = desired;
    cycle->options = *options;
    cycle->prng.state = options->seed;
    if (cycle->options.parallel < 1)
        cycle->options.parallel = 1;
    if (cycle->options.parallel > CYCLE_PARALLEL_MAX)
        cycle->options.parallel = CYCLE_PARALLEL_MAX;
    return cycle;
}

void cycle_free(struct cycle *cycle)
{
    if (!cycle)
        return;
    arena_free(cycle->arena);
    error_free(cycle->trouble);
    error_free(cycle->failure);
    free(cycle->failure_at);
    free(cycle->done);
    free(cycle->cluster);
    free(cycle);
}

static void add_effect(struct effects *effects, struct effect effect)
{
    assert(effects->count < COUNT_OF(effects->items));
    effects->items[effects->count++] = effect;
}

static void begin_round(struct cycle *cycle, struct effects *effects)
{
    cycle->state = CYCLE_OBSERVING;
    cycle->woken = false;
    cycle->stalled = false;
    cycle->rounds++;
    cycle->unsettled++;
    add_effect(effects, (struct effect){.kind = EFFECT_OBSERVE});
}

static void forget_done(struct cycle *cycle)
{
    free(cycle->done);
    cycle->done = NULL;
}

static void forget_failures(struct cycle *cycle)
{
    cycle->failures = 0;
    cycle->alike = 0;
    cycle->stalled = false;
}

void cycle_set_desired(struct cycle *cycle, const struct cluster_spec *desired)
{
    cycle->desired = desired;
    forget_done(cycle);
    forget_failures(cycle);
}

void cycle_set_end_reason(struct cycle *cycle, const char *end_reason)
{
    cycle->options.policy.end_reason = end_reason;
}

/* Trying again cannot help: the input is wrong, or we are. */
static bool is_hopeless(enum error_kind kind)
{
    switch (kind) {
    case ERROR_INVALID:
    case ERROR_INTERNAL:
        return true;
    case ERROR_CONFLICT:
    case ERROR_UNAVAILABLE:
    case ERROR_TIMEOUT:
    case ERROR_CANCELED:
        return false;
    }
    return true;
}

/*
 * Steals the error. A wake that came during the round is not lost where the
 * cycle stalls, but honoured after the backoff only: it may well be an echo of
 * what the round did.
 */
static void count_failure(struct cycle *cycle, uint64_t now_ms, struct error *err, const char *at,
                          struct effects *effects)
{
    bool alike =
        cycle->alike && cycle->failure->kind == err->kind && strcmp(cycle->failure_at, at) == 0;
    cycle->alike = alike ? cycle->alike + 1 : 1;
    cycle->failures++;
    cycle->stalled = is_hopeless(err->kind) || cycle->alike >= ALIKE_MAX;
    cycle->unsettled = 0;
    error_free(cycle->failure);
    cycle->failure = err;
    free(cycle->failure_at);
    cycle->failure_at = memory_string(at);
    forget_done(cycle);

    cycle->state = CYCLE_BACKING_OFF;
    add_effect(effects, (struct effect){.kind = EFFECT_FAILED});
    if (!cycle->stalled || cycle->woken) {
        uint64_t at_ms = now_ms + backoff_delay_ms(cycle->failures, &cycle->prng);
        add_effect(effects, (struct effect){.kind = EFFECT_WAKE_AT, .wake_at_ms = at_ms});
    }
    cycle->woken = false;
}

static void settle(struct cycle *cycle, uint64_t now_ms, struct effects *effects)
{
    forget_done(cycle);
    forget_failures(cycle);
    if (cycle->woken) { /* what was seen may be older than the wake */
        begin_round(cycle, effects);
        return;
    }
    cycle->unsettled = 0;
    cycle->state = CYCLE_IDLE;
    add_effect(effects, (struct effect){.kind = EFFECT_SETTLED});
    if (cycle->options.resync_ms) {
        uint64_t at_ms = now_ms + cycle->options.resync_ms;
        add_effect(effects, (struct effect){.kind = EFFECT_WAKE_AT, .wake_at_ms = at_ms});
    }
}

static void stop(struct cycle *cycle, struct effects *effects)
{
    cycle->state = CYCLE_STOPPED;
    add_effect(effects, (struct effect){.kind = EFFECT_STOPPED});
}

static bool is_ready(const struct cycle *cycle, const struct action *action)
{
    for (size_t i = 0; i < action->after_count; i++) {
        if (cycle->progress[action->after[i]] != DONE)
            return false;
    }
    return true;
}

static void start_ready(struct cycle *cycle, struct effects *effects)
{
    for (size_t i = 0; i < cycle->plan.count && cycle->running < cycle->options.parallel; i++) {
        if (cycle->progress[i] != WAITING || !is_ready(cycle, &cycle->plan.actions[i]))
            continue;
        cycle->progress[i] = RUNNING;
        cycle->running++;
        add_effect(effects, (struct effect){.kind = EFFECT_START, .action = i});
    }
}

/* Reasons are left out: a message that changes is not progress. */
static const char *work_of(struct arena *arena, const struct plan *plan)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < plan->count; i++)
        text_add_format(&text, "%s %s\n", action_kind_name(plan->actions[i].kind),
                        plan->actions[i].subject);
    return arena_string(arena, text.data);
}

static void plan_round(struct cycle *cycle, const struct cluster_state *observed)
{
    arena_free(cycle->arena);
    cycle->arena = arena_new();
    diff_cluster(cycle->arena, cycle->desired, observed, &cycle->options.policy, &cycle->plan);
    cycle->progress =
        arena_array(cycle->arena, cycle->plan.count, sizeof(*cycle->progress)); /* all WAITING */
    cycle->work = work_of(cycle->arena, &cycle->plan);
}

/* ERROR_UNAVAILABLE if what is planned now is what the last rounds were for. */
static int check_progress(struct cycle *cycle, struct error **err)
{
    const struct plan *plan = &cycle->plan;
    if (cycle->done && strcmp(cycle->done, cycle->work) == 0)
        return error_set(err, ERROR_UNAVAILABLE,
                         "no progress: %s (%s) went well, but is still to do",
                         action_kind_words(plan->actions[0].kind), plan->actions[0].subject);
    if (cycle->unsettled > UNSETTLED_MAX)
        return error_set(err, ERROR_UNAVAILABLE, "no progress: %u rounds without an end",
                         cycle->unsettled);
    if (cycle->done)
        forget_failures(cycle);
    return 0;
}

static void on_observed(struct cycle *cycle, const struct event *event, struct effects *effects)
{
    if (cycle->state == CYCLE_STOPPED)
        return;
    assert(cycle->state == CYCLE_OBSERVING);
    if (event->failure) {
        count_failure(cycle, event->now_ms, error_copy(event->failure), "observe", effects);
        return;
    }
    assert(strcmp(event->observed->name, cycle->cluster) == 0);
    plan_round(cycle, event->observed);
    struct error *err = NULL;
    if (plan_check(&cycle->plan, &err) < 0) {
        count_failure(cycle, event->now_ms, err, "plan", effects);
        return;
    }
    if (!cycle->plan.count || cycle->options.dry_run) {
        settle(cycle, event->now_ms, effects);
        return;
    }
    if (check_progress(cycle, &err) < 0) {
        count_failure(cycle, event->now_ms, err, "progress", effects);
        return;
    }
    /* A wake so far asked for no more than this round, which looks again at its end. */
    cycle->woken = false;
    forget_done(cycle);
    cycle->state = CYCLE_EXECUTING;
    start_ready(cycle, effects);
}

static bool all_done(const struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->plan.count; i++) {
        if (cycle->progress[i] != DONE)
            return false;
    }
    return true;
}

static void end_round(struct cycle *cycle, uint64_t now_ms, struct effects *effects)
{
    if (cycle->stopping) {
        stop(cycle, effects);
        return;
    }
    if (cycle->trouble) {
        count_failure(cycle, now_ms, TAKE(cycle->trouble), cycle->trouble_at, effects);
        return;
    }
    if (all_done(cycle))
        cycle->done = memory_string(cycle->work);
    begin_round(cycle, effects);
}

/* The first failure is the round's; what we canceled ourselves is none. */
static void note_trouble(struct cycle *cycle, const struct action *action,
                         const struct error *failure)
{
    if (cycle->trouble || (cycle->canceled && failure->kind == ERROR_CANCELED))
        return;
    cycle->trouble = error_copy(failure);
    error_wrap(&cycle->trouble, "%s: %s", action->subject, action_kind_words(action->kind));
    cycle->trouble_at =
        arena_format(cycle->arena, "%s %s", action_kind_name(action->kind), action->subject);
}

static void on_action_ended(struct cycle *cycle, const struct event *event, struct effects *effects)
{
    assert(cycle->state == CYCLE_EXECUTING || cycle->state == CYCLE_DRAINING);
    assert(event->action < cycle->plan.count && cycle->progress[event->action] == RUNNING);
    cycle->running--;
    cycle->progress[event->action] = event->failure ? FAILED : DONE;
    if (event->failure) {
        note_trouble(cycle, &cycle->plan.actions[event->action], event->failure);
        cycle->state = CYCLE_DRAINING;
    }
    if (cycle->state == CYCLE_EXECUTING)
        start_ready(cycle, effects);
    if (!cycle->running)
        end_round(cycle, event->now_ms, effects);
}

static void on_wake(struct cycle *cycle, struct effects *effects)
{
    switch (cycle->state) {
    case CYCLE_IDLE:
    case CYCLE_BACKING_OFF:
        begin_round(cycle, effects);
        return;
    case CYCLE_EXECUTING:
        cycle->state = CYCLE_DRAINING;
        cycle->woken = true;
        return;
    case CYCLE_OBSERVING:
    case CYCLE_DRAINING:
        cycle->woken = true;
        return;
    case CYCLE_STOPPED:
        return;
    }
}

static void cancel_running(struct cycle *cycle, struct effects *effects)
{
    cycle->canceled = true;
    for (size_t i = 0; i < cycle->plan.count; i++) {
        if (cycle->progress[i] == RUNNING)
            add_effect(effects, (struct effect){.kind = EFFECT_CANCEL, .action = i});
    }
}

static void on_stop(struct cycle *cycle, struct effects *effects)
{
    switch (cycle->state) {
    case CYCLE_IDLE:
    case CYCLE_OBSERVING:
    case CYCLE_BACKING_OFF:
        stop(cycle, effects);
        return;
    case CYCLE_EXECUTING:
    case CYCLE_DRAINING:
        cycle->state = CYCLE_DRAINING;
        if (cycle->stopping && !cycle->canceled)
            cancel_running(cycle, effects);
        cycle->stopping = true;
        return;
    case CYCLE_STOPPED:
        return;
    }
}

void cycle_step(struct cycle *cycle, const struct event *event, struct effects *effects)
{
    effects->count = 0;
    switch (event->kind) {
    case EVENT_WAKE:
        on_wake(cycle, effects);
        return;
    case EVENT_OBSERVED:
        on_observed(cycle, event, effects);
        return;
    case EVENT_ACTION_ENDED:
        on_action_ended(cycle, event, effects);
        return;
    case EVENT_STOP:
        on_stop(cycle, effects);
        return;
    }
}

enum cycle_state cycle_state(const struct cycle *cycle)
{
    return cycle->state;
}

const char *cycle_state_name(enum cycle_state state)
{
    switch (state) {
    case CYCLE_IDLE:
        return "idle";
    case CYCLE_OBSERVING:
        return "observing";
    case CYCLE_EXECUTING:
        return "executing";
    case CYCLE_DRAINING:
        return "draining";
    case CYCLE_BACKING_OFF:
        return "backing off";
    case CYCLE_STOPPED:
        return "stopped";
    }
    return "unknown";
}

const struct plan *cycle_plan(const struct cycle *cycle)
{
    return cycle->arena ? &cycle->plan : NULL;
}

const struct error *cycle_failure(const struct cycle *cycle)
{
    return cycle->failure;
}

unsigned cycle_failures(const struct cycle *cycle)
{
    return cycle->failures;
}

bool cycle_stalled(const struct cycle *cycle)
{
    return cycle->stalled;
}

unsigned cycle_rounds(const struct cycle *cycle)
{
    return cycle->rounds;
}

size_t cycle_running(const struct cycle *cycle)
{
    return cycle->running;
}
