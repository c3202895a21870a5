#include "cli/watch_log.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/view.h"
#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { LINE_BYTES_MAX = 16 * 1024 };

const struct option_choice watch_log_formats[] = {
    {"text", WATCH_LOG_TEXT}, {"json", WATCH_LOG_JSON}, {NULL, 0}};

/* What was said of a cluster last, so that it is not said again. */
struct logged {
    char *name, *state, *refused;
    bool acted; /* since it was settled */
};

struct watch_log {
    struct watch_log_options options;
    struct logged *clusters;
    size_t count;
};

static uint64_t system_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct watch_log *watch_log_new(const struct watch_log_options *options)
{
    struct watch_log *log = memory_new(sizeof(*log));
    log->options = *options;
    if (!log->options.wall_ms)
        log->options.wall_ms = system_wall_ms;
    return log;
}

static void free_logged(struct logged *logged)
{
    free(logged->name);
    free(logged->state);
    free(logged->refused);
}

void watch_log_free(struct watch_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->count; i++)
        free_logged(&log->clusters[i]);
    free(log->clusters);
    free(log);
}

static struct logged *find(struct watch_log *log, const char *name)
{
    for (size_t i = 0; i < log->count; i++)
        if (strcmp(log->clusters[i].name, name) == 0)
            return &log->clusters[i];
    log->clusters = memory_resize(log->clusters, log->count + 1, sizeof(*log->clusters));
    log->clusters[log->count] = (struct logged){.name = memory_string(name)};
    return &log->clusters[log->count++];
}

void watch_log_forget(struct watch_log *log, const char *cluster)
{
    struct logged *logged = find(log, cluster);
    free_logged(logged);
    *logged = log->clusters[--log->count];
}

/* True once for each new text; NULL is nothing, and news after something. */
static bool is_news(char **told, const char *text)
{
    bool same = *told && text ? strcmp(*told, text) == 0 : !*told && !text;
    if (!same) {
        free(*told);
        *told = memory_string(text);
    }
    return !same;
}

/* --- one line --- */

static const struct {
    const char *word, *name;
    int priority; /* of syslog */
} levels[] = {
    [LOG_ERROR] = {"ERROR", "error", 3}, [LOG_WARNING] = {"WARNING", "warning", 4},
    [LOG_INFO] = {"INFO", "info", 6},    [LOG_DEBUG] = {"DEBUG", "debug", 7},
    [LOG_TRACE] = {"DEBUG", "debug", 7},
};

static void add_moment(struct text *text, uint64_t wall_ms)
{
    view_add_time(text, wall_ms / 1000);
    text_add_format(text, ".%03uZ", (unsigned)(wall_ms % 1000));
}

static void add_text_line(const struct watch_log *log, enum log_level level, const char *cluster,
                          const char *message, struct text *line)
{
    if (log->options.journal) {
        text_add_format(line, "<%d>", levels[level].priority);
    } else {
        add_moment(line, log->options.wall_ms());
        text_add_format(line, " %s ", levels[level].word);
    }
    if (cluster) {
        plain_add(line, cluster);
        text_add(line, ": ");
    }
    text_add(line, message);
}

static void add_json_line(const struct watch_log *log, enum log_level level, const char *event,
                          const char *cluster, const char *message, struct text *line)
{
    cleanup_text struct text moment;
    text_init(&moment, 0);
    add_moment(&moment, log->options.wall_ms());
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s*, s:s}", "time", moment.data, "level", levels[level].name,
                  "event", event, "cluster", cluster, "message", message);
    char *bytes = json_dumps(object, JSON_COMPACT);
    if (bytes) /* a text that is no UTF-8 was made plain */
        text_add(line, bytes);
    free(bytes);
    json_decref(object);
}

static bool is_said(const struct watch_log *log, enum log_level level)
{
    int needed = level == LOG_TRACE ? 2 : level == LOG_DEBUG ? 1 : 0;
    return log->options.stream && log->options.verbosity >= needed;
}

void watch_log_line(struct watch_log *log, enum log_level level, const char *event,
                    const char *cluster, const char *format, ...)
{
    if (!is_said(log, level))
        return;
    cleanup_text struct text message, plain, line;
    text_init(&message, LINE_BYTES_MAX);
    text_init(&plain, LINE_BYTES_MAX);
    text_init(&line, 0);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&message, format, arguments);
    va_end(arguments);
    plain_add(&plain, message.data);
    if (log->options.format == WATCH_LOG_JSON)
        add_json_line(log, level, event, cluster, plain.data, &line);
    else
        add_text_line(log, level, cluster, plain.data, &line);
    fprintf(log->options.stream, "%s\n", line.data);
    fflush(log->options.stream);
}

