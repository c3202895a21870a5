/*
 * text.h - a growable string with a maximum.
 *
 * `data` is always a NUL-ended string (possibly ""), `length` does not count
 * the NUL. What would pass the limit is cut off and `overflow` is set; who
 * fills a text from outside bytes checks it once at the end. Bytes may hold
 * NULs themselves.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;
    size_t length, capacity, limit;
    bool overflow;
};

/* In place; limit_bytes 0 means 64 MiB. */
void text_init(struct text *text, size_t limit_bytes);
void text_done(struct text *text);

#define cleanup_text __attribute__((cleanup(text_done)))

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_add_list(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_add_char(struct text *text, char c, size_t times);
void text_clear(struct text *text);

/* Moves the string out; the text is empty again and stays usable. Caller frees. */
char *text_take(struct text *text);

#endif
