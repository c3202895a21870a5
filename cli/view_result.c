#include "cli/view_result.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/converge.h"
#include "cli/table.h"
#include <jansson.h>

enum { OTHERS_NAMED_MAX = 3 };

/* The results of an engine as an array; freed by the caller. */
static struct engine_result *collect(const struct engine *engine)
{
    size_t count = engine_count(engine);
    struct engine_result *items = memory_new(count * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = engine_result(engine, i);
    return items;
}

/* An invocation's results, with what was typed beside them. */
struct shown {
    struct arena *arena;
    struct engine_result *items;
    struct converge_options typed;
    struct option_table given;
    struct view_results results;
};

static void shown_init(struct shown *shown, const struct engine *engine,
                       const struct rails_verdicts *verdicts, const struct invocation *invocation)
{
    shown->arena = arena_new();
    shown->items = collect(engine);
    shown->typed = *(const struct converge_options *)invocation->options;
    converge_as_typed(shown->arena, &shown->typed);
    shown->given = (struct option_table){invocation->command->options, &shown->typed};
    shown->results = (struct view_results){
        .items = shown->items,
        .count = engine_count(engine),
        .verdicts = verdicts,
        .common = &invocation->common,
        .given = &shown->given,
        .prune = converge_prunes(invocation->options),
    };
}

static void show(struct text *text, const struct engine *engine,
                 const struct rails_verdicts *verdicts, const struct invocation *invocation,
                 void (*print)(struct text *text, const struct view_results *results))
{
    struct shown shown;
    shown_init(&shown, engine, verdicts, invocation);
    print(text, &shown.results);
    free(shown.items);
    arena_free(shown.arena);
}

void view_plans(struct text *text, const struct engine *engine,
                const struct rails_verdicts *verdicts, const struct invocation *invocation)
{
    show(text, engine, verdicts, invocation, view_results_plans);
}

void view_outcome(struct text *text, const struct engine *engine,
                  const struct rails_verdicts *verdicts, const struct invocation *invocation)
{
    show(text, engine, verdicts, invocation, view_results_outcome);
}

void view_result_json(struct text *text, const struct engine *engine,
                      const struct rails_verdicts *verdicts, const struct invocation *invocation)
{
    show(text, engine, verdicts, invocation, view_results_json);
}

/* --- The sum, in words. --- */

static const char *outcome_name(enum engine_outcome outcome)
{
    switch (outcome) {
    case ENGINE_WORKING:
        return "working";
    case ENGINE_SETTLED:
        return "settled";
    case ENGINE_STALLED:
        return "stalled";
    case ENGINE_STOPPED:
        return "stopped";
    }
    return "unknown";
}

static bool has_refusals(const struct engine_result *result)
{
    return result->plan && result->plan->refused_count > 0;
}

static bool is_held(const struct engine_result *result)
{
    return result->plan && result->plan->held;
}

static bool is_as_described(const struct engine_result *result)
{
    return result->outcome == ENGINE_SETTLED && !has_refusals(result) && !is_held(result);
}

static void add_held(struct table *table, const char *cluster, const char *reason)
{
    table_add_format(table, "= %s", cluster);
    table_add(table, "cluster");
    table_add(table, "held");
    table_add(table, reason);
}

static void add_refused(struct table *table, const char *cluster, const char *subject,
                        enum change_class change, const char *reason)
{
    table_add_format(table, "! %s", cluster);
    table_add(table, subject);
    table_add(table, change_class_name(change));
    table_add(table, reason);
}

static void add_refusals(struct table *table, const struct engine_result *result)
{
    for (size_t i = 0; has_refusals(result) && i < result->plan->refused_count; i++) {
        const struct refusal *refusal = &result->plan->refused[i];
        bool own = strcmp(refusal->subject, result->cluster) == 0;
        add_refused(table, result->cluster, own ? "cluster" : refusal->subject, refusal->change,
                    refusal->reason);
    }
}

static size_t add_kept(struct table *table, const struct view_results *results)
{
    const struct rails_verdicts *verdicts = results->verdicts;
    size_t kept = 0;
    for (size_t i = 0; verdicts && i < verdicts->count; i++) {
        if (verdicts->items[i].remove || !verdicts->items[i].asked)
            continue;
        if (verdicts->items[i].unmade) {
            add_held(table, verdicts->items[i].cluster, verdicts->items[i].reason);
            continue;
        }
        kept++;
        add_refused(table, verdicts->items[i].cluster, "cluster", CHANGE_DELETE,
                    verdicts->items[i].reason);
    }
    return kept;
}

void view_results_others(struct text *text, const struct view_results *results)
{
    const struct rails_verdicts *verdicts = results->verdicts;
    size_t count = 0;
    for (size_t i = 0; verdicts && i < verdicts->count; i++)
        count += !verdicts->items[i].asked;
    if (!count)
        return;
    text_add_format(text, "%zu other %s of fleet '%s' %s not in these sources", count,
                    count == 1 ? "cluster" : "clusters",
                    results->common ? results->common->fleet : "default",
                    count == 1 ? "is" : "are");
    const char *joint = " (";
    for (size_t i = 0; count <= OTHERS_NAMED_MAX && i < verdicts->count; i++) {
        if (verdicts->items[i].asked)
            continue;
        text_add(text, joint);
        plain_add(text, verdicts->items[i].cluster);
        joint = ", ";
    }
    text_add_format(text, "%s; --prune would delete %s\n", count <= OTHERS_NAMED_MAX ? ")" : "",
                    count == 1 ? "it" : "them");
}

/* What the last line sums up. */
struct sum {
    const struct view_results *results;
    const struct engine_result *wanted_last; /* the one, where one is wanted */
    size_t wanted, good, gone, kept, held;
};

static void sum_add(struct sum *sum, const struct engine_result *result)
{
    bool good = is_as_described(result);
    sum->held += is_held(result);
    if (is_held(result))
        return;
    if (result->desired)
        sum->wanted_last = result;
    sum->wanted += result->desired != NULL;
    sum->good += result->desired && good;
    sum->gone += !result->desired && good;
}

/* One look at each was enough, and showed all well. */
static bool nothing_to_do(const struct sum *sum)
{
    for (size_t i = 0; i < sum->results->count; i++)
        if (sum->results->items[i].rounds > 1)
            return false;
    return sum->good == sum->wanted && !sum->kept &&
           sum->good + sum->gone + sum->held == sum->results->count;
}

static void add_wanted(struct text *text, const struct sum *sum, bool nothing)
{
    const struct engine_result *last = sum->wanted_last;
    bool ready = last && last->state && last->state->ready == SEEN_YES;
    if (sum->wanted == 1 && sum->good && !nothing && ready)
        text_add_format(text, "%s is Ready", last->cluster);
    else if (sum->wanted == 1)
        text_add_format(text, "%s is %sas described", last->cluster, sum->good ? "" : "not ");
    else if (nothing && !sum->wanted && !sum->held)
        text_add(text, "no cluster is described");
    else if (nothing && sum->wanted)
        text_add_format(text, "%zu clusters are as described", sum->wanted);
    else if (sum->wanted)
        text_add_format(text, "%zu of %zu clusters are as described", sum->good, sum->wanted);
}

/* "1 deleted" after other words, "1 cluster deleted" as the first. */
static void add_count(struct text *text, const char **joint, size_t count, const char *what)
{
    if (!count)
        return;
    const char *noun = count == 1 ? "cluster " : "clusters ";
    text_add_format(text, "%s%zu %s%s", *joint, count, **joint ? "" : noun, what);
    *joint = ", ";
}

static void add_sum(struct text *text, const struct sum *sum)
{
    bool nothing = nothing_to_do(sum);
    const char *joint = sum->wanted ? ", " : "";
    text_add(text, nothing ? "Nothing to do: " : "");
    add_wanted(text, sum, nothing);
    add_count(text, &joint, sum->gone, "deleted");
    add_count(text, &joint, sum->kept, "not deleted");
    add_count(text, &joint, sum->held, "left alone");
    if (!nothing && !*joint)
        text_add(text, "Nothing was deleted");
    text_add(text, ".\n");
}

void view_results_outcome(struct text *text, const struct view_results *results)
{
    cleanup_table struct table table;
    table_init(&table, 4);
    struct sum sum = {.results = results};
    for (size_t i = 0; i < results->count; i++) {
        add_refusals(&table, &results->items[i]);
        if (is_held(&results->items[i]))
            add_held(&table, results->items[i].cluster, results->items[i].plan->held);
        sum_add(&sum, &results->items[i]);
    }
    sum.kept = add_kept(&table, results);
    table_print(&table, 0, text);
    view_results_others(text, results);
    add_sum(text, &sum);
}

/* --- JSON. --- */

/* jansson refuses what is not UTF-8; then it is told as well as can be. */
static json_t *string_json(const char *string)
{
    json_t *value = string ? json_string(string) : json_null();
    if (value)
        return value;
    cleanup_text struct text plain;
    text_init(&plain, 0);
    plain_add(&plain, string);
    return json_string(plain.data);
}

static json_t *seen_json(enum seen seen)
{
    return seen == SEEN_UNKNOWN ? json_null() : json_boolean(seen == SEEN_YES);
}

static json_t *state_json(const struct cluster_state *state)
{
    if (!state)
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "nodes", json_integer((json_int_t)view_node_count(state)));
    json_object_set_new(json, "ready", seen_json(state->ready));
    json_object_set_new(json, "version", string_json(state->version));
    json_object_set_new(json, "message", string_json(state->message));
    return json;
}

