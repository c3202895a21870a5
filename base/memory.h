/*
 * memory.h - heap memory with one owner.
 *
 * Running out of memory ends the program: a reconciler that is started again
 * repairs more than one that limps. Locals that own heap memory are marked
 * `cleanup_free` and moved out with `return TAKE(pointer);`.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed memory; never NULL. */
void *memory_new(size_t size) __attribute__((malloc, returns_nonnull));

/* As realloc, for count items of size each; overflow aborts; never NULL. */
void *memory_resize(void *pointer, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies of a string, or of its first length bytes, ended by a NUL. NULL stays NULL. */
char *memory_string(const char *string);
char *memory_string_n(const char *bytes, size_t length);

/* A new formatted string. */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline void memory_freep(void *slot)
{
    void *pointer;
    memcpy(&pointer, slot, sizeof(pointer));
    free(pointer);
}
#define cleanup_free __attribute__((cleanup(memory_freep)))

/* Copies the pointer out of its slot and leaves NULL behind. */
static inline void *memory_take_slot(void *slot)
{
    void *pointer;
    memcpy(&pointer, slot, sizeof(pointer));
    memset(slot, 0, sizeof(pointer));
    return pointer;
}
#define TAKE(p) (0 ? (p) : memory_take_slot(&(p)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
