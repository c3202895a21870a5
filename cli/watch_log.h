/*
 * watch_log.h - what a watcher decides and what comes of it, one line each, for a journal.
 *
 *     2026-11-21T12:00:00.123Z INFO ci: create node ci-worker: missing
 *     {"time":"2026-11-21T12:00:00.123Z","level":"info","cluster":"ci","event":"action","message":"..."}
 *
 * A look that finds all as it was leaves no line; steps are said from -v 1 on.
 * What repeats itself (the same refusal, the same state) is said once. Text
 * from outside is made plain. Under systemd text lines come without the time
 * and with the priority that journald reads.
 */
#ifndef CLI_WATCH_LOG_H
#define CLI_WATCH_LOG_H

#include "base/log.h"
#include "base/options.h"
#include "reconciler/report.h"
#include <stdio.h>

enum watch_log_format { WATCH_LOG_TEXT, WATCH_LOG_JSON };

/* Choices of --log-format. */
extern const struct option_choice watch_log_formats[];

struct watch_log_options {
    FILE *stream; /* NULL: nothing is said */
    int format;   /* enum watch_log_format */
    int verbosity;
    bool journal;              /* journald reads it */
    uint64_t (*wall_ms)(void); /* for tests: Unix time; NULL: the system's */
};

struct watch_log;

struct watch_log *watch_log_new(const struct watch_log_options *options);
void watch_log_free(struct watch_log *log); /* NULL is fine */

/* A report_told; context is the log. */
void watch_log_report(void *context, const struct report *report);

/* The cluster is none of ours any more. */
void watch_log_forget(struct watch_log *log, const char *cluster);

/* One line about something else. event: "source"; cluster may be NULL. */
void watch_log_line(struct watch_log *log, enum log_level level, const char *event,
                    const char *cluster, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
