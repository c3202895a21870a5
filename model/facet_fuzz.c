#include "base/memory.h"
#include "model/facet.h"
#include <stdint.h>

/* Any bytes as a record: no crash, no leak; what is read, printed and read again is the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct facet *a, const struct facet *b)
{
    bool same_node = a->node && b->node ? strcmp(a->node, b->node) == 0 : a->node == b->node;
    return strcmp(a->path, b->path) == 0 && strcmp(a->value, b->value) == 0 && same_node &&
           a->change == b->change;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_error struct error *err = NULL;
    struct facet_list facets, again;
    if (facet_record_parse(arena, (const char *)data, size, &facets, &err) < 0)
        return 0;
    cleanup_text struct text text;
    text_init(&text, 0);
    facet_record_print("a", &facets, &text);
    if (facet_record_fits("a", &facets) != (text.length <= FACET_RECORD_BYTES_MAX))
        abort();
    if (text.length > FACET_RECORD_BYTES_MAX) /* escapes may make it longer than it was */
        return 0;
    if (facet_record_parse(arena, text.data, text.length, &again, &err) < 0 ||
        again.count != facets.count)
        abort();
    for (size_t i = 0; i < facets.count; i++) {
        if (!is_same(&facets.items[i], &again.items[i]))
            abort();
        if (i > 0 && strcmp(facets.items[i - 1].path, facets.items[i].path) >= 0)
            abort();
    }
    (void)facet_shape(arena, &facets, "a-control-plane");
    return 0;
}
