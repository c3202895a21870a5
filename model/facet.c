#include "model/facet.h"

#include "base/memory.h"
#include "model/facet_table.h"
#include "model/facet_value.h"

const char *change_class_name(enum change_class change)
{
    switch (change) {
    case CHANGE_LIVE:
        return "live";
    case CHANGE_REMOVE:
        return "remove";
    case CHANGE_REPLACE:
        return "replace";
    case CHANGE_RECREATE:
        return "recreate";
    case CHANGE_DELETE:
        return "delete";
    }
    return "unknown";
}

int facet_compare(const void *a, const void *b)
{
    const struct facet *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static bool applies(const struct facet_row *row, const struct facet_builder *b, bool is_entrance)
{
    switch (row->scope) {
    case FACET_OF_CLUSTER:
        return !b->node && !b->entrance;
    case FACET_OF_NODE:
        return b->node;
    case FACET_OF_ENTRANCE:
        return is_entrance;
    }
    return false;
}

/* The load balancer publishes the API server, else the only control plane does. */
static bool is_entrance(const struct facet_builder *b)
{
    if (b->spec->balancer)
        return b->entrance;
    return b->node && b->node == spec_first_control_plane(b->spec);
}

static void add_rows(struct facet_builder *b)
{
    for (size_t i = 0; i < facet_row_count; i++) {
        if (!applies(&facet_rows[i], b, is_entrance(b)))
            continue;
        b->field = facet_rows[i].field;
        b->change = facet_rows[i].change;
        facet_rows[i].add(b);
    }
}

void spec_facets(struct arena *arena, const struct cluster_spec *spec, struct facet_list *facets)
{
    struct facet_builder builder = {.arena = arena, .spec = spec};
    add_rows(&builder);
    for (size_t i = 0; i < spec->node_count; i++) {
        builder.node = &spec->nodes[i];
        add_rows(&builder);
    }
    builder.node = NULL;
    builder.entrance = spec->balancer;
    if (builder.entrance)
        add_rows(&builder);
    if (builder.count)
        qsort(builder.items, builder.count, sizeof(*builder.items), facet_compare);
    *facets = (struct facet_list){.items = builder.items, .count = builder.count};
}

/* For bsearch: where "nodes[NAME]." stands to a path. */
static int compare_node(const void *key, const void *item)
{
    static const char begin[] = "nodes[", end[] = "].";
    const char *node = key, *path = ((const struct facet *)item)->path;
    size_t length = strlen(node);
    int order = strncmp(begin, path, strlen(begin));
    if (order == 0)
        order = strncmp(node, path + strlen(begin), length);
    return order != 0 ? order : strncmp(end, path + strlen(begin) + length, strlen(end));
}

bool facet_list_has_node(const struct facet_list *facets, const char *node)
{
    return facets->count &&
           bsearch(node, facets->items, facets->count, sizeof(*facets->items), compare_node);
}

bool facet_is_entrance(const struct facet *facet)
{
    for (size_t i = 0; facet->node && i < facet_row_count; i++) {
        if (facet_rows[i].scope == FACET_OF_ENTRANCE &&
            strcmp(facet_rows[i].field, facet->field) == 0)
            return true;
    }
    return false;
}

static void add_shape(struct text *text, const struct facet *facet)
{
    text_add_bytes(text, facet->path, strlen(facet->path) + 1);
    text_add_bytes(text, facet->value, strlen(facet->value) + 1);
}

const char *facet_shape(struct arena *arena, const struct facet_list *facets, const char *node)
{
    cleanup_text struct text text, entrance;
    text_init(&text, 0);
    text_init(&entrance, 0);
    for (size_t i = 0; i < facets->count; i++) {
        const struct facet *facet = &facets->items[i];
        if (facet->change < CHANGE_REPLACE || (facet->node && strcmp(facet->node, node) != 0))
            continue;
        add_shape(facet_is_entrance(facet) ? &entrance : &text, facet);
    }
    char hex[FACET_HASH_DIGITS + 1], entrance_hex[FACET_HASH_DIGITS + 1];
    facet_hash(text.data, text.length, hex);
    if (!entrance.length)
        return arena_string(arena, hex);
    facet_hash(entrance.data, entrance.length, entrance_hex);
    return arena_format(arena, "%s-%.16s", hex, entrance_hex);
}

bool facet_shape_is_like(const char *shape, const char *other)
{
    size_t length = strcspn(shape, "-");
    return length == strcspn(other, "-") && strncmp(shape, other, length) == 0;
}

const char *facet_digest(struct arena *arena, const struct facet_list *facets)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < facets->count; i++) {
        text_add_bytes(&text, facets->items[i].path, strlen(facets->items[i].path) + 1);
        text_add_bytes(&text, facets->items[i].value, strlen(facets->items[i].value) + 1);
    }
    char hex[FACET_HASH_DIGITS + 1];
    facet_hash(text.data, text.length, hex);
    return arena_string(arena, hex);
}

struct facet facet_of_path(struct arena *arena, const char *path, const char *value)
{
    static const char prefix[] = "nodes[";
    struct facet facet = {.path = arena_string(arena, path),
                          .value = arena_string(arena, value),
                          .change = CHANGE_RECREATE};
    const char *end = NULL;
    facet.field = facet.path;
    if (strncmp(path, prefix, strlen(prefix)) == 0)
        end = strstr(facet.path, "].");
    if (end) {
        const char *name = facet.path + strlen(prefix);
        facet.node = arena_string_n(arena, name, (size_t)(end - name));
        facet.field = end + 2;
    }
    size_t length = strcspn(facet.field, "[");
    for (size_t i = 0; i < facet_row_count; i++) {
        const char *known = facet_rows[i].field;
        if ((facet_rows[i].scope != FACET_OF_CLUSTER) == (facet.node != NULL) &&
            strlen(known) == length && memcmp(known, facet.field, length) == 0)
            facet.change = facet_rows[i].change;
    }
    return facet;
}
