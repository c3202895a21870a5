#include "model/tree.h"

#include "model/tree_events.h"
#include <assert.h>

/*
 * DESIGN: a composer by recursion over libyaml's events. The depth is checked
 * before a collection's first child is asked for, since libyaml's time grows
 * with the square of open brackets. An alias shares the anchored node's
 * children; the number of nodes and the depth that who walks the tree would
 * meet are counted as if they had been written out.
 */

struct anchor {
    const char *name;
    const struct tree *tree;
    size_t nodes;    /* in it, aliases expanded */
    unsigned height; /* 0 for a scalar */
    bool open;       /* still being composed: an alias would be a cycle */
};

struct composer {
    struct event_reader reader;
    struct arena *arena;
    struct problem_list *problems;
    enum tree_flags flags;
    struct anchor *anchors; /* of this document */
    size_t anchor_count, nodes;
    size_t aliases; /* of the stream */
    bool failed;    /* a problem that did not end the reading */
};

static const struct tree *compose(struct composer *composer, const struct event *event,
                                  unsigned depth, unsigned *height);

static int count_nodes(struct composer *composer, struct place place, size_t count)
{
    composer->nodes += count;
    if (composer->nodes > TREE_EXPANDED_MAX)
        return events_fail_limit(&composer->reader, place,
                                 "values in one document, aliases expanded", TREE_EXPANDED_MAX);
    return 0;
}

static struct tree *new_tree(struct composer *composer, const struct event *event,
                             enum tree_kind kind)
{
    if (count_nodes(composer, event->place, 1))
        return NULL;
    struct tree *tree = arena_alloc(composer->arena, sizeof(*tree));
    *tree = (struct tree){.kind = kind,
                          .place = event->place,
                          .tag = event->tag,
                          .scalar = event->text,
                          .plain = event->plain};
    return tree;
}

/* Opens the anchor of an event, if it has one; its slot + 1, 0 for none, -1 past the limit. */
static long open_anchor(struct composer *composer, const struct event *event,
                        const struct tree *tree)
{
    if (!event->anchor)
        return 0;
    if (composer->anchor_count == TREE_ANCHORS_MAX)
        return events_fail_limit(&composer->reader, event->place, "anchors in one document",
                                 TREE_ANCHORS_MAX);
    composer->anchors = arena_grow(composer->arena, composer->anchors, composer->anchor_count,
                                   sizeof(*composer->anchors));
    composer->anchors[composer->anchor_count] = (struct anchor){
        .name = event->anchor, .tree = tree, .nodes = composer->nodes, .open = true};
    return (long)++composer->anchor_count;
}

static void close_anchor(struct composer *composer, long slot, unsigned height)
{
    if (!slot)
        return;
    struct anchor *anchor = &composer->anchors[slot - 1];
    anchor->nodes = composer->nodes - anchor->nodes + 1; /* it was counted before it was opened */
    anchor->height = height;
    anchor->open = false;
}

/* The latest of this name: a later anchor hides an earlier one. */
static const struct anchor *find_anchor(const struct composer *composer, const char *name)
{
    for (size_t i = composer->anchor_count; i > 0; i--) {
        if (strcmp(composer->anchors[i - 1].name, name) == 0)
            return &composer->anchors[i - 1];
    }
    return NULL;
}

static int check_depth(const struct composer *composer, struct place place, size_t depth)
{
    if (depth > TREE_DEPTH_MAX)
        return events_fail_limit(&composer->reader, place, "levels of nesting", TREE_DEPTH_MAX);
    return 0;
}

static const struct tree *expand_alias(struct composer *composer, const struct event *event,
                                       unsigned depth, unsigned *height)
{
    const struct anchor *anchor = find_anchor(composer, event->anchor);
    const char *name = problem_quote(composer->problems, event->anchor);
    if (!anchor || anchor->open) {
        problem_add(composer->problems, event->place,
                    anchor ? "the alias %s stands inside the value that it names"
                           : "the alias %s has no anchor before it in this document",
                    name);
        return NULL;
    }
    if (++composer->aliases > TREE_ALIASES_MAX) {
        events_fail_limit(&composer->reader, event->place, "aliases", TREE_ALIASES_MAX);
        return NULL;
    }
    if (count_nodes(composer, event->place, anchor->nodes) ||
        check_depth(composer, event->place, (size_t)depth + anchor->height))
        return NULL;
    struct tree *tree = arena_alloc(composer->arena, sizeof(*tree));
    *tree = *anchor->tree;
    tree->place = event->place;
    *height = anchor->height;
    return tree;
}

static const struct tree *compose_scalar(struct composer *composer, const struct event *event)
{
    struct tree *tree = new_tree(composer, event, TREE_SCALAR);
    if (!tree)
        return NULL;
    long anchor = open_anchor(composer, event, tree);
    if (anchor < 0)
        return NULL;
    close_anchor(composer, anchor, 0);
    return tree;
}

