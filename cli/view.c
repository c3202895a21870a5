#include "cli/view.h"

#include "base/memory.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

struct view {
    const struct view_renderer *renderer; /* NULL: says nothing */
    void *object;
    bool steps; /* a line for each step, too: only asked for */
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
    view->steps = view->renderer != &view_lines || options->verbosity > 0;
    FILE *out = options->output == VIEW_JSON ? options->results : options->talk;
    if (view->renderer)
        view->object = view->renderer->open(out, options);
    return view;
}

void view_report(void *context, const struct report *report)
{
    struct view *view = context;
    if (view->renderer && (view->steps || report->kind != REPORT_STEP))
        view->renderer->report(view->object, report);
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
    if (!report->desired)
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
        count += !state->nodes[i].role || strcmp(state->nodes[i].role, ROLE_BALANCER) != 0;
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
