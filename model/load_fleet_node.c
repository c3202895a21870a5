#include "model/load_fleet_node.h"

#include "base/memory.h"
#include "model/load_types.h"
#include "model/quantity.h"
#include "model/validate.h"
#include <ctype.h>

/* 6 MiB and a hundredth of a processor: engines refuse less. */
#define MEMORY_BYTES_MIN (INT64_C(6) * 1024 * 1024)
enum { CPU_MILLI_MIN = 10, LABEL_BYTES_MAX = 63, PREFIX_BYTES_MAX = 253 };

static const char *const taint_effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};

/* Letters and digits, inside also '-', '_' and '.'; at most 63. */
static bool is_label_value(const char *text, size_t length)
{
    if (!length || length > LABEL_BYTES_MAX || !isalnum((unsigned char)text[0]) ||
        !isalnum((unsigned char)text[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    }
    return true;
}

/* "gpu" or "example.com/gpu". */
static bool is_qualified_name(const char *text)
{
    const char *slash = strchr(text, '/');
    const char *name = slash ? slash + 1 : text;
    if (slash) {
        size_t length = (size_t)(slash - text);
        if (!length || length > PREFIX_BYTES_MAX ||
            strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") < length ||
            !isalnum((unsigned char)text[0]) || !isalnum((unsigned char)slash[-1]))
            return false;
    }
    return is_label_value(name, strlen(name));
}

static void check_effect(struct loader *loader, const struct cursor *at, const char *effect)
{
    for (size_t i = 0; taint_effects[i]; i++) {
        if (strcmp(effect, taint_effects[i]) == 0)
            return;
    }
    const char *meant = load_suggest(effect, taint_effects);
    const char *found = problem_quote(loader->problems, effect);
    const char *choices = load_choices(loader, taint_effects);
    if (meant)
        load_error(loader, at, "%s is no effect of a taint; did you mean \"%s\"? It may be %s",
                   found, meant, choices);
    else
        load_error(loader, at, "%s is no effect of a taint; it may be %s", found, choices);
}

static void check_taint(struct loader *loader, const struct cursor *at,
                        const struct taint_spec *taint)
{
    if (!is_qualified_name(taint->key))
        load_error(loader, at, "%s is no key of a taint; write it like gpu or example.com/gpu",
                   problem_quote(loader->problems, taint->key));
    if (*taint->value && !is_label_value(taint->value, strlen(taint->value)))
        load_error(loader, at,
                   "%s is no value of a taint: at most 63 letters and digits, inside also '-', "
                   "'_' and '.'",
                   problem_quote(loader->problems, taint->value));
    check_effect(loader, at, taint->effect);
}

/* "key=value:effect" or "key:effect", as kubectl taint has it. */
static void split_taint(struct loader *loader, const char *text, struct taint_spec *taint)
{
    const char *colon = strrchr(text, ':');
    const char *end = colon ? colon : text + strlen(text);
    const char *equals = memchr(text, '=', (size_t)(end - text));
    const char *value = equals ? equals + 1 : end;
    taint->key = arena_string_n(loader->arena, text, (size_t)((equals ? equals : end) - text));
    taint->value = arena_string_n(loader->arena, value, (size_t)(end - value));
    taint->effect = colon ? colon + 1 : "";
}

static const struct field taint_rows[] = {
    {"key", &type_string, offsetof(struct taint_spec, key), NULL, NULL, .required = true},
    {"value", &type_string, offsetof(struct taint_spec, value), NULL, NULL},
    {"effect", &type_string, offsetof(struct taint_spec, effect), NULL, NULL, .required = true},
    {0},
};
static const struct field_table taint_table = {taint_rows, NULL};

/* False if there is nothing to be judged. */
static bool read_taint(struct loader *loader, const struct cursor *at, struct taint_spec *taint)
{
    size_t errors = loader->problems->errors;
    *taint = (struct taint_spec){0};
    if (at->tree->kind == TREE_SCALAR)
        split_taint(loader, at->tree->scalar, taint);
    else
        fields_read(loader, at, &taint_table, taint);
    taint->value = taint->value ? taint->value : "";
    if (loader->problems->errors > errors || !taint->key || !taint->effect)
        return false;
    check_taint(loader, at, taint);
    return loader->problems->errors == errors;
}

static void read_taints(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    struct node_spec *node = object;
    (void)field;
    if (!load_expect(loader, at, TREE_LIST, "a list of taints"))
        return;
    if (at->tree->count > LOAD_TAINTS_MAX) {
        load_error(loader, at, "%zu taints; a node may have %d", at->tree->count, LOAD_TAINTS_MAX);
        return;
    }
    struct taint_spec *taints = arena_array(loader->arena, at->tree->count, sizeof(*taints));
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        struct taint_spec *taint = &taints[node->taint_count];
        if (!item.tree || !read_taint(loader, &item, taint))
            continue;
        for (size_t j = 0; j < node->taint_count; j++) {
            if (strcmp(taints[j].key, taint->key) == 0 &&
                strcmp(taints[j].effect, taint->effect) == 0)
                load_error(loader, &item, "the node has a taint %s:%s already", taint->key,
                           taint->effect);
        }
        node->taint_count++;
    }
    node->taints = taints;
}

static const struct field_type type_taints = {
    read_taints, FIELD_JSON,
    "{\"type\":\"array\",\"maxItems\":50,\"items\":{\"anyOf\":["
    "{\"type\":\"string\",\"pattern\":\":(NoSchedule|PreferNoSchedule|NoExecute)$\"},"
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"key\",\"effect\"],"
    "\"properties\":{\"key\":{\"type\":\"string\"},\"value\":{\"type\":\"string\"},"
    "\"effect\":{\"enum\":[\"NoSchedule\",\"PreferNoSchedule\",\"NoExecute\"]}}},"
    "{\"type\":\"null\"}]}}"};

/* The amount, or -1 with a report. */
static int64_t read_quantity(struct loader *loader, const struct cursor *at,
                             enum quantity_unit unit, const char *example)
{
    int64_t amount;
    if (!load_expect(loader, at, TREE_SCALAR, example))
        return -1;
    if (quantity_parse(at->tree->scalar, unit, &amount))
        return amount;
    load_report_type(loader, at, example);
    return -1;
}

static void read_memory(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    int64_t *slot = field_slot(field, object);
    int64_t bytes = read_quantity(loader, at, QUANTITY_ONES, "an amount of memory like 2Gi");
    if (bytes >= 0 && bytes < MEMORY_BYTES_MIN)
        load_error(loader, at, "%s is too little: engines refuse less than 6Mi",
                   problem_quote(loader->problems, at->tree->scalar));
    else if (bytes > 0)
        *slot = bytes;
}

static void read_cpus(struct loader *loader, const struct cursor *at, const struct field *field,
                      void *object)
{
    int32_t *slot = field_slot(field, object);
    int64_t milli =
        read_quantity(loader, at, QUANTITY_THOUSANDTHS, "a number of processors like 2 or 500m");
    if (milli >= 0 && (milli < CPU_MILLI_MIN || milli > INT32_MAX))
        load_error(loader, at, "%s is not possible: engines want 10m at least",
                   problem_quote(loader->problems, at->tree->scalar));
    else if (milli > 0)
        *slot = (int32_t)milli;
}

#define QUANTITY_JSON(pattern)                                                                     \
    "{\"anyOf\":[{\"type\":\"number\",\"exclusiveMinimum\":0},"                                    \
    "{\"type\":\"string\",\"pattern\":\"" pattern "\"}]}"

static const struct field_type type_memory = {
    read_memory, FIELD_JSON, QUANTITY_JSON("^[0-9.]+([kMGTPE]|[KMGTP]i|[eE][0-9]+)?$")};
static const struct field_type type_cpus = {read_cpus, FIELD_JSON, QUANTITY_JSON("^[0-9.]+m?$")};

static const struct field resources_rows[] = {
    {"memory", &type_memory, offsetof(struct resources_spec, memory_bytes), NULL,
     "Memory of the container, as 2Gi"},
    {"cpus", &type_cpus, offsetof(struct resources_spec, cpu_milli), NULL,
     "Processors of the container, as 2, 1.5 or 500m"},
    {0},
};
static const struct field_table resources_table = {resources_rows, NULL};

static void read_key(struct loader *loader, const struct cursor *at, const struct field *field,
                     void *object)
{
    const char **slot = field_slot(field, object);
    read_string(loader, at, field, object);
    if (*slot && !validate_node_key(loader, at, *slot))
        *slot = NULL;
}

static const struct field_type type_key = {
    read_key, FIELD_JSON, "{\"type\":\"string\",\"pattern\":\"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$\"}"};

static const struct field fleet_node_rows[] = {
    {"name", &type_key, offsetof(struct node_draft, key), NULL,
     "A name that stays when the list changes: the node is called <cluster>-<name>"},
    {"replicas", &type_replicas, offsetof(struct node_draft, replicas), NULL,
     "How many nodes are like this one; 1 by default"},
    {"taints", &type_taints, 0, NULL,
     "Taints of the Kubernetes node: key, value and effect, or key=value:effect"},
    {"resources", &type_mapping, offsetof(struct node_spec, resources), &resources_table,
     "Limits on the node's container"},
    {0},
};
static const struct field_table fleet_node_table = {fleet_node_rows, &node_table};

const struct item_type fleet_node_item = {sizeof(struct node_draft), &fleet_node_table,
                                          node_finish};