/* The next child of a collection: *child is NULL at its end. */
static int compose_child(struct composer *composer, yaml_event_type_t end, unsigned depth,
                         const struct tree **child, unsigned *height)
{
    struct event event;
    unsigned below = 0;
    *child = NULL;
    if (events_next(&composer->reader, &event))
        return -1;
    if (event.type == end)
        return 0;
    *child = compose(composer, &event, depth, &below);
    if (*child && *height < below + 1)
        *height = below + 1;
    return *child ? 0 : -1;
}

static int compose_items(struct composer *composer, struct tree *list, unsigned depth,
                         unsigned *height)
{
    const struct tree **items = NULL, *item;
    for (;;) {
        if (compose_child(composer, YAML_SEQUENCE_END_EVENT, depth, &item, height))
            return -1;
        if (!item)
            break;
        items = arena_grow(composer->arena, items, list->count, sizeof(struct tree *));
        items[list->count++] = item;
    }
    list->items = items;
    return 0;
}

/* Entries while a map is composed: its own, then (after `own`) those merged into it. */
struct entries {
    struct tree_entry *items;
    size_t count, own;
};

static void add_entry(const struct composer *composer, struct entries *entries,
                      struct tree_entry entry)
{
    entries->items =
        arena_grow(composer->arena, entries->items, entries->count, sizeof(struct tree_entry));
    entries->items[entries->count++] = entry;
}

static bool is_merge(const struct tree *key)
{
    return key->plain && strcmp(key->scalar, "<<") == 0 &&
           (!key->tag || strcmp(key->tag, "tag:yaml.org,2002:merge") == 0);
}

static int merge_map(struct composer *composer, struct entries *entries, const struct tree *map)
{
    if (map->kind != TREE_MAP)
        return events_fail(&composer->reader, map->place,
                           "a merge key (<<) needs a mapping, or a list of them");
    for (size_t i = 0; i < map->count; i++)
        add_entry(composer, entries, map->entries[i]);
    return 0;
}

static int merge(struct composer *composer, struct entries *entries, const struct tree *value)
{
    if (value->kind != TREE_LIST)
        return merge_map(composer, entries, value);
    for (size_t i = 0; i < value->count; i++) {
        if (merge_map(composer, entries, value->items[i]))
            return -1;
    }
    return 0;
}

/* Entries by key, and of one key in the order of the text. */
static int entry_order(const void *a, const void *b)
{
    const struct tree_entry *left = *(struct tree_entry *const *)a;
    const struct tree_entry *right = *(struct tree_entry *const *)b;
    int order = strcmp(left->key->scalar, right->key->scalar);
    return order ? order : left < right ? -1 : left > right;
}

static void report_duplicate(struct composer *composer, const struct tree *first,
                             const struct tree *again)
{
    problem_add(composer->problems, again->place, "duplicate key %s: it already stands at %s:%u:%u",
                problem_quote(composer->problems, again->scalar), first->place.file,
                first->place.line, first->place.column);
    composer->failed = true;
}

/*
 * Decides among entries of one key (sorted[0..count), in the order of the
 * text) and clears the keys of those that lose: own ones beat merged ones, an
 * earlier merged one beats a later.
 */
static void settle_key(struct composer *composer, const struct entries *entries,
                       struct tree_entry **sorted, size_t count)
{
    const struct tree_entry *end_of_own = entries->items + entries->own;
    size_t keep = 0;
    for (size_t i = 1; i < count && sorted[i] < end_of_own; i++) {
        if (composer->flags & TREE_LAST_KEY_WINS)
            keep = i;
        else
            report_duplicate(composer, sorted[0]->key, sorted[i]->key);
    }
    for (size_t i = 0; i < count; i++) {
        if (i != keep)
            sorted[i]->key = NULL;
    }
}

