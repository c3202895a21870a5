#include "cli/wish.h"

#include "cli/watch_file.h"
#include "reconciler/lock.h"
#include <string.h>

/* Those that were named; *err tells of all that are not there, and of none that is not ours. */
static int find_targets(const struct invocation *invocation, struct arena *arena,
                        const struct fleet_state *there, struct pass_plan *plan, struct error **err)
{
    size_t count = invocation->argument_count;
    *plan = (struct pass_plan){.targets = arena_array(arena, count, sizeof(*plan->targets))};
    for (size_t i = 0; i < count; i++) {
        const char *name = invocation->arguments[i];
        const struct cluster_state *state = fleet_state_find(there, name);
        bool again = false;
        for (size_t j = 0; j < plan->count; j++)
            again = again || strcmp(plan->targets[j].name, name) == 0;
        if (!state)
            return error_set(err, ERROR_CONFLICT,
                             "there is no cluster '%s' on this engine; `kind get clusters` lists "
                             "them; nothing was done",
                             name);
        if (!cluster_state_owned(state, invocation->common.fleet))
            return error_set(err, ERROR_CONFLICT,
                             "cluster '%s' is not of fleet '%s'; left alone, and nothing was done",
                             name, invocation->common.fleet);
        if (!again)
            plan->targets[plan->count++] = (struct pass_target){.name = name};
    }
    return 0;
}

/* Why it was not done, or NULL. */
static const char *trouble_of(const struct engine_result *result)
{
    if (result->outcome != ENGINE_SETTLED)
        return result->failure ? result->failure->message : "interrupted; say it again to go on";
    if (result->plan && result->plan->refused_count)
        return result->plan->refused[0].reason;
    return NULL;
}

/* Started is not Ready where there is no record of a finished set-up. */
static const char *words_for(const struct engine_result *result, const char *what)
{
    bool unfinished = result->state && result->state->recorded == SEEN_NO;
    return unfinished && strcmp(what, WISH_READY) == 0
               ? "runs; its set-up is not finished, `kind apply` goes on with it"
               : what;
}

/* What each is now, on stdout; the first trouble is the error. */
static int tell(const struct invocation *invocation, const struct engine *engine, const char *what,
                struct error **err)
{
    for (size_t i = 0; i < engine_count(engine); i++) {
        const struct engine_result result = engine_result(engine, i);
        const char *trouble = trouble_of(&result);
        if (!trouble)
            fprintf(invocation->results, "%s %s\n", result.cluster, words_for(&result, what));
        else if (!*err)
            error_set(err, ERROR_UNAVAILABLE, "cluster %s: %s", result.cluster, trouble);
    }
    return *err ? -1 : 0;
}

static int carry_out(const struct invocation *invocation, struct session *session,
                     enum diff_wish wish, const char *what, struct error **err)
{
    const struct wish_options *given = invocation->options;
    const struct converge_options options = {.wish = wish, .wait_ms = given->wait_ms};
    cleanup_arena struct arena *arena = arena_new();
    struct fleet_state there;
    struct pass_plan plan;
    if (session_list(session, arena, &there, err) ||
        find_targets(invocation, arena, &there, &plan, err))
        return -1;
    struct engine *engine = NULL;
    enum session_end end =
        converge_run(session, invocation, &options, &plan, SESSION_OWN_ONLY, &engine);
    int result = tell(invocation, engine, what, err);
    engine_free(engine);
    if (result && end == SESSION_INTERRUPTED) {
        error_free(*err);
        *err = NULL;
        return 128 + session->first_signal;
    }
    return result;
}

/* A watcher does not let go by itself: who waits for it waits in vain. */
static int refuse_watched(const struct session *session, const struct invocation *invocation,
                          enum diff_wish wish, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    const char *fleet = invocation->common.fleet;
    struct watched watched;
    if (!watch_file_read(arena, session->engine, fleet, &watched))
        return 0;
    return error_set(
        err, ERROR_UNAVAILABLE,
        "fleet '%s' is watched by process %ld (%s), which keeps clusters as the source says; "
        "%s, or end the watcher first",
        fleet, watched.pid, watched.command,
        wish == DIFF_RESUME ? "take `suspend: true` out of the source"
                            : "write `suspend: true` into the source to have a cluster left alone");
}

int wish_run(const struct invocation *invocation, enum diff_wish wish, const char *what,
             struct error **err)
{
    struct session session;
    struct lock lock = {.fd = -1};
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    int result = refuse_watched(&session, invocation, wish, err);
    if (result == 0)
        result =
            converge_lock(&session, invocation, invocation->common.fleet,
                          ((const struct wish_options *)invocation->options)->wait_ms, &lock, err);
    if (result == 0)
        result = carry_out(invocation, &session, wish, what, err);
    lock_release(&lock);
    session_close(&session);
    return result;
}
