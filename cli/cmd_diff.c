/* kind diff: what apply would do, and what it would cost. The same code as apply --dry-run. */
#include "cli/converge.h"

#include "cli/view_result.h"

static const struct option_spec options[] = {
    {.long_name = "prune",
     .help = "show deletions as apply --prune would do them",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, prune)},
    CONVERGE_RULES,
    {.long_name = "allow-empty",
     .help = "accept sources without any cluster",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, allow_empty)},
    {.long_name = "allow",
     .argument = "CLASS",
     .help = "show destructive changes as permitted: replace-nodes, recreate, delete",
     .kind = OPTION_SET,
     .offset = offsetof(struct converge_options, allow),
     .choices = converge_classes},
    REPO_ROWS(struct converge_options, repo),
    {.short_name = 'o',
     .long_name = "output",
     .argument = "FORMAT",
     .help = "print the plans as JSON: json",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct converge_options, output),
     .choices = view_outputs},
    {0},
};

/*
 * Changes and refusals count as a difference; clusters that the sources do not
 * name only where their end was asked for.
 */
static bool differs(const struct engine *engine, const struct pass_plan *plan)
{
    for (size_t i = 0; i < engine_count(engine); i++) {
        struct engine_result result = engine_result(engine, i);
        if (result.plan && (result.plan->count || result.plan->refused_count))
            return true;
    }
    for (size_t i = 0; i < plan->verdicts.count; i++)
        if (plan->verdicts.items[i].asked && !plan->verdicts.items[i].unmade)
            return true;
    return false;
}

/* A cluster that could not be looked at makes the answer worthless: trouble, not "no changes". */
static int look_failed(const struct engine *engine, struct error **err)
{
    for (size_t i = 0; i < engine_count(engine); i++) {
        struct engine_result result = engine_result(engine, i);
        if (result.outcome == ENGINE_SETTLED)
            continue;
        return error_set(err, result.failure ? result.failure->kind : ERROR_CANCELED, "%s: %s",
                         result.cluster,
                         result.failure ? result.failure->message : "not looked at");
    }
    return 0;
}

static int compare(const struct invocation *invocation, struct session *session,
                   struct arena *arena, const struct fleet_spec *fleet, struct error **err)
{
    struct converge_options given = *(const struct converge_options *)invocation->options;
    given.dry_run = true;
    struct fleet_state observed;
    if (session_list(session, arena, &observed, err))
        return -1;
    struct pass_plan plan;
    converge_know(session, arena, fleet, invocation, &given, &observed);
    converge_targets(arena, fleet, &observed, invocation, &given, &plan);
    struct engine *engine = NULL;
    converge_run(session, invocation, &given, &plan, SESSION_OWN_ONLY, &engine);
    int result = look_failed(engine, err);
    if (result == 0) {
        struct text text;
        text_init(&text, 0);
        if (given.output == VIEW_JSON)
            view_result_json(&text, engine, &plan.verdicts, invocation);
        else
            view_plans(&text, engine, &plan.verdicts, invocation);
        fputs(text.data, invocation->results);
        text_done(&text);
        result = differs(engine, &plan) ? 1 : 0;
    }
    engine_free(engine);
    return result;
}

static int run(const struct invocation *invocation, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    struct fleet_spec fleet;
    if (converge_load(invocation, invocation->options, arena, &fleet, err))
        return -1;
    converge_take_rules(invocation->options, &fleet);
    struct session session;
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    int result = compare(invocation, &session, arena, &fleet, err);
    session_close(&session);
    return result;
}

const struct command command_diff = {
    .path = "diff",
    .summary = "show what apply would change, and what it would cost",
    .options = options,
    .options_size = sizeof(struct converge_options),
    .uses = USES_SOURCES | USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_DIFF,
    .examples = (const char *const[]){"kind diff -f clusters.yaml",
                                      "kind diff -f lab/ --prune -o json", NULL},
    .description = (const char *const[]){"Looks and compares, and changes nothing. It is the same "
                                         "code as apply, stopped after the plan.",
                                         repo_words, NULL},
    .run = run,
};
