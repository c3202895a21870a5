#include "base/log.h"

#include "base/plain.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdbool.h>

enum { LINE_BYTES_MAX = 16 * 1024 };

static bool is_said(const struct log *log, enum log_level level)
{
    if (!log->stream)
        return false;
    switch (level) {
    case LOG_ERROR:
    case LOG_WARNING:
    case LOG_INFO:
        return true;
    case LOG_DEBUG:
        return log->verbosity >= 1;
    case LOG_TRACE:
        return log->verbosity >= 2;
    }
    return true;
}

/* "ERROR" as upstream prints it, so that one search finds both tools' errors. */
static const char *prefix(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "ERROR: ";
    case LOG_WARNING:
        return "WARNING: ";
    case LOG_INFO:
        return "";
    case LOG_DEBUG:
    case LOG_TRACE:
        return "DEBUG: ";
    }
    return "";
}

void log_line(const struct log *log, enum log_level level, const char *subject, const char *format,
              ...)
{
    if (!is_said(log, level))
        return;
    cleanup_text struct text message, line;
    text_init(&message, LINE_BYTES_MAX);
    text_init(&line, LINE_BYTES_MAX);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&message, format, arguments);
    va_end(arguments);
    text_add(&line, prefix(level));
    if (subject) {
        plain_add(&line, subject);
        text_add(&line, ": ");
    }
    plain_add(&line, message.data);
    fprintf(log->stream, "%s\n", line.data);
    fflush(log->stream);
}