/* Leaves one entry a key. By sorting, since maps may be large. */
static void settle_keys(struct composer *composer, struct entries *entries)
{
    size_t count = entries->count, kept = 0;
    struct tree_entry **sorted = arena_array(composer->arena, count, sizeof(struct tree_entry *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries->items[i];
    qsort(sorted, count, sizeof(struct tree_entry *), entry_order);
    for (size_t from = 0, to; from < count; from = to) {
        const char *key = sorted[from]->key->scalar;
        for (to = from + 1; to < count && strcmp(sorted[to]->key->scalar, key) == 0;)
            to++;
        settle_key(composer, entries, sorted + from, to - from);
    }
    for (size_t i = 0; i < count; i++) {
        if (entries->items[i].key)
            entries->items[kept++] = entries->items[i];
    }
    entries->count = kept;
}

static int compose_entry_list(struct composer *composer, struct entries *own,
                              struct entries *merges, unsigned depth, unsigned *height)
{
    for (;;) {
        struct tree_entry entry;
        if (compose_child(composer, YAML_MAPPING_END_EVENT, depth, &entry.key, height))
            return -1;
        if (!entry.key)
            return 0;
        if (entry.key->kind != TREE_SCALAR)
            return events_fail(&composer->reader, entry.key->place,
                               "a key must be a word, not a list or mapping");
        if (compose_child(composer, YAML_NO_EVENT, depth, &entry.value, height))
            return -1;
        assert(entry.value);
        add_entry(composer, is_merge(entry.key) ? merges : own, entry);
    }
}

static int compose_entries(struct composer *composer, struct tree *map, unsigned depth,
                           unsigned *height)
{
    struct entries all = {0}, merges = {0};
    if (compose_entry_list(composer, &all, &merges, depth, height))
        return -1;
    all.own = all.count;
    for (size_t i = 0; i < merges.count; i++) {
        if (i > 0 && !(composer->flags & TREE_LAST_KEY_WINS))
            report_duplicate(composer, merges.items[0].key, merges.items[i].key);
        if (merge(composer, &all, merges.items[i].value))
            return -1;
    }
    settle_keys(composer, &all);
    map->entries = all.items;
    map->count = all.count;
    return 0;
}

static const struct tree *compose_collection(struct composer *composer, const struct event *event,
                                             unsigned depth, unsigned *height)
{
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    if (check_depth(composer, event->place, (size_t)depth + 1))
        return NULL;
    struct tree *tree = new_tree(composer, event, is_list ? TREE_LIST : TREE_MAP);
    if (!tree)
        return NULL;
    long anchor = open_anchor(composer, event, tree);
    if (anchor < 0)
        return NULL;
    *height = 1;
    if (is_list ? compose_items(composer, tree, depth + 1, height)
                : compose_entries(composer, tree, depth + 1, height))
        return NULL;
    close_anchor(composer, anchor, *height);
    return tree;
}

/* The node that begins with this event; *height is how many levels of collections it has. */
static const struct tree *compose(struct composer *composer, const struct event *event,
                                  unsigned depth, unsigned *height)
{
    *height = 0;
    if (event->type == YAML_ALIAS_EVENT)
        return expand_alias(composer, event, depth, height);
    if (event->type == YAML_SCALAR_EVENT)
        return compose_scalar(composer, event);
    return compose_collection(composer, event, depth, height);
}

static int compose_document(struct composer *composer, struct tree_stream *stream)
{
    struct event event;
    unsigned height;
    composer->anchors = NULL;
    composer->anchor_count = composer->nodes = 0;
    if (events_next(&composer->reader, &event))
        return -1;
    const struct tree *root = compose(composer, &event, 0, &height);
    if (!root || events_next(&composer->reader, &event))
        return -1;
    stream->documents =
        arena_grow(composer->arena, stream->documents, stream->count, sizeof(struct tree *));
    stream->documents[stream->count++] = root;
    return 0;
}

static int compose_stream(struct composer *composer, struct tree_stream *stream)
{
    struct event event;
    for (;;) {
        if (events_next(&composer->reader, &event))
            return -1;
        if (event.type == YAML_STREAM_END_EVENT)
            return composer->failed ? -1 : 0;
        if (event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (stream->count == TREE_DOCUMENTS_MAX)
            return events_fail_limit(&composer->reader, event.place, "documents",
                                     TREE_DOCUMENTS_MAX);
        if (compose_document(composer, stream))
            return -1;
    }
}

int tree_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
               enum tree_flags flags, struct tree_stream *stream, struct problem_list *problems)
{
    struct composer composer = {
        .reader =
            {.arena = arena, .problems = problems, .file = file, .bytes = bytes, .length = length},
        .arena = arena,
        .problems = problems,
        .flags = flags,
    };
    *stream = (struct tree_stream){0};
    if (length > TREE_BYTES_MAX)
        return events_fail_limit(&composer.reader, (struct place){.file = file}, "bytes",
                                 TREE_BYTES_MAX);
    events_init(&composer.reader);
    int result = compose_stream(&composer, stream);
    events_done(&composer.reader);
    return result;
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    if (map->kind != TREE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->entries[i].key->scalar, key) == 0)
            return map->entries[i].value;
    }
    return NULL;
}

bool tree_is_null(const struct tree *tree)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (tree->kind != TREE_SCALAR)
        return false;
    if (tree->tag ? strcmp(tree->tag, YAML_NULL_TAG) != 0 : !tree->plain)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(tree->scalar, words[i]) == 0)
            return true;
    }
    return false;
}
