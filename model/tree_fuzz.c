/*
 * Any bytes as YAML: no crash, no leak; and what is read keeps to the limits,
 * has a place everywhere and, if strict, no key twice.
 */
#include "model/tree.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_keys(const struct tree *map)
{
    /* Each key found by name is the entry itself: there is no other of this name. */
    for (size_t i = 0; i < map->count && map->count < 100; i++) {
        assert(map->entries[i].key->kind == TREE_SCALAR);
        assert(tree_get(map, map->entries[i].key->scalar) == map->entries[i].value);
    }
}

static void check_tree(const struct tree *tree, unsigned depth, size_t *nodes)
{
    assert(depth <= TREE_DEPTH_MAX && ++*nodes <= TREE_EXPANDED_MAX);
    assert(tree->place.line > 0 && tree->place.column > 0 && tree->place.file);
    if (tree->kind == TREE_SCALAR) {
        assert(strlen(tree->scalar) <= TREE_SCALAR_BYTES_MAX);
        return;
    }
    for (size_t i = 0; tree->kind == TREE_LIST && i < tree->count; i++)
        check_tree(tree->items[i], depth + 1, nodes);
    for (size_t i = 0; tree->kind == TREE_MAP && i < tree->count; i++)
        check_tree(tree->entries[i].value, depth + 1, nodes);
    if (tree->kind == TREE_MAP)
        check_keys(tree);
}

static void parse(const uint8_t *bytes, size_t length, enum tree_flags flags)
{
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    struct tree_stream stream;
    problem_list_init(&problems, arena);
    int result = tree_parse(arena, "fuzz", (const char *)bytes, length, flags, &stream, &problems);
    assert((result == 0) == (problems.errors == 0));
    for (size_t i = 0; i < stream.count; i++) {
        size_t nodes = 0;
        check_tree(stream.documents[i], 0, &nodes);
    }
    for (size_t i = 0; i < problems.count; i++)
        assert(length > TREE_BYTES_MAX || problems.items[i].place.line > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    parse(bytes, length, TREE_STRICT);
    parse(bytes, length, TREE_LAST_KEY_WINS);
    return 0;
}