static json_t *cause_json(const struct diagnosis *diagnosis)
{
    const struct finding *cause = diagnosis_cause(diagnosis);
    if (!cause)
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "id", string_json(cause->id));
    json_object_set_new(json, "message", string_json(cause->words));
    json_object_set_new(json, "cure", string_json(cause->cure));
    return json;
}

static json_t *failure_json(const struct error *failure, const struct diagnosis *diagnosis)
{
    if (!failure)
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "kind", string_json(error_kind_name(failure->kind)));
    json_object_set_new(json, "message", string_json(failure->message));
    json_object_set_new(json, "cause", cause_json(diagnosis));
    return json;
}

static json_t *result_json(const struct engine_result *result)
{
    json_t *plan = result->plan ? plan_json(result->plan) : NULL;
    json_t *json = json_object();
    json_object_set_new(json, "cluster", string_json(result->cluster));
    json_object_set_new(json, "outcome", string_json(outcome_name(result->outcome)));
    json_object_set_new(json, "plan", plan ? plan : json_null());
    json_object_set_new(json, "state", state_json(result->state));
    json_object_set_new(json, "failure", failure_json(result->failure, result->diagnosis));
    return json;
}

static json_t *verdict_json(const struct rails_verdict *verdict)
{
    json_t *json = json_object();
    json_object_set_new(json, "cluster", string_json(verdict->cluster));
    json_object_set_new(json, "removed", json_boolean(verdict->remove));
    json_object_set_new(json, "asked", json_boolean(verdict->asked));
    json_object_set_new(json, "reason", string_json(verdict->reason));
    return json;
}

void view_results_json(struct text *text, const struct view_results *results)
{
    json_t *clusters = json_array(), *unwanted = json_array(), *json = json_object();
    for (size_t i = 0; i < results->count; i++)
        json_array_append_new(clusters, result_json(&results->items[i]));
    for (size_t i = 0; results->verdicts && i < results->verdicts->count; i++)
        json_array_append_new(unwanted, verdict_json(&results->verdicts->items[i]));
    json_object_set_new(json, "type", json_string("result"));
    json_object_set_new(json, "clusters", clusters);
    json_object_set_new(json, "unwanted", unwanted);
    char *line = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    text_add(text, line ? line : "{}");
    text_add(text, "\n");
    free(line);
}
