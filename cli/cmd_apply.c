/* kind apply: make the engine hold what the sources say, once. */
#include "cli/converge.h"

#include "cli/view_result.h"
#include "reconciler/lock.h"
#include <string.h>

static const struct option_spec options[] = {
    {.long_name = "prune",
     .help = "delete clusters of this fleet that the sources do not name",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, prune)},
    {.long_name = "allow-empty",
     .help = "accept sources without any cluster (with --prune: delete the fleet)",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, allow_empty)},
    {.long_name = "allow",
     .argument = "CLASS",
     .help = "permit destructive changes: replace-nodes, recreate, delete",
     .kind = OPTION_SET,
     .offset = offsetof(struct converge_options, allow),
     .choices = converge_classes},
    {.long_name = "wait",
     .argument = "DURATION",
     .help = "give up when not Ready after so long",
     .kind = OPTION_OPTIONAL_DURATION,
     .offset = offsetof(struct converge_options, wait_ms),
     .fallback_ms = 300000},
    {.long_name = "dry-run",
     .help = "show what would be done, and do nothing",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, dry_run)},
    {.short_name = 'o',
     .long_name = "output",
     .argument = "FORMAT",
     .help = "print events as JSON lines and the result as JSON: json",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct converge_options, output),
     .choices = view_outputs},
    {0},
};

/* Why it did not end well, for the last line. */
static int say_end(const struct invocation *invocation, const struct engine *engine,
                   enum session_end end, uint64_t wait_ms, struct error **err)
{
    if (end == SESSION_INTERRUPTED) {
        /* Said here: as errors, cancellations are silent. */
        log_line(&invocation->log, LOG_WARNING, NULL,
                 "interrupted; what was begun is kept, `kind apply` goes on from there");
        return error_set(err, ERROR_CANCELED, "interrupted");
    }
    if (end == SESSION_DEADLINE)
        return error_set(err, ERROR_TIMEOUT,
                         "not Ready after %llu s; `kind apply` goes on from here",
                         (unsigned long long)(wait_ms / 1000));
    if (converge_good(engine))
        return 0;
    size_t bad = 0, refused = 0;
    for (size_t i = 0; i < engine_count(engine); i++) {
        struct engine_result result = engine_result(engine, i);
        bad += result.outcome != ENGINE_SETTLED;
        refused += result.outcome == ENGINE_SETTLED && result.plan && result.plan->refused_count;
    }
    size_t count = engine_count(engine);
    const char *noun = count == 1 ? "cluster" : "clusters";
    if (!refused)
        return error_set(err, ERROR_UNAVAILABLE, "%zu of %zu %s failed", bad, count, noun);
    if (!bad)
        return error_set(err, ERROR_UNAVAILABLE, "changes of %zu of %zu %s were held back", refused,
                         count, noun);
    return error_set(err, ERROR_UNAVAILABLE,
                     "%zu of %zu %s failed, changes of %zu more were held back", bad, count, noun,
                     refused);
}

static void print_outcome(const struct invocation *invocation, const struct engine *engine,
                          const struct converge_plan *plan, const struct converge_options *given)
{
    struct text text;
    text_init(&text, 0);
    if (given->output == VIEW_JSON)
        view_result_json(&text, engine, &plan->verdicts);
    else if (given->dry_run)
        view_plans(&text, engine, &plan->verdicts, invocation);
    else
        view_outcome(&text, engine, &plan->verdicts);
    fputs(text.data, invocation->results);
    text_done(&text);
}

static int converge(const struct invocation *invocation, struct session *session,
                    struct arena *arena, const struct fleet_spec *fleet, struct error **err)
{
    const struct converge_options *given = invocation->options;
    struct fleet_state observed;
    if (session_list(session, arena, &observed, err))
        return -1;
    struct converge_plan plan;
    converge_targets(arena, fleet, &observed, invocation, given, &plan);
    struct engine *engine = NULL;
    enum session_end end =
        converge_run(session, invocation, given, &plan, SESSION_OWN_ONLY, &engine);
    print_outcome(invocation, engine, &plan, given);
    int result = given->dry_run ? 0 : say_end(invocation, engine, end, given->wait_ms, err);
    engine_free(engine);
    return result;
}

static int run(const struct invocation *invocation, struct error **err)
{
    const struct converge_options *given = invocation->options;
    cleanup_arena struct arena *arena = arena_new();
    struct fleet_spec fleet;
    if (converge_load(invocation, given, arena, &fleet, err))
        return -1;
    struct session session;
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    struct lock lock = {.fd = -1};
    int result = given->dry_run ? 0 : converge_lock(&session, invocation, &lock, err);
    if (result == 0)
        result = converge(invocation, &session, arena, &fleet, err);
    lock_release(&lock);
    session_close(&session);
    return result;
}

const struct command command_apply = {
    .path = "apply",
    .summary = "make the clusters of the sources so, once",
    .options = options,
    .options_size = sizeof(struct converge_options),
    .uses = USES_SOURCES | USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind apply -f clusters.yaml",
                                      "kind apply -f lab/ --prune --wait=5m", NULL},
    .description =
        (const char *const[]){
            "Reads all documents of all sources, looks at the containers of this fleet, and does "
            "what is needed so that every cluster is as described and Ready. Clusters that are so "
            "already are not touched. What was interrupted is taken up where it stopped.",
            "Only containers that carry this fleet's label are ever changed or deleted. Clusters "
            "made by other tools are left alone. The current context of the kubeconfig stays what "
            "it is.",
            NULL},
    .run = run,
};
