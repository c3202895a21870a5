/*
 * view_live.c - the tree of clusters and their steps, on a terminal.
 *
 *     ci        Ready                3 nodes                              12.4 s
 *     nightly   bootstrap            ██████████░░░░░░  7/11                6.1 s
 *                 nightly-control-plane   wait for the API server
 *     old       delete node          ░░░░░░░░░░░░░░░░  0/2                 1.0 s
 *
 * Above the tree stand lines that stay: clusters that are finished, failures,
 * notes.
 */
#include "base/memory.h"
#include "base/plain.h"
#include "cli/screen.h"
#include "cli/view.h"
#include <string.h>

enum { NARROW = 64, /* below it there is no room for bars */ NARROW_WORD_WIDTH = 12 };
enum { NAME_WIDTH_MIN = 8, NAME_WIDTH_MAX = 24, WORD_WIDTH = 20, BAR_WIDTH = 16, RUNNING_MAX = 32 };
enum { SUBJECT_WIDTH_MIN = WORD_WIDTH + 2, SUBJECT_WIDTH_MAX = 36 };

struct running {
    enum action_kind kind;
    char *subject, *step; /* step NULL: none told yet */
};

struct live_cluster {
    char *name;
    char *failure; /* told last, so that it is not told twice */
    bool active;   /* has a row in the tree */
    bool acted;
    size_t done, total;
    uint64_t began_at_ms;
    uint64_t retry_at_ms; /* 0: not waiting */
    struct running running[RUNNING_MAX];
    size_t running_count;
};

struct live {
    struct screen screen;
    struct live_cluster *clusters;
    size_t count;
    size_t name_width;
    uint64_t painted_at_ms;
};

static void *live_open(FILE *out, const struct view_options *options)
{
    struct live *live = memory_new(sizeof(*live));
    live->name_width = NAME_WIDTH_MIN;
    screen_init(&live->screen, out, options->screen);
    return live;
}

static struct live_cluster *find(struct live *live, const char *name)
{
    for (size_t i = 0; i < live->count; i++)
        if (strcmp(live->clusters[i].name, name) == 0)
            return &live->clusters[i];
    live->clusters = memory_resize(live->clusters, live->count + 1, sizeof(*live->clusters));
    live->clusters[live->count] = (struct live_cluster){.name = memory_string(name)};
    size_t width = plain_width(name);
    if (width > live->name_width)
        live->name_width = width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
    return &live->clusters[live->count++];
}

/* --- Rows of the tree. --- */

static bool is_narrow(const struct row *row)
{
    return row->screen->size.width < NARROW;
}

/* A cell of at least the column's width, and two spaces. */
static void add_column(struct row *row, enum tone tone, const char *string, size_t width)
{
    size_t own = plain_width(string);
    if (is_narrow(row))
        width = NARROW_WORD_WIDTH;
    row_add_padded(row, tone, string, own > width ? own : width);
    row_add(row, TONE_PLAIN, "  ");
}

static void begin_row(const struct live *live, struct row *row, const char *name)
{
    row_init(row, &live->screen);
    row_add_padded(row, TONE_PLAIN, name, live->name_width);
    row_add(row, TONE_PLAIN, "  ");
}

static void add_bar(struct row *row, size_t done, size_t total)
{
    cleanup_text struct text bar;
    text_init(&bar, 0);
    size_t full = total ? done * BAR_WIDTH / total : 0;
    for (size_t i = 0; i < BAR_WIDTH && !is_narrow(row); i++)
        text_add(&bar, i < full ? "\xe2\x96\x88" : "\xe2\x96\x91"); /* full block, light shade */
    text_add_format(&bar, "%s%zu/%zu", bar.length ? "  " : "", done, total);
    row_add(row, TONE_PLAIN, bar.data);
}

static void add_waiting(struct row *row, const struct live_cluster *cluster, uint64_t now_ms)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    add_column(row, TONE_WAITING, "waiting", WORD_WIDTH);
    text_add(&words, "next try ");
    if (cluster->retry_at_ms > now_ms) {
        text_add(&words, "in ");
        view_add_seconds(&words, cluster->retry_at_ms - now_ms);
    } else {
        text_add(&words, "now");
    }
    row_add(row, TONE_PLAIN, words.data);
}

static void add_working(struct row *row, const struct live_cluster *cluster)
{
    const char *word = cluster->total ? "working" : "looking";
    if (cluster->running_count)
        word = action_kind_words(cluster->running[0].kind);
    add_column(row, TONE_PLAIN, word, WORD_WIDTH);
    if (cluster->total)
        add_bar(row, cluster->done, cluster->total);
}

static void add_seconds(struct row *row, uint64_t ms)
{
    cleanup_text struct text seconds;
    text_init(&seconds, 0);
    view_add_seconds(&seconds, ms);
    row_add_right(row, TONE_FAINT, seconds.data);
}

