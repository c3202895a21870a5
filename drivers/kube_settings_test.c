/* Rows: what a Node has, what the spec and the record say, and what is changed. */
#include "drivers/kube_settings.h"

#include "base/memory.h"
#include "base/test.h"

/* The spec of every row: a label and a taint that may differ, and a taint without a value. */
static const struct pair labels[] = {{"tier", "a"}};
static const struct taint_spec taints[] = {{"gpu", "x", "NoSchedule"}, {"gpu", "", "NoExecute"}};
static const struct node_spec full = {
    .name = "n", .labels = {labels, 1}, .taints = taints, .taint_count = COUNT_OF(taints)};
static const struct node_spec empty = {.name = "n"};

/* The record of every row: what the spec says, something more, and another node's. */
static const struct facet facets[] = {
    {.path = "nodes[m].labels[zone]", .value = "b"},
    {.path = "nodes[n].labels[a.b/c]", .value = "1"},
    {.path = "nodes[n].labels[tier]", .value = "a"},
    {.path = "nodes[n].taints[gpu:NoSchedule]", .value = "x"},
    {.path = "nodes[n].taints[old:NoSchedule]", .value = ""},
};
static const struct facet_list applied = {facets, COUNT_OF(facets)};

#define GPU "{\"key\":\"gpu\",\"effect\":\"NoSchedule\",\"value\":\"x\"}"
#define GPU_OUT "{\"key\":\"gpu\",\"effect\":\"NoExecute\"}"
#define OTHER "{\"key\":\"old\",\"effect\":\"NoExecute\"}"
#define OLD "{\"key\":\"old\",\"effect\":\"NoSchedule\"}"
#define CHANGES(labels) "{\"metadata\":{\"resourceVersion\":\"7\",\"labels\":{" labels "}}"
#define TAINTS(taints) ",\"spec\":{\"taints\":[" taints "]}"

static const struct {
    const char *name;
    const struct node_spec *spec;
    const struct facet_list *applied;
    const char *labels, *taints, *patch, *drift;
} rows[] = {
    {"all is well", &full, &applied, "\"tier\":\"a\",\"mine\":\"1\"", GPU "," GPU_OUT, NULL, NULL},
    {"another order, and taints of others", &full, &applied, "\"tier\":\"a\"",
     OTHER "," GPU_OUT "," GPU, NULL, NULL},
    {"nothing is there", &full, NULL, "", "", CHANGES("\"tier\":\"a\"") TAINTS(GPU "," GPU_OUT) "}",
     "label tier is missing, taint gpu:NoSchedule is missing, taint gpu:NoExecute is missing"},
    {"other values", &full, NULL, "\"tier\":\"b\"",
     "{\"key\":\"gpu\",\"effect\":\"NoSchedule\",\"value\":\"y\"}," OTHER "," GPU_OUT,
     CHANGES("\"tier\":\"a\"") TAINTS(OTHER "," GPU_OUT "," GPU) "}",
     "label tier is 'b', not 'a', taint gpu:NoSchedule is 'y', not 'x'"},
    {"the spec had more", &full, &applied, "\"tier\":\"a\",\"a.b/c\":\"1\",\"zone\":\"b\"",
     GPU "," OLD "," GPU_OUT, CHANGES("\"a.b/c\":null") TAINTS(GPU "," GPU_OUT) "}", NULL},
    {"the spec has nothing left", &empty, &applied, "\"tier\":\"a\",\"zone\":\"b\"",
     GPU "," GPU_OUT "," OTHER, CHANGES("\"tier\":null") TAINTS(GPU_OUT "," OTHER) "}", NULL},
    {"nothing is known of before", &empty, NULL, "\"tier\":\"a\"", GPU, NULL, NULL},
    {"labels alone", &full, NULL, "", GPU "," GPU_OUT, CHANGES("\"tier\":\"a\"") "}",
     "label tier is missing"},
    {"the last taint", &empty, &applied, "", OLD, CHANGES("") TAINTS("") "}", NULL},
};

static void says_what_to_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_free char *text = memory_format(
            "{\"metadata\":{\"resourceVersion\":\"7\",\"labels\":{%s}},\"spec\":{\"taints\":[%s]}}",
            rows[i].labels, rows[i].taints);
        json_t *node = json_loads(text, 0, NULL);
        assert_non_null(node);
        json_t *patch = kube_settings_patch(node, rows[i].spec, rows[i].applied);
        cleanup_free char *got = json_dumps(patch, JSON_COMPACT);
        test_equal(got, rows[i].patch);
        test_equal(kube_settings_drift(arena, node, rows[i].spec), rows[i].drift);
        json_decref(patch);
        json_decref(node);
    }
}

/* A young Node has none of it. */
static void bears_bare_nodes(void **state)
{
    (void)state;
    static const char *const nodes[] = {"{}", "{\"metadata\":{},\"spec\":{}}",
                                        "{\"metadata\":[],\"spec\":{\"taints\":{}}}"};
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        test_row(nodes[i]);
        json_t *node = json_loads(nodes[i], 0, NULL);
        assert_null(kube_settings_patch(node, &empty, &applied));
        json_t *patch = kube_settings_patch(node, &full, &applied);
        assert_non_null(patch);
        json_decref(patch);
        json_decref(node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_to_change),
        cmocka_unit_test(bears_bare_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
