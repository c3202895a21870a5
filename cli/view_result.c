#include "cli/view_result.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/table.h"
#include <jansson.h>

/* The results of an engine as an array; freed by the caller. */
static struct engine_result *collect(const struct engine *engine)
{
    size_t count = engine_count(engine);
    struct engine_result *items = memory_new(count * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = engine_result(engine, i);
    return items;
}

void view_plans(struct text *text, const struct engine *engine,
                const struct rails_verdicts *verdicts, const struct invocation *invocation)
{
    cleanup_free struct engine_result *items = collect(engine);
    const struct view_results results = {items, engine_count(engine), verdicts};
    view_results_plans(text, &results, &invocation->common);
}

void view_outcome(struct text *text, const struct engine *engine,
                  const struct rails_verdicts *verdicts)
{
    cleanup_free struct engine_result *items = collect(engine);
    const struct view_results results = {items, engine_count(engine), verdicts};
    view_results_outcome(text, &results);
}

void view_result_json(struct text *text, const struct engine *engine,
                      const struct rails_verdicts *verdicts)
{
    cleanup_free struct engine_result *items = collect(engine);
    const struct view_results results = {items, engine_count(engine), verdicts};
    view_results_json(text, &results);
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

static bool is_held_back(const struct engine_result *result)
{
    return result->plan && result->plan->refused_count > 0;
}

static bool is_as_described(const struct engine_result *result)
{
    return result->outcome == ENGINE_SETTLED && !is_held_back(result);
}

static void add_held_back(struct table *table, const char *cluster, const char *subject,
                          enum change_class change, const char *reason)
{
    table_add_format(table, "! %s", cluster);
    table_add(table, subject);
    table_add(table, change_class_name(change));
    table_add(table, reason);
}

static void add_refusals(struct table *table, const struct engine_result *result)
{
    for (size_t i = 0; is_held_back(result) && i < result->plan->refused_count; i++) {
        const struct refusal *refusal = &result->plan->refused[i];
        bool own = strcmp(refusal->subject, result->cluster) == 0;
        add_held_back(table, result->cluster, own ? "cluster" : refusal->subject, refusal->change,
                      refusal->reason);
    }
}

static void add_kept(struct table *table, const struct rails_verdicts *verdicts)
{
    for (size_t i = 0; verdicts && i < verdicts->count; i++)
        if (!verdicts->items[i].remove)
            add_held_back(table, verdicts->items[i].cluster, "cluster", CHANGE_DELETE,
                          verdicts->items[i].reason);
}

/* One look at each was enough. */
static bool nothing_done(const struct view_results *results)
{
    for (size_t i = 0; i < results->count; i++)
        if (results->items[i].rounds > 1 || results->items[i].outcome != ENGINE_SETTLED)
            return false;
    return true;
}

void view_results_outcome(struct text *text, const struct view_results *results)
{
    struct table table;
    table_init(&table, 4);
    size_t good = 0, gone = 0, wanted = 0;
    for (size_t i = 0; i < results->count; i++) {
        const struct engine_result *result = &results->items[i];
        add_refusals(&table, result);
        wanted += result->desired != NULL;
        good += result->desired && is_as_described(result);
        gone += !result->desired && is_as_described(result);
    }
    add_kept(&table, results->verdicts);
    table_print(&table, 0, text);
    if (nothing_done(results) && good == wanted)
        text_add(text, "Nothing to do: ");
    text_add_format(text, "%zu of %zu %s as described", good, wanted,
                    wanted == 1 ? "cluster is" : "clusters are");
    if (gone)
        text_add_format(text, ", %zu deleted", gone);
    text_add(text, ".\n");
    table_done(&table);
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
    json_object_set_new(json, "nodes", json_integer((json_int_t)state->node_count));
    json_object_set_new(json, "ready", seen_json(state->ready));
    json_object_set_new(json, "version", string_json(state->version));
    json_object_set_new(json, "message", string_json(state->message));
    return json;
}

static json_t *failure_json(const struct error *failure)
{
    if (!failure)
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "kind", string_json(error_kind_name(failure->kind)));
    json_object_set_new(json, "message", string_json(failure->message));
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
    json_object_set_new(json, "failure", failure_json(result->failure));
    return json;
}

static json_t *verdict_json(const struct rails_verdict *verdict)
{
    json_t *json = json_object();
    json_object_set_new(json, "cluster", string_json(verdict->cluster));
    json_object_set_new(json, "removed", json_boolean(verdict->remove));
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
