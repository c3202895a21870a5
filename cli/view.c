#include "cli/view.h"

#include "base/memory.h"
#include <string.h>
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
        view->object = view->renderer->open(out, options->screen);
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

void view_add_nodes(struct text *text, const struct report *report)
{
    if (!report->desired || !report->state)
        return;
    size_t count = report->state->node_count;
    text_add_format(text, "%zu %s", count, count == 1 ? "node" : "nodes");
}
