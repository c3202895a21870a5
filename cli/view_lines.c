/*
 * view_lines.c - one line an event: for pipes, files, CI logs and dumb terminals.
 *
 *     ci: 15 actions to do
 *     ci: create node ci-control-plane
 *     ci: ci-control-plane: boot
 *     ci: create node ci-control-plane                          done      2.1 s
 *     ci: bootstrap ci-control-plane                            failed    6.0 s: no route to host
 *     ci: next try in 4.0 s
 *     ci: Ready, 1 node                                         in all   31.4 s
 */
#include "cli/view.h"

#include "base/memory.h"
#include "base/plain.h"
#include <assert.h>
#include <string.h>

enum { END_COLUMN = 56 };

struct lines_cluster {
    char *name;
    char *failure; /* the last one told, so that it is not told twice */
    bool acted;
};

struct lines {
    FILE *out;
    struct lines_cluster *clusters;
    size_t count;
};

static void *lines_open(FILE *out, const struct view_options *options)
{
    (void)options;
    struct lines *lines = memory_new(sizeof(*lines));
    lines->out = out;
    return lines;
}

static void lines_close(void *renderer)
{
    struct lines *lines = renderer;
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->clusters[i].name);
        free(lines->clusters[i].failure);
    }
    free(lines->clusters);
    free(lines);
}

static struct lines_cluster *find(struct lines *lines, const char *name)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strcmp(lines->clusters[i].name, name) == 0)
            return &lines->clusters[i];
    lines->clusters = memory_resize(lines->clusters, lines->count + 1, sizeof(*lines->clusters));
    lines->clusters[lines->count] = (struct lines_cluster){.name = memory_string(name)};
    return &lines->clusters[lines->count++];
}

/* True once for each new failure in a row. */
static bool is_news(struct lines_cluster *cluster, const struct error *failure)
{
    if (!failure || failure->kind == ERROR_CANCELED ||
        (cluster->failure && strstr(failure->message, cluster->failure)))
        return false;
    free(cluster->failure);
    cluster->failure = memory_string(failure->message);
    return true;
}

/* How something ended stands in a column. */
static void add_column(struct text *line)
{
    size_t width = plain_width(line->data);
    text_add_char(line, ' ', width + 2 < END_COLUMN ? END_COLUMN - width : 2);
}

static void add_end(struct text *line, const char *how, uint64_t elapsed_ms)
{
    cleanup_text struct text seconds;
    text_init(&seconds, 0);
    view_add_seconds(&seconds, elapsed_ms);
    text_add_format(line, "%-8s%*s%s", how, seconds.length < 7 ? (int)(7 - seconds.length) : 0, "",
                    seconds.data);
}

static const char *end_word(const struct error *failure)
{
    if (!failure)
        return "done";
    return failure->kind == ERROR_CANCELED ? "stopped" : "failed";
}

static void add_step(struct text *line, const struct report *report)
{
    const struct action *action = report->action;
    assert(action && report->cluster);
    bool own = strcmp(action->subject, report->cluster) == 0;
    text_add_format(line, "%s: %s", own ? action_kind_words(action->kind) : action->subject,
                    report->step);
}

static void add_settled(struct text *line, const struct report *report, bool acted)
{
    text_add(line, view_settled_word(report));
    cleanup_text struct text more;
    text_init(&more, 0);
    view_add_settled(&more, report);
    if (more.length)
        text_add_format(line, ", %s", more.data);
    if (!acted && report->state && !report->state->node_count)
        return; /* not made, or gone: it is not even as it was */
    add_column(line);
    if (acted)
        add_end(line, "in all", report->elapsed_ms);
    else
        text_add(line, "as it was");
}

/* The cause, after what the line says already. */
static void add_cause(struct text *line, const char *said, const struct report *report)
{
    if (report->failure)
        view_add_failure(line, said, report->failure->message);
}

static void add_ended(struct text *line, struct lines_cluster *cluster, const struct report *report)
{
    cleanup_text struct text action;
    text_init(&action, 0);
    view_add_action(&action, report->cluster, report->action);
    text_add(line, action.data);
    add_column(line);
    add_end(line, end_word(report->failure), report->elapsed_ms);
    if (!is_news(cluster, report->failure))
        return;
    text_add(line, ": ");
    add_cause(line, action.data, report);
}

/* What a report says; false: nothing. */
static bool add_words(struct lines_cluster *cluster, const struct report *report, struct text *line)
{
    switch (report->kind) {
    case REPORT_PLANNED:
        text_add_format(line, "%zu %s to do", report->total,
                        report->total == 1 ? "action" : "actions");
        return report->total > 0;
    case REPORT_ACTION_BEGINS:
        cluster->acted = true;
        view_add_action(line, report->cluster, report->action);
        return true;
    case REPORT_STEP:
        add_step(line, report);
        return true;
    case REPORT_ACTION_ENDS:
        add_ended(line, cluster, report);
        return true;
    case REPORT_RETRY:
        if (is_news(cluster, report->failure)) {
            add_cause(line, report->cluster, report);
            text_add(line, "; ");
        }
        text_add(line, "next try in ");
        view_add_seconds(line, report->wait_ms);
        return true;
    case REPORT_SETTLED:
        add_settled(line, report, cluster->acted);
        return true;
    case REPORT_STALLED:
        text_add(line, "gave up after ");
        view_add_seconds(line, report->elapsed_ms);
        text_add(line, ": ");
        add_cause(line, report->cluster, report);
        text_add(line, "; mend it and try again");
        return true;
    case REPORT_NOTE:
        text_add(line, report->text);
        return true;
    }
    return false;
}

static void lines_report(void *renderer, const struct report *report)
{
    struct lines *lines = renderer;
    cleanup_text struct text line, plain;
    text_init(&line, 0);
    text_init(&plain, 0);
    if (report->cluster)
        text_add_format(&line, "%s: ", report->cluster);
    struct lines_cluster *cluster = find(lines, report->cluster ? report->cluster : "");
    if (!add_words(cluster, report, &line))
        return;
    plain_add(&plain, line.data);
    fprintf(lines->out, "%s\n", plain.data);
    fflush(lines->out);
}

const struct view_renderer view_lines = {
    .open = lines_open, .report = lines_report, .close = lines_close};