static void cluster_row(const struct live *live, const struct live_cluster *cluster,
                        uint64_t now_ms, struct row *row)
{
    begin_row(live, row, cluster->name);
    if (cluster->retry_at_ms)
        add_waiting(row, cluster, now_ms);
    else
        add_working(row, cluster);
    add_seconds(row, now_ms - cluster->began_at_ms);
}

/* So that the steps of all nodes begin in one column. */
static size_t subject_width(const struct live_cluster *cluster)
{
    size_t widest = SUBJECT_WIDTH_MIN;
    for (size_t i = 0; i < cluster->running_count; i++) {
        size_t width = plain_width(cluster->running[i].subject);
        if (width > widest)
            widest = width < SUBJECT_WIDTH_MAX ? width : SUBJECT_WIDTH_MAX;
    }
    return widest;
}

/* A node and what is done to it; an action on the cluster, unless the row above names it. */
static void running_row(const struct live *live, const struct live_cluster *cluster,
                        const struct running *running, struct row *row)
{
    const char *words = action_kind_words(running->kind);
    bool own = strcmp(running->subject, cluster->name) == 0;
    begin_row(live, row, "");
    row_add(row, TONE_PLAIN, "  ");
    if (!own || cluster->running_count > 1)
        add_column(row, TONE_PLAIN, own ? words : running->subject, subject_width(cluster));
    if (running->step)
        row_add(row, TONE_FAINT, running->step);
    else if (!own)
        row_add(row, TONE_FAINT, words);
}

/* One action on the cluster as a whole that tells no step is named in the cluster's row already. */
static bool has_running_rows(const struct live_cluster *cluster)
{
    const struct running *first = &cluster->running[0];
    return cluster->running_count != 1 || first->step || strcmp(first->subject, cluster->name) != 0;
}

static size_t rows_wanted(const struct live *live)
{
    size_t rows = 0;
    for (size_t i = 0; i < live->count; i++) {
        const struct live_cluster *cluster = &live->clusters[i];
        rows += cluster->active;
        rows += cluster->active && has_running_rows(cluster) ? cluster->running_count : 0;
    }
    return rows;
}

static void add_cluster(struct live *live, const struct live_cluster *cluster, uint64_t now_ms,
                        bool with_steps)
{
    struct row row;
    cluster_row(live, cluster, now_ms, &row);
    screen_add(&live->screen, &row);
    if (!with_steps || !has_running_rows(cluster))
        return;
    for (size_t i = 0; i < cluster->running_count; i++) {
        running_row(live, cluster, &cluster->running[i], &row);
        screen_add(&live->screen, &row);
    }
}

static void add_hidden(struct live *live, size_t hidden)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    text_add_format(&words, "and %zu more", hidden);
    struct row row;
    begin_row(live, &row, "");
    row_add(&row, TONE_FAINT, words.data);
    screen_add(&live->screen, &row);
}

/* On a low screen clusters matter more than steps, and what is left is counted. */
static void paint(struct live *live, uint64_t now_ms)
{
    size_t limit = screen_begin(&live->screen), hidden = 0;
    bool with_steps = rows_wanted(live) <= limit;
    for (size_t i = 0; i < live->count; i++) {
        if (!live->clusters[i].active)
            continue;
        if (with_steps || live->screen.rows + 1 < limit)
            add_cluster(live, &live->clusters[i], now_ms, with_steps);
        else
            hidden++;
    }
    if (hidden)
        add_hidden(live, hidden);
    screen_end(&live->screen);
    live->painted_at_ms = now_ms;
}

/* --- Lines that stay. --- */

static void keep_words(struct live *live, const char *cluster, enum tone tone, const char *words)
{
    struct row head;
    if (cluster)
        begin_row(live, &head, cluster);
    else
        row_init(&head, &live->screen);
    screen_keep_words(&live->screen, &head, tone, words);
}

static void keep_settled(struct live *live, const struct live_cluster *cluster,
                         const struct report *report)
{
    struct row row;
    bool good = !report->desired || !report->state || report->state->ready == SEEN_YES;
    begin_row(live, &row, cluster->name);
    add_column(&row, good ? TONE_GOOD : TONE_WAITING, view_settled_word(report), WORD_WIDTH);
    cleanup_text struct text words;
    text_init(&words, 0);
    view_add_settled(&words, report);
    row_add(&row, TONE_PLAIN, words.data);
    bool there = !report->state || report->state->node_count;
    if (cluster->acted)
        add_seconds(&row, report->elapsed_ms);
    else if (there)
        row_add_right(&row, TONE_FAINT, "as it was");
    screen_keep(&live->screen, &row);
}

/* Each failure once, however often it is told or wrapped. */
static void keep_failure(struct live *live, struct live_cluster *cluster,
                         const struct report *report)
{
    const char *message = report->failure ? report->failure->message : NULL;
    if (!message || report->failure->kind == ERROR_CANCELED ||
        (cluster->failure && strstr(message, cluster->failure)))
        return;
    free(cluster->failure);
    cluster->failure = memory_string(message);
    cleanup_text struct text action, words;
    text_init(&action, 0);
    text_init(&words, 0);
    if (report->action) {
        view_add_action(&action, cluster->name, report->action);
        text_add_format(&words, "%s: ", action.data);
    }
    view_add_failure(&words, report->action ? action.data : cluster->name, message);
    keep_words(live, cluster->name, TONE_BAD, words.data);
}

