/*
 * error.h - one failure, on its way up to the code that can act on it.
 *
 * A function that can fail takes `struct error **err` last and returns 0 or -1
 * (or an object or NULL). On failure *err is a new error the caller owns; on
 * success *err is untouched. err is never NULL, and *err is NULL on entry.
 *
 * Errors are plain heap objects with one owner, so a worker thread may hand
 * one to the loop thread. Out of memory is not an error here: we abort.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* The kind says what to do next; the message says what happened. */
enum error_kind {
    ERROR_INVALID,     /* the input is wrong: wait until it changes */
    ERROR_CONFLICT,    /* the world moved: observe again and re-plan */
    ERROR_UNAVAILABLE, /* may pass: try again, with backoff */
    ERROR_TIMEOUT,     /* a deadline of ours passed: as UNAVAILABLE */
    ERROR_CANCELED,    /* we asked for it: stay silent */
    ERROR_INTERNAL,    /* our bug: report loudly, do not retry */
};

struct error {
    enum error_kind kind;
    char *message; /* "outer: inner"; no newline, no final period */
};

/* Sets *err and returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error **err, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message and keeps the kind. Returns -1. */
int error_wrap(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A copy that outlives the original; NULL stays NULL. */
struct error *error_copy(const struct error *err);

/* "invalid", "conflict", ...: for machine-readable output. */
const char *error_kind_name(enum error_kind kind);

void error_free(struct error *err);

static inline void error_freep(struct error **err)
{
    error_free(*err);
}
#define cleanup_error __attribute__((cleanup(error_freep)))

#endif
