#include "cli/view.h"

#include "base/memory.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

struct view {
    const struct view_renderer *renderer; /* NULL: says nothing */
    void *object;
    bool steps; /* a line for each step, too: only asked for */
    bool words; /* JSON has causes within its events */
    struct said *said;
    size_t said_count;
};

/* The cause that was told last of a cluster: it is told once in a row. */
struct said {
    char *cluster;
    char *words;
};

const struct option_choice view_outputs[] = {{"json", VIEW_JSON}, {NULL, 0}};

/* Cursor movements need a terminal that knows them. */
static bool is_terminal(FILE *stream)
{
    const char *kind = getenv("TERM");
    return isatty(fileno(stream)) && kind && *kind && strcmp(kind, "dumb") != 0;
}

static const struct view_renderer *choose(const struct view_options *options)
{
    if (options->output == VIEW_JSON)
        return &view_json;
    if (options->quiet)
        return NULL;
    if (options->screen || (options->verbosity < 1 && is_terminal(options->talk)))
        return &view_live;
    return &view_lines;
}

struct view *view_open(const struct view_options *options)
{
    struct view *view = memory_new(sizeof(*view));
    view->renderer = choose(options);
    view->words = view->renderer != &view_json;
    view->steps = view->renderer != &view_lines || options->verbosity > 0;
    FILE *out = options->output == VIEW_JSON ? options->results : options->talk;
    if (view->renderer)
        view->object = view->renderer->open(out, options);
    return view;
}

static struct said *said_of(struct view *view, const char *cluster)
{
    for (size_t i = 0; i < view->said_count; i++)
        if (strcmp(view->said[i].cluster, cluster) == 0)
            return &view->said[i];
    view->said = memory_resize(view->said, view->said_count + 1, sizeof(*view->said));
    view->said[view->said_count] = (struct said){.cluster = memory_string(cluster)};
    return &view->said[view->said_count++];
}

static void note(struct view *view, const struct report *about, const char *label, const char *text)
{
    cleanup_free char *words = memory_format("%s%s", label, text);
    struct report report = *about;
    report.kind = REPORT_NOTE;
    report.text = words;
    view->renderer->report(view->object, &report);
}

/* What is behind a failure, after it was told: cause and cure. */
static void tell_cause(struct view *view, const struct report *report)
{
    const struct finding *cause = report->failure ? diagnosis_cause(report->diagnosis) : NULL;
    bool last = report->kind == REPORT_STALLED;
    if (cause) {
        struct said *said = said_of(view, report->cluster);
        if (last || !said->words || strcmp(said->words, cause->words) != 0) {
            free(said->words);
            said->words = memory_string(cause->words);
            note(view, report, "cause: ", cause->words);
            note(view, report, "cure: ", cause->cure);
        }
    }
    if (last && report->diagnosis) {
        cleanup_free char *more = memory_format("`kind explain %s` tells more", report->cluster);
        note(view, report, "", more);
    }
}

void view_report(void *context, const struct report *report)
{
    struct view *view = context;
    if (!view->renderer || (!view->steps && report->kind == REPORT_STEP))
        return;
    view->renderer->report(view->object, report);
    if (view->words)
        tell_cause(view, report);
}

void view_tick(struct view *view, uint64_t now_ms)
{
    if (view->renderer && view->renderer->tick)
        view->renderer->tick(view->object, now_ms);
}

void view_close(struct view *view)
{
    if (!view)
        return;
    if (view->renderer)
        view->renderer->close(view->object);
    for (size_t i = 0; i < view->said_count; i++) {
        free(view->said[i].cluster);
        free(view->said[i].words);
    }
    free(view->said);
    free(view);
}

void view_add_seconds(struct text *text, uint64_t ms)
{
    uint64_t seconds = ms / 1000;
    if (seconds < 60)
        text_add_format(text, "%llu.%llu s", (unsigned long long)seconds,
                        (unsigned long long)(ms % 1000 / 100));
    else
        text_add_format(text, "%llu min %llu s", (unsigned long long)(seconds / 60),
                        (unsigned long long)(seconds % 60));
}

