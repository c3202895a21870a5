/*
 * arena.h - memory that is freed all at once.
 *
 * One round of reconciling (desired, observed, plan and their strings) lives
 * in one arena. Nothing is freed singly; pointers stay valid until
 * arena_free. Not for use from two threads at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */

static inline void arena_freep(struct arena **arena)
{
    arena_free(*arena);
}
#define cleanup_arena __attribute__((cleanup(arena_freep)))

/* Zeroed memory aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));

/* Zeroed memory for count items of size each; overflow aborts. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/*
 * Makes room for one more item in a list that grows: returns the array (moved
 * if it was full), whose item [count] is zeroed and free to be filled. Only
 * for arrays that grew by this function alone.
 */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t size)
    __attribute__((returns_nonnull));

/* Copies of a string, or of its first length bytes, ended by a NUL. NULL stays NULL. */
char *arena_string(struct arena *arena, const char *string);
char *arena_string_n(struct arena *arena, const char *bytes, size_t length);

/* A new formatted string. */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes taken from the system, for tests and limits. */
size_t arena_size_bytes(const struct arena *arena);

#endif
