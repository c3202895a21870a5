/*
 * log.h - one line an event, for people and journals: "ci: pulled the image size_mb=312".
 *
 * Only main-program code logs; library code returns errors. What comes from
 * outside (names, messages) is made plain first, see plain.h.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdio.h>

/* Debug is said from -v 1, trace from -v 2. */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_TRACE };

struct log {
    FILE *stream;  /* NULL: say nothing at all (-q) */
    int verbosity; /* of -v */
};

/* subject: the cluster it is about, or NULL. One write a line. */
void log_line(const struct log *log, enum log_level level, const char *subject, const char *format,
              ...) __attribute__((format(printf, 4, 5)));

#endif
