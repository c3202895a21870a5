/* Who may begin, in one run: those that others depend on come first. */
#include "reconciler/engine_work.h"

#include "base/memory.h"
#include <string.h>

static void tell_finished(void *context)
{
    struct engine *engine = context;
    engine->options.finished(engine->options.finished_context);
}

void engine_finish(struct engine *engine)
{
    if (engine->active || engine->finished_told)
        return;
    engine->finished_told = true;
    engine->options.transport->after(engine->options.transport, 0, tell_finished, engine);
}

const struct work *engine_find_work(const struct engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->count; i++)
        if (strcmp(engine->works[i]->name, name) == 0)
            return engine->works[i];
    return NULL;
}

/* Without a CNI of ours nobody becomes Ready by itself. */
bool engine_is_ready(const struct work *work)
{
    bool waits = !work->desired->networking.disable_default_cni;
    return work->seen && work->seen->node_count && (!waits || work->seen->ready == SEEN_YES);
}

/* Why a cluster that has come to its end is none to build upon; NULL: it is. */
static const char *why_useless(const struct work *work)
{
    if (!work)
        return "is not made in this run";
    if (work->outcome != ENGINE_SETTLED)
        return "failed";
    const struct plan *plan = cycle_plan(work->cycle);
    if (!work->desired)
        return "is to go";
    if (plan && plan->held)
        return "is held";
    if (plan && plan->refused_count)
        return "was refused changes";
    return engine_is_ready(work) ? NULL : "is not Ready";
}

/* The first cluster that this one still waits for; or for which it waits in vain, and why. */
static const char *awaited(const struct work *work, const char **vainly)
{
    const struct cluster_spec *desired = work->desired;
    bool looks_alone = work->engine->options.cycle.dry_run;
    for (size_t i = 0; desired && !looks_alone && i < desired->dependency_count; i++) {
        const struct work *other = engine_find_work(work->engine, desired->depends_on[i].name);
        if (other && other->outcome == ENGINE_WORKING)
            return other->name;
        *vainly = why_useless(other);
        if (*vainly)
            return desired->depends_on[i].name;
    }
    return NULL;
}

static void give_up(struct work *work, const char *name, const char *why)
{
    error_set(&work->vainly, ERROR_UNAVAILABLE, "not begun: it depends on %s, which %s", name, why);
    work->outcome = ENGINE_STALLED;
    work->began_at_ms = engine_now_ms(work->engine);
    engine_tell(work, (struct report){.kind = REPORT_STALLED, .failure = work->vainly});
}

void engine_tell_waiting(struct work *work, const char *name)
{
    if (work->waiting_told)
        return;
    cleanup_free char *words = memory_format("waits until %s is Ready", name);
    work->waiting_told = true;
    work->began_at_ms = engine_now_ms(work->engine);
    engine_tell(work, (struct report){.kind = REPORT_NOTE, .text = words});
}

void engine_begin(struct work *work)
{
    struct engine *engine = work->engine;
    engine->active++;
    work->begun = true;
    work->began_at_ms = engine_now_ms(engine);
    engine_wake_at(work, 0);
}

/* Begins what may begin; true if something was given up: others may have waited for that. */
static bool begin_some(struct engine *engine)
{
    bool gave_up = false;
    for (size_t i = engine->next;
         i < engine->count && engine->active < engine->options.clusters_parallel; i++) {
        struct work *work = engine->works[i];
        const char *vainly = NULL;
        if (work->begun || work->outcome != ENGINE_WORKING)
            continue;
        const char *name = awaited(work, &vainly);
        gave_up = gave_up || vainly;
        if (vainly)
            give_up(work, name, vainly);
        else if (name)
            engine_tell_waiting(work, name);
        else
            engine_begin(work);
    }
    return gave_up;
}

/* Nothing runs, and all that is left waits: for itself, which the loader does not let through. */
static void end_circle(struct engine *engine)
{
    for (size_t i = engine->next; engine->active == 0 && i < engine->count; i++) {
        struct work *work = engine->works[i];
        if (!work->begun && work->outcome == ENGINE_WORKING)
            give_up(work, work->name, "waits for it");
    }
}

void engine_begin_next(struct engine *engine)
{
    while (begin_some(engine))
        ;
    end_circle(engine);
    while (engine->next < engine->count && (engine->works[engine->next]->begun ||
                                            engine->works[engine->next]->outcome != ENGINE_WORKING))
        engine->next++;
    if (engine->next == engine->count)
        engine_finish(engine);
}
