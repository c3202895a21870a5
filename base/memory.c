#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

void *memory_new(size_t size)
{
    void *pointer = calloc(1, size ? size : 1);
    if (!pointer)
        abort();
    return pointer;
}

void *memory_resize(void *pointer, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        abort();
    size_t bytes = count * size;
    void *moved = realloc(pointer, bytes ? bytes : 1);
    if (!moved)
        abort();
    return moved;
}

char *memory_string(const char *string)
{
    return string ? memory_string_n(string, strlen(string)) : NULL;
}

char *memory_string_n(const char *bytes, size_t length)
{
    if (!bytes)
        return NULL;
    char *copy = memory_new(length + 1);
    memcpy(copy, bytes, length);
    return copy;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *string = NULL;
    if (vasprintf(&string, format, arguments) < 0)
        abort();
    va_end(arguments);
    return string;
}
