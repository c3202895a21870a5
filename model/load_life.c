#include "model/load_life.h"

#include "base/duration.h"
#include "base/memory.h"
#include "model/load_cluster.h"
#include "model/load_types.h"
#include "model/moment.h"

enum { MS_IN_S = 1000 };

/* Whole seconds, rounded up. */
static void read_ttl(struct loader *loader, const struct cursor *at, const struct field *field,
                     void *object)
{
    cleanup_error struct error *err = NULL;
    const struct field row = {.name = field->name};
    const char *text = NULL;
    uint64_t ms = 0, *slot = field_slot(field, object);
    read_string(loader, at, &row, &text);
    if (!text)
        return;
    if (duration_parse(text, &ms, &err))
        load_error(loader, at, "%s", err->message);
    else if (!ms)
        load_error(loader, at, "%s is no time to live; leave it out for a cluster that stays",
                   problem_quote(loader->problems, text));
    *slot = (ms + MS_IN_S - 1) / MS_IN_S;
}

static void read_moment(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    const struct field row = {.name = field->name};
    const char *text = NULL;
    read_string(loader, at, &row, &text);
    if (text && !moment_parse(text, field_slot(field, object)))
        load_error(loader, at, "%s is not a time; write it like 2026-01-31T18:00:00Z",
                   problem_quote(loader->problems, text));
}

static const char *const permissions[] = {"replace-nodes", "recreate", "delete", NULL};

static bool holds(const struct string_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

static void read_allow(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    struct cluster_spec *spec = object;
    struct string_list words = {0};
    const struct field row = {.name = field->name, .detail = permissions};
    type_words.read(loader, at, &row, &words);
    spec->allow_replace = holds(&words, permissions[0]);
    spec->allow_recreate = holds(&words, permissions[1]);
    spec->allow_delete = holds(&words, permissions[2]);
}

/* Names, each with its place: whether there are such clusters is known when all are read. */
static void read_dependencies(struct loader *loader, const struct cursor *at,
                              const struct field *field, void *object)
{
    struct cluster_spec *spec = object;
    struct string_list names = {0};
    size_t errors = loader->problems->errors, count = 0;
    const struct field row = {.name = field->name};
    read_strings(loader, at, &row, &names);
    if (loader->problems->errors > errors || !names.count)
        return;
    if (names.count > LOAD_DEPENDENCIES_MAX) {
        load_error(loader, at, "%zu clusters; one may depend on %d", names.count,
                   LOAD_DEPENDENCIES_MAX);
        return;
    }
    struct dependency_spec *items = arena_array(loader->arena, names.count, sizeof(*items));
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        if (!item.tree)
            continue;
        items[count] = (struct dependency_spec){names.items[count], item.place};
        count++;
    }
    spec->depends_on = items;
    spec->dependency_count = count;
}

static void read_count(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    const struct field row = {.name = field->name};
    size_t errors = loader->problems->errors;
    int32_t number = 0;
    read_int32(loader, at, &row, &number);
    if (loader->problems->errors > errors)
        return;
    if (number < 1 || number > LOAD_COUNT_MAX) {
        load_error(loader, at, "%d is not from 1 to %d", (int)number, LOAD_COUNT_MAX);
        return;
    }
    uint32_t count = (uint32_t)number;
    memcpy(field_slot(field, object), &count, sizeof(count));
}

const struct field_type type_count = {read_count, FIELD_JSON,
                                      "{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000}"};

static const struct field_type type_ttl = {
    read_ttl, FIELD_JSON, "{\"type\":\"string\",\"pattern\":\"^([0-9.]+(ms|s|m|h))+$\"}"};
static const struct field_type type_moment = {read_moment, FIELD_JSON,
                                              "{\"type\":\"string\",\"format\":\"date-time\"}"};
static const struct field_type type_allow = {read_allow, FIELD_WORDS, NULL};
static const struct field_type type_dependencies = {
    read_dependencies, FIELD_JSON,
    "{\"type\":\"array\",\"maxItems\":100,\"items\":{\"type\":[\"string\",\"null\"]}}"};

static const struct field life_rows[] = {
    {"suspend", &type_bool, offsetof(struct cluster_spec, suspend), NULL,
     "Leave this cluster alone, only report what differs"},
    {"ttl", &type_ttl, offsetof(struct cluster_spec, ttl_s), NULL,
     "How long the cluster lives, as 72h"},
    {"expiresAt", &type_moment, offsetof(struct cluster_spec, expires_at_s), NULL,
     "When the cluster ends"},
    {"protect", &type_bool, offsetof(struct cluster_spec, protect), NULL,
     "Never delete or recreate the cluster"},
    {"allow", &type_allow, 0, permissions, "Destructive changes that need no further permission"},
    {"dependsOn", &type_dependencies, 0, NULL, "Clusters that must be Ready before"},
    {0},
};
const struct field_table life_table = {life_rows, &cluster_shape_table};
