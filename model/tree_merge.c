#include "model/tree_merge.h"

#include "base/memory.h"
#include <assert.h>

/* An entry of the lower mapping, found by key: mappings may be large. */
struct lower {
    const struct tree_entry *entry;
    bool covered;
};

static int lower_order(const void *a, const void *b)
{
    const struct lower *left = a, *right = b;
    return strcmp(left->entry->key->scalar, right->entry->key->scalar);
}

static struct lower *sort_entries(struct arena *arena, const struct tree *map)
{
    struct lower *lower = arena_array(arena, map->count, sizeof(*lower));
    for (size_t i = 0; i < map->count; i++)
        lower[i].entry = &map->entries[i];
    if (map->count)
        qsort(lower, map->count, sizeof(*lower), lower_order);
    return lower;
}

static struct lower *find(struct lower *lower, size_t count, const struct tree_entry *entry)
{
    const struct lower wanted = {.entry = entry};
    return count ? bsearch(&wanted, lower, count, sizeof(*lower), lower_order) : NULL;
}

static const struct tree *merge_values(struct arena *arena, const struct tree *over,
                                       const struct tree *under)
{
    if (tree_is_null(over))
        return under;
    if (over->kind == TREE_MAP && under->kind == TREE_MAP)
        return tree_merge(arena, over, under);
    return over;
}

const struct tree *tree_merge(struct arena *arena, const struct tree *over,
                              const struct tree *under)
{
    assert(over->kind == TREE_MAP && under->kind == TREE_MAP);
    struct lower *lower = sort_entries(arena, under);
    struct tree_entry *entries = arena_array(arena, over->count + under->count, sizeof(*entries));
    struct tree *merged = arena_alloc(arena, sizeof(*merged));
    *merged = *over;
    merged->entries = entries;
    for (size_t i = 0; i < over->count; i++) {
        struct lower *below = find(lower, under->count, &over->entries[i]);
        entries[i] = over->entries[i];
        if (!below)
            continue;
        below->covered = true;
        entries[i].value = merge_values(arena, entries[i].value, below->entry->value);
    }
    for (size_t i = 0; i < under->count; i++) {
        if (!lower[i].covered)
            entries[merged->count++] = *lower[i].entry;
    }
    return merged;
}
