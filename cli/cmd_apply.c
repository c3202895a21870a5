/* kind apply: make the engine hold what the sources say, once. */
#include "cli/converge.h"

#include "cli/view_result.h"
#include "reconciler/lock.h"
#include <string.h>

static const struct option_spec options[] = {
    CONVERGE_LEAVE,
    CONVERGE_RULES,
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
    REPO_ROWS(struct converge_options, repo),
    {.short_name = 'o',
     .long_name = "output",
     .argument = "FORMAT",
     .help = "print events as JSON lines and the result as JSON: json",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct converge_options, output),
     .choices = view_outputs},
    {0},
};

/* How many clusters did not come to their end, or not to what the sources say. */
struct shortfall {
    size_t clusters, failed, refused;
    size_t kept;       /* that were to go */
    const char *first; /* of those that failed */
};

static struct shortfall count_shortfall(const struct engine *engine, const struct pass_plan *plan)
{
    struct shortfall shortfall = {.clusters = engine_count(engine)};
    for (size_t i = 0; i < shortfall.clusters; i++) {
        struct engine_result result = engine_result(engine, i);
        bool settled = result.outcome == ENGINE_SETTLED;
        shortfall.failed += !settled;
        shortfall.first = settled || shortfall.first ? shortfall.first : result.cluster;
        shortfall.refused += settled && result.plan && result.plan->refused_count;
    }
    for (size_t i = 0; i < plan->verdicts.count; i++) {
        const struct rails_verdict *verdict = &plan->verdicts.items[i];
        shortfall.kept += verdict->asked && !verdict->remove && !verdict->unmade;
    }
    return shortfall;
}

static const char *clusters_word(size_t count)
{
    return count == 1 ? "cluster" : "clusters";
}

/* Why it did not end well, for the last line. */
static int say_shortfall(const struct shortfall *shortfall, struct error **err)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    const char *joint = "";
    if (shortfall->failed) {
        text_add_format(&words, "%zu of %zu %s failed", shortfall->failed, shortfall->clusters,
                        clusters_word(shortfall->clusters));
        joint = ", ";
    }
    if (shortfall->refused) {
        text_add_format(&words, "%schanges of %zu of %zu %s were refused", joint,
                        shortfall->refused, shortfall->clusters,
                        clusters_word(shortfall->clusters));
        joint = ", ";
    }
    if (shortfall->kept)
        text_add_format(&words, "%s%zu %s that should go %s not deleted", joint, shortfall->kept,
                        clusters_word(shortfall->kept), shortfall->kept == 1 ? "was" : "were");
    return words.length ? error_set(err, ERROR_UNAVAILABLE, "%s", words.data) : 0;
}

/* As a shell says that a signal ended a program. */
static int say_interrupted(const struct invocation *invocation, const struct session *session)
{
    log_line(&invocation->log, LOG_WARNING, NULL,
             "interrupted; what was begun is kept, `kind apply` goes on from there");
    return 128 + session->first_signal;
}

static int say_end(const struct invocation *invocation, const struct session *session,
                   const struct shortfall *shortfall, enum session_end end, struct error **err)
{
    const struct converge_options *given = invocation->options;
    switch (shortfall->failed ? end : SESSION_FINISHED) {
    case SESSION_FINISHED:
        return say_shortfall(shortfall, err);
    case SESSION_INTERRUPTED:
        return say_interrupted(invocation, session);
    case SESSION_DEADLINE:
        return error_set(err, ERROR_TIMEOUT,
                         "not Ready after %llu s; `kind explain %s` looks for the cause, `kind "
                         "apply` goes on from here",
                         (unsigned long long)(given->wait_ms / 1000), shortfall->first);
    }
    return -1;
}

static void print_outcome(const struct invocation *invocation, const struct engine *engine,
                          const struct pass_plan *plan, const struct converge_options *given)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (given->output == VIEW_JSON)
        view_result_json(&text, engine, &plan->verdicts, invocation);
    else if (given->dry_run)
        view_plans(&text, engine, &plan->verdicts, invocation);
    else
        view_outcome(&text, engine, &plan->verdicts, invocation);
    fputs(text.data, invocation->results);
    fflush(invocation->results); /* what is said now sums it up, and comes after it */
}

static int converge(const struct invocation *invocation, struct session *session,
                    struct arena *arena, const struct fleet_spec *fleet, struct error **err)
{
    const struct converge_options *given = invocation->options;
    struct fleet_state observed;
    if (session_list(session, arena, &observed, err))
        return -1;
    struct pass_plan plan;
    converge_know(session, arena, fleet, invocation, given, &observed);
    converge_targets(arena, fleet, &observed, invocation, given, &plan);
    struct engine *engine = NULL;
    enum session_end end =
        converge_run(session, invocation, given, &plan, SESSION_OWN_ONLY, &engine);
    print_outcome(invocation, engine, &plan, given);
    const struct shortfall shortfall = count_shortfall(engine, &plan);
    int result = given->dry_run ? 0 : say_end(invocation, session, &shortfall, end, err);
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
    converge_take_rules(invocation->options, &fleet);
    struct session session;
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    if (given->skip_preflight)
        docker_skip_preflight(session.driver);
    struct lock lock = {.fd = -1};
    int result = given->dry_run ? 0
                                : converge_lock(&session, invocation, invocation->common.fleet,
                                                given->wait_ms, &lock, err);
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
                                      "kind apply -f lab/ --prune --wait 5m", NULL},
    .description =
        (const char *const[]){
            "Reads all documents of all sources, looks at the containers of this fleet, and does "
            "what is needed so that every cluster is as described and Ready. Clusters that are so "
            "already are not touched. What was interrupted is taken up where it stopped.",
            "Only containers that carry this fleet's label are ever changed or deleted. Clusters "
            "made by other tools are left alone. The current context of the kubeconfig stays what "
            "it is.",
            repo_words, NULL},
    .run = run,
};
