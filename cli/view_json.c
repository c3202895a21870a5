/*
 * view_json.c - events as JSON, one object a line, for machines.
 *
 * The shape is stable: names may be added, never changed. view_events says in
 * words what each type holds; the manual page shows it.
 */
#include "cli/view.h"

#include "base/memory.h"
#include "base/plain.h"
#include <jansson.h>
#include <time.h>

struct json_lines {
    FILE *out;
    uint64_t (*wall_ms)(void);
};

static uint64_t system_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void *json_lines_open(FILE *out, const struct view_options *options)
{
    struct json_lines *lines = memory_new(sizeof(*lines));
    lines->out = out;
    lines->wall_ms = options->wall_ms ? options->wall_ms : system_wall_ms;
    return lines;
}

const struct view_event view_events[] = {
    [REPORT_PLANNED] = {"planned", "actions (kind, subject, class, reason, after: indexes of "
                                   "those to be done first), refused (subject, class, reason)"},
    [REPORT_ACTION_BEGINS] = {"action-begins", "action, subject, class, reason; done and total, "
                                               "counted in actions"},
    [REPORT_STEP] = {"step", "as action-begins, and step: what the action does now"},
    [REPORT_ACTION_ENDS] = {"action-ends", "as action-begins, and failure: null, or kind, "
                                           "message and cause (null, or id, message, cure)"},
    [REPORT_RETRY] = {"retry", "failure; wait_ms until the next try"},
    [REPORT_SETTLED] = {"settled", "nodes, ready (null: not known), version; all null when the "
                                   "cluster is gone"},
    [REPORT_STALLED] = {"stalled", "failure; there is no further try by itself"},
    [REPORT_NOTE] = {"note", "text"},
    {NULL, NULL},
};

static void set(json_t *event, const char *key, json_t *value)
{
    json_object_set_new(event, key, value ? value : json_null());
}

/* jansson refuses what is not UTF-8; then it is told as well as can be. */
static void set_string(json_t *event, const char *key, const char *string)
{
    json_t *value = string ? json_string(string) : NULL;
    if (string && !value) {
        cleanup_text struct text plain;
        text_init(&plain, 0);
        plain_add(&plain, string);
        value = json_string(plain.data);
    }
    set(event, key, value);
}

static void set_count(json_t *event, const char *key, uint64_t count)
{
    set(event, key, json_integer((json_int_t)count));
}

static json_t *cause_json(const struct diagnosis *diagnosis)
{
    const struct finding *cause = diagnosis_cause(diagnosis);
    if (!cause)
        return NULL;
    json_t *value = json_object();
    set_string(value, "id", cause->id);
    set_string(value, "message", cause->words);
    set_string(value, "cure", cause->cure);
    return value;
}

static void set_failure(json_t *event, const struct report *report)
{
    const struct error *failure = report->failure;
    json_t *value = NULL;
    if (failure) {
        value = json_object();
        set_string(value, "kind", error_kind_name(failure->kind));
        set_string(value, "message", failure->message);
        set(value, "cause", cause_json(report->diagnosis));
    }
    set(event, "failure", value);
}

static void set_plan(json_t *event, const struct plan *plan)
{
    json_t *whole = plan ? plan_json(plan) : NULL;
    json_t *actions = whole ? json_object_get(whole, "actions") : NULL;
    json_t *refused = whole ? json_object_get(whole, "refused") : NULL;
    set(event, "actions", actions ? json_incref(actions) : json_array());
    set(event, "refused", refused ? json_incref(refused) : json_array());
    json_decref(whole);
}

static void set_action(json_t *event, const struct report *report)
{
    const struct action *action = report->action;
    set_string(event, "action", action_kind_name(action->kind));
    set_string(event, "subject", action->subject);
    set_string(event, "class", change_class_name(action->change));
    set_string(event, "reason", action->reason);
    set_count(event, "done", report->done);
    set_count(event, "total", report->total);
}

static void set_state(json_t *event, const struct report *report)
{
    const struct cluster_state *state = report->desired ? report->state : NULL;
    bool known = state && state->ready != SEEN_UNKNOWN;
    set(event, "nodes", state ? json_integer((json_int_t)view_node_count(state)) : NULL);
    set(event, "ready", known ? json_boolean(state->ready == SEEN_YES) : NULL);
    set_string(event, "version", state ? state->version : NULL);
}

static void set_details(json_t *event, const struct report *report)
{
    switch (report->kind) {
    case REPORT_PLANNED:
        set_plan(event, report->plan);
        return;
    case REPORT_ACTION_BEGINS:
        set_action(event, report);
        return;
    case REPORT_STEP:
        set_action(event, report);
        set_string(event, "step", report->step);
        return;
    case REPORT_ACTION_ENDS:
        set_action(event, report);
        set_failure(event, report);
        return;
    case REPORT_RETRY:
        set_failure(event, report);
        set_count(event, "wait_ms", report->wait_ms);
        return;
    case REPORT_SETTLED:
        set_state(event, report);
        return;
    case REPORT_STALLED:
        set_failure(event, report);
        return;
    case REPORT_NOTE:
        set_string(event, "text", report->text);
        return;
    }
}

/* The time of day, of the moment at which the event is told. */
static void set_time(json_t *event, uint64_t wall_ms)
{
    cleanup_text struct text time;
    text_init(&time, 0);
    view_add_time(&time, wall_ms / 1000);
    text_add_format(&time, ".%03uZ", (unsigned)(wall_ms % 1000));
    set_string(event, "time", time.data);
}

static void json_lines_report(void *renderer, const struct report *report)
{
    const struct json_lines *lines = renderer;
    json_t *event = json_object();
    set_string(event, "type", view_events[report->kind].type);
    set_time(event, lines->wall_ms());
    set_count(event, "time_ms", report->now_ms);
    set_count(event, "elapsed_ms", report->elapsed_ms);
    set_string(event, "cluster", report->cluster);
    set_details(event, report);
    char *line = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (line)
        fprintf(lines->out, "%s\n", line);
    free(line);
    fflush(lines->out);
}

const struct view_renderer view_json = {
    .open = json_lines_open, .report = json_lines_report, .close = free};
