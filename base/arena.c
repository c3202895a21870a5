#include "base/arena.h"

#include "base/memory.h"
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

/*
 * DESIGN: a chain of blocks, the newest first. A request that does not fit
 * the newest block gets a new one, as large as all before it together within
 * bounds, so that what holds little is little: a watcher keeps a few arenas of
 * some hundred bytes for each of its clusters, for as long as it runs. Large
 * requests get a block of their own. Alignment is that of max_align_t.
 */
enum { FIRST_BYTES = 512, BLOCK_BYTES = 16 * 1024, ALIGNMENT = _Alignof(max_align_t) };

struct block {
    struct block *older;
    size_t used, size;
    max_align_t bytes[];
};

struct arena {
    struct block *newest;
    size_t size_bytes;
};

struct arena *arena_new(void)
{
    return memory_new(sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    struct block *block = arena->newest;
    while (block) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
    free(arena);
}

static size_t next_block_bytes(const struct arena *arena)
{
    if (arena->size_bytes < FIRST_BYTES)
        return FIRST_BYTES;
    return arena->size_bytes < BLOCK_BYTES ? arena->size_bytes : BLOCK_BYTES;
}

static struct block *add_block(struct arena *arena, size_t at_least)
{
    size_t usual = next_block_bytes(arena);
    size_t size = at_least > usual ? at_least : usual;
    if (size > SIZE_MAX - sizeof(struct block))
        abort();
    struct block *block = memory_new(sizeof(*block) + size);
    block->size = size;
    block->older = arena->newest;
    arena->newest = block;
    arena->size_bytes += sizeof(*block) + size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        abort();
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct block *block = arena->newest;
    if (!block || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    void *pointer = (char *)block->bytes + block->used;
    block->used += rounded;
    return pointer;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        abort();
    return arena_alloc(arena, count * size);
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t size)
{
    /* Full exactly when the count is 0, or a power of two from 4 upwards. */
    if (array && (count < 4 || (count & (count - 1)) != 0))
        return array;
    assert(array || count == 0);
    void *moved = arena_array(arena, count < 4 ? 4 : count * 2, size);
    if (count)
        memcpy(moved, array, count * size);
    return moved;
}

char *arena_string(struct arena *arena, const char *string)
{
    return string ? arena_string_n(arena, string, strlen(string)) : NULL;
}

char *arena_string_n(struct arena *arena, const char *bytes, size_t length)
{
    if (!bytes)
        return NULL;
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, bytes, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    char small[256];
    int length = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    char *string = arena_alloc(arena, (size_t)length + 1);
    if ((size_t)length < sizeof(small))
        memcpy(string, small, (size_t)length + 1);
    else
        vsnprintf(string, (size_t)length + 1, format, again);
    va_end(again);
    return string;
}

size_t arena_size_bytes(const struct arena *arena)
{
    return arena->size_bytes;
}
