#include "base/error.h"

#include "base/memory.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static char *format_list(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

static char *format_list(const char *format, va_list arguments)
{
    char *message = NULL;
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    return message;
}

int error_set(struct error **err, enum error_kind kind, const char *format, ...)
{
    assert(err && !*err);
    va_list arguments;
    va_start(arguments, format);
    struct error *error = memory_new(sizeof(*error));
    error->kind = kind;
    error->message = format_list(format, arguments);
    va_end(arguments);
    *err = error;
    return -1;
}

int error_wrap(struct error **err, const char *format, ...)
{
    assert(err && *err);
    va_list arguments;
    va_start(arguments, format);
    cleanup_free char *context = format_list(format, arguments);
    va_end(arguments);
    cleanup_free char *inner = (*err)->message;
    (*err)->message = memory_format("%s: %s", context, inner);
    return -1;
}

struct error *error_copy(const struct error *err)
{
    if (!err)
        return NULL;
    struct error *copy = memory_new(sizeof(*copy));
    copy->kind = err->kind;
    copy->message = memory_string(err->message);
    return copy;
}

const char *error_kind_name(enum error_kind kind)
{
    switch (kind) {
    case ERROR_INVALID:
        return "invalid";
    case ERROR_CONFLICT:
        return "conflict";
    case ERROR_UNAVAILABLE:
        return "unavailable";
    case ERROR_TIMEOUT:
        return "timeout";
    case ERROR_CANCELED:
        return "canceled";
    case ERROR_INTERNAL:
        return "internal";
    }
    return "unknown";
}

void error_free(struct error *err)
{
    if (!err)
        return;
    free(err->message);
    free(err);
}