/* --- reports --- */

static void tell_refused(struct watch_log *log, struct logged *logged, const struct report *report)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    const struct plan *plan = report->plan;
    if (plan->held)
        text_add(&text, plan->held);
    for (size_t i = 0; i < plan->refused_count; i++)
        text_add_format(&text, "%s%s: %s", text.length ? "; " : "", plan->refused[i].subject,
                        plan->refused[i].reason);
    if (!is_news(&logged->refused, text.length ? text.data : NULL))
        return;
    if (plan->held)
        watch_log_line(log, LOG_INFO, "held", report->cluster, "left alone: %s", text.data);
    else if (text.length)
        watch_log_line(log, LOG_WARNING, "refused", report->cluster, "refused: %s", text.data);
    else
        watch_log_line(log, LOG_INFO, "refused", report->cluster, "nothing is refused any more");
}

static void tell_planned(struct watch_log *log, struct logged *logged, const struct report *report)
{
    tell_refused(log, logged, report);
    if (!report->total)
        return;
    logged->acted = true;
    watch_log_line(log, LOG_INFO, "plan", report->cluster, "%zu %s to do: %s: %s", report->total,
                   report->total == 1 ? "action" : "actions",
                   action_kind_words(report->plan->actions[0].kind),
                   report->plan->actions[0].reason);
}

static void tell_ended(struct watch_log *log, const struct report *report)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    view_add_action(&words, report->cluster, report->action);
    if (report->failure) {
        text_add(&words, " failed after ");
        view_add_seconds(&words, report->elapsed_ms);
        text_add(&words, ": ");
        view_add_failure(&words, NULL, report->failure->message);
        watch_log_line(log, LOG_WARNING, "action", report->cluster, "%s", words.data);
        return;
    }
    text_add(&words, " done in ");
    view_add_seconds(&words, report->elapsed_ms);
    watch_log_line(log, LOG_INFO, "action", report->cluster, "%s", words.data);
}

static void tell_failed(struct watch_log *log, struct logged *logged, const struct report *report)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    view_add_failure(&words, NULL, report->failure->message);
    logged->acted = true;
    if (report->kind == REPORT_STALLED) {
        watch_log_line(log, LOG_ERROR, "stalled", report->cluster,
                       "given up until something changes: %s; `kind explain %s` tells more",
                       words.data, report->cluster);
        return;
    }
    cleanup_text struct text wait;
    text_init(&wait, 0);
    view_add_seconds(&wait, report->wait_ms);
    watch_log_line(log, LOG_WARNING, "retry", report->cluster, "failed, next try in %s: %s",
                   wait.data, words.data);
}

static void tell_settled(struct watch_log *log, struct logged *logged, const struct report *report)
{
    cleanup_text struct text more, words;
    text_init(&more, 0);
    text_init(&words, 0);
    view_add_settled(&more, report);
    text_add_format(&words, "%s%s%s", view_settled_word(report), more.length ? ", " : "",
                    more.data);
    if (!is_news(&logged->state, words.data) && !logged->acted)
        return;
    if (logged->acted) {
        text_add(&words, ", in all ");
        view_add_seconds(&words, report->elapsed_ms);
    }
    logged->acted = false;
    watch_log_line(log, LOG_INFO, "settled", report->cluster, "%s", words.data);
}

static void tell_action(struct watch_log *log, const struct report *report)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    view_add_action(&words, report->cluster, report->action);
    if (report->kind == REPORT_STEP)
        watch_log_line(log, LOG_DEBUG, "step", report->cluster, "%s: %s", words.data, report->step);
    else
        watch_log_line(log, LOG_DEBUG, "begin", report->cluster, "%s begins: %s", words.data,
                       report->action->reason);
}

void watch_log_report(void *context, const struct report *report)
{
    struct watch_log *log = context;
    struct logged *logged = find(log, report->cluster ? report->cluster : "");
    switch (report->kind) {
    case REPORT_PLANNED:
        tell_planned(log, logged, report);
        break;
    case REPORT_ACTION_BEGINS:
    case REPORT_STEP:
        tell_action(log, report);
        break;
    case REPORT_ACTION_ENDS:
        tell_ended(log, report);
        break;
    case REPORT_RETRY:
    case REPORT_STALLED:
        tell_failed(log, logged, report);
        break;
    case REPORT_SETTLED:
        tell_settled(log, logged, report);
        break;
    case REPORT_NOTE:
        watch_log_line(log, LOG_INFO, "note", report->cluster, "%s", report->text);
        break;
    }
}