void view_add_action(struct text *text, const char *cluster, const struct action *action)
{
    text_add(text, action_kind_words(action->kind));
    if (strcmp(action->subject, cluster) != 0)
        text_add_format(text, " %s", action->subject);
}

const char *view_settled_word(const struct report *report)
{
    bool there = report->state && report->state->node_count;
    bool held = report->plan && report->plan->held;
    if (there && report->state->marks.stopped && (held || !report->desired))
        return "stopped";
    if (held)
        return "suspended";
    if (!report->desired && !there)
        return "gone";
    if (!report->state)
        return "done";
    if (!report->state->node_count)
        return "not made";
    switch (report->state->ready) {
    case SEEN_YES:
        return "Ready";
    case SEEN_NO:
        return "not Ready";
    case SEEN_UNKNOWN:
        return "unknown";
    }
    return "";
}

size_t view_node_count(const struct cluster_state *state)
{
    size_t count = 0;
    for (size_t i = 0; i < state->node_count; i++)
        count += (!state->nodes[i].role || strcmp(state->nodes[i].role, ROLE_BALANCER) != 0) &&
                 !node_state_is_aside(&state->nodes[i]);
    return count;
}

void view_add_settled(struct text *text, const struct report *report)
{
    size_t before = text->length;
    size_t nodes = report->desired && report->state ? view_node_count(report->state) : 0;
    size_t refused = report->plan ? report->plan->refused_count : 0;
    if (nodes)
        text_add_format(text, "%zu %s", nodes, nodes == 1 ? "node" : "nodes");
    if (refused)
        text_add_format(text, "%s%zu refused", text->length > before ? ", " : "", refused);
    if (report->plan && report->plan->held)
        text_add_format(text, "%s%s", text->length > before ? ", " : "", report->plan->held);
}

void view_add_time(struct text *text, uint64_t unix_s)
{
    time_t seconds = (time_t)unix_s;
    struct tm parts;
    char buffer[sizeof("2026-03-01T12:00:00") + 8];
    if (gmtime_r(&seconds, &parts) && strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%S", &parts))
        text_add(text, buffer);
}

/* --- Failures. --- */

/* Moves *rest past its next word and returns its length, 0 at the end; "the" says nothing. */
static size_t take_word(const char **rest, const char *end, const char **word)
{
    do {
        while (*rest < end && **rest == ' ')
            (*rest)++;
        *word = *rest;
        while (*rest < end && **rest != ' ')
            (*rest)++;
    } while (*rest - *word == 3 && memcmp(*word, "the", 3) == 0);
    return (size_t)(*rest - *word);
}

static bool has_word(const char *rest, const char *end, const char *word, size_t length)
{
    const char *other;
    size_t other_length;
    while ((other_length = take_word(&rest, end, &other)))
        if (other_length == length && memcmp(other, word, length) == 0)
            return true;
    return false;
}

/* Is each word of [part, end) among those of [said, said_end)? */
static bool is_said(const char *said, const char *said_end, const char *part, const char *end)
{
    const char *word;
    size_t length;
    while ((length = take_word(&part, end, &word)))
        if (!has_word(said, said_end, word, length))
            return false;
    return true;
}

/* "reach the engine" before "no engine answers at ...": what follows says it better. */
static bool is_said_next(const char *part, const char *end, const char *next)
{
    const char *last = end;
    while (last > part && last[-1] != ' ')
        last--;
    size_t length = (size_t)(end - last);
    return strncmp(next, "no ", 3) == 0 && strncmp(next + 3, last, length) == 0 &&
           next[3 + length] == ' ';
}

void view_add_failure(struct text *text, const char *said, const char *message)
{
    const char *before = said ? said : "", *before_end = before + strlen(before);
    for (const char *end; (end = strstr(message, ": ")) && end > message; message = end + 2) {
        if (is_said(before, before_end, message, end) || is_said_next(message, end, end + 2))
            continue;
        text_add_bytes(text, message, (size_t)(end - message) + 2);
        before = message;
        before_end = end;
    }
    text_add(text, message);
}
