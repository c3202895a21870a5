#include "base/text.h"

#include "base/memory.h"
#include <stdio.h>

enum { DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024 };

static char empty[1]; /* what `data` points to while nothing is owned */

void text_init(struct text *text, size_t limit_bytes)
{
    *text = (struct text){.data = empty, .limit = limit_bytes ? limit_bytes : DEFAULT_LIMIT_BYTES};
}

void text_done(struct text *text)
{
    if (text->capacity)
        free(text->data);
    text_init(text, text->limit);
}

/* Room for `more` bytes and a NUL; returns how many of them the limit allows. */
static size_t reserve(struct text *text, size_t more)
{
    if (more > text->limit - text->length) {
        more = text->limit - text->length;
        text->overflow = true;
    }
    size_t need = text->length + more + 1;
    if (need > text->capacity) {
        size_t capacity = text->capacity ? text->capacity : 64;
        while (capacity < need)
            capacity *= 2;
        text->data = memory_resize(text->capacity ? text->data : NULL, capacity, 1);
        text->capacity = capacity;
    }
    return more;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
    size_t fits = reserve(text, length);
    if (fits)
        memcpy(text->data + text->length, bytes, fits);
    text->length += fits;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c, size_t times)
{
    size_t fits = reserve(text, times);
    memset(text->data + text->length, c, fits);
    text->length += fits;
    text->data[text->length] = '\0';
}

void text_add_list(struct text *text, const char *format, va_list arguments)
{
    char *string = NULL;
    int length = vasprintf(&string, format, arguments);
    if (length < 0)
        abort();
    text_add_bytes(text, string, (size_t)length);
    free(string);
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(text, format, arguments);
    va_end(arguments);
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->overflow = false;
    if (text->capacity)
        text->data[0] = '\0';
}

char *text_take(struct text *text)
{
    char *string = text->capacity ? text->data : memory_string("");
    text_init(text, text->limit);
    return string;
}