static void keep_stalled(struct live *live, struct live_cluster *cluster,
                         const struct report *report)
{
    struct row row;
    keep_failure(live, cluster, report);
    begin_row(live, &row, cluster->name);
    add_column(&row, TONE_BAD, "gave up", WORD_WIDTH);
    row_add(&row, TONE_PLAIN, "mend it and try again");
    add_seconds(&row, report->elapsed_ms);
    screen_keep(&live->screen, &row);
}

/* --- Reports. --- */

static struct running *find_running(struct live_cluster *cluster, const struct action *action)
{
    for (size_t i = 0; i < cluster->running_count; i++)
        if (cluster->running[i].kind == action->kind &&
            strcmp(cluster->running[i].subject, action->subject) == 0)
            return &cluster->running[i];
    return NULL;
}

static void running_begin(struct live_cluster *cluster, const struct action *action)
{
    cluster->acted = true;
    if (cluster->running_count < RUNNING_MAX)
        cluster->running[cluster->running_count++] =
            (struct running){.kind = action->kind, .subject = memory_string(action->subject)};
}

static void running_step(struct live_cluster *cluster, const struct report *report)
{
    struct running *running = find_running(cluster, report->action);
    if (!running)
        return;
    free(running->step);
    running->step = memory_string(report->step);
}

static void running_remove(struct live_cluster *cluster, struct running *running)
{
    free(running->subject);
    free(running->step);
    size_t after = (size_t)(cluster->running + cluster->running_count - (running + 1));
    memmove(running, running + 1, after * sizeof(*running));
    cluster->running_count--;
}

static void running_end(struct live_cluster *cluster, const struct action *action)
{
    struct running *running = find_running(cluster, action);
    if (running)
        running_remove(cluster, running);
}

static void leave_tree(struct live_cluster *cluster)
{
    cluster->active = false;
    cluster->acted = false;
    while (cluster->running_count)
        running_remove(cluster, &cluster->running[0]);
}

static void take(struct live *live, struct live_cluster *cluster, const struct report *report)
{
    switch (report->kind) {
    case REPORT_PLANNED:
        return;
    case REPORT_ACTION_BEGINS:
        running_begin(cluster, report->action);
        return;
    case REPORT_STEP:
        running_step(cluster, report);
        return;
    case REPORT_ACTION_ENDS:
        running_end(cluster, report->action);
        keep_failure(live, cluster, report);
        return;
    case REPORT_RETRY:
        keep_failure(live, cluster, report);
        cluster->retry_at_ms = report->now_ms + report->wait_ms;
        return;
    case REPORT_SETTLED:
        keep_settled(live, cluster, report);
        leave_tree(cluster);
        return;
    case REPORT_STALLED:
        keep_stalled(live, cluster, report);
        leave_tree(cluster);
        return;
    case REPORT_NOTE:
        keep_words(live, cluster->name, TONE_PLAIN, report->text);
        return;
    }
}

/* Frames are held back so that none comes sooner than a tick after another. */
static void paint_if_due(struct live *live, uint64_t now_ms)
{
    if (!live->screen.painted || now_ms >= live->painted_at_ms + VIEW_TICK_MS)
        paint(live, now_ms);
}

static void live_report(void *renderer, const struct report *report)
{
    struct live *live = renderer;
    if (!report->cluster) {
        keep_words(live, NULL, TONE_PLAIN, report->text);
        paint_if_due(live, report->now_ms);
        return;
    }
    struct live_cluster *cluster = find(live, report->cluster);
    if (!cluster->active)
        cluster->began_at_ms = report->now_ms - report->elapsed_ms;
    cluster->active = true;
    cluster->retry_at_ms = 0;
    if (report->total || report->kind == REPORT_PLANNED) {
        cluster->done = report->done;
        cluster->total = report->total;
    }
    take(live, cluster, report);
    paint_if_due(live, report->now_ms);
}

static void live_tick(void *renderer, uint64_t now_ms)
{
    paint_if_due(renderer, now_ms);
}

static void live_close(void *renderer)
{
    struct live *live = renderer;
    for (size_t i = 0; i < live->count; i++) {
        struct live_cluster *cluster = &live->clusters[i];
        if (cluster->active)
            keep_words(live, cluster->name, TONE_WAITING, "not finished");
        leave_tree(cluster);
        free(cluster->name);
        free(cluster->failure);
    }
    live->count = 0;
    if (live->screen.painted || live->screen.lasting.length)
        paint(live, live->painted_at_ms);
    screen_done(&live->screen);
    free(live->clusters);
    free(live);
}

const struct view_renderer view_live = {
    .open = live_open, .report = live_report, .tick = live_tick, .close = live_close};
