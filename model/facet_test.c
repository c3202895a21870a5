#include "model/facet.h"

#include "base/memory.h"
#include "base/test.h"
#include <string.h>

/* Everything that a spec can say, said. */
static const char long_patch[] =
    "kind: ClusterConfiguration\napiServer:\n  extraArgs:\n    v: \"4\"\n";
static const char *const patches[] = {long_patch, "kind: InitConfiguration"};
static const struct json6902_spec patches_6902[] = {{.group = "kubeadm.k8s.io",
                                                     .version = "v1beta2",
                                                     .kind = "ClusterConfiguration",
                                                     .patch = "[]"}};
static const char *const domains[] = {"lab.example", "example"};
static const struct pair gates[] = {{"Alpha", "true"}, {"Beta", "false"}};
static const struct pair runtime[] = {{"api/alpha", "false"}};
static const struct pair labels[] = {{"disk", "fast"}, {"tier", "db"}};
static const struct mount_spec mounts[] = {{.host_path = "/data", .container_path = "/var/data"},
                                           {.host_path = "/odd:one,two",
                                            .container_path = "/x",
                                            .read_only = true,
                                            .selinux_relabel = true,
                                            .propagation = MOUNT_BIDIRECTIONAL}};
static const struct port_spec ports[] = {
    {.container_port = 80, .host_port = 8080, .listen_address = "127.0.0.1"},
    {.container_port = 53, .host_port = -1, .listen_address = "::", .protocol = PORT_UDP}};

static const struct taint_spec taints[] = {
    {.key = "gpu", .value = "", .effect = "NoSchedule"},
    {.key = "example.com/gpu", .value = "yes", .effect = "NoExecute"}};
static const char *const images[] = {"kind.local/app:1", "busybox"};
static const struct manifest_spec manifests[] = {{.path = "app.yaml", .text = "kind: Service\n"},
                                                 {.path = "../b/[c].yaml", .text = ""}};

static const struct node_spec full_nodes[] = {
    {.role = NODE_CONTROL_PLANE,
     .name = "a-control-plane",
     .labels = {labels, 2},
     .mounts = mounts,
     .mount_count = 2,
     .ports = ports,
     .port_count = 2,
     .kubeadm_patches = {patches, 1},
     .kubeadm_patches_6902 = {patches_6902, 1}},
    {.role = NODE_WORKER,
     .name = "a-worker",
     .image = "kind.local/node:v1.20.2",
     .taints = taints,
     .taint_count = 2,
     .resources = {.memory_bytes = INT64_C(1) << 31, .cpu_milli = 1500}}};

static const struct cluster_spec full = {.name = "a",
                                         .nodes = full_nodes,
                                         .node_count = 2,
                                         .networking = {.api_server_address = "127.0.0.1",
                                                        .pod_subnet = "10.244.0.0/16",
                                                        .service_subnet = "10.96.0.0/16",
                                                        .dns_search_set = true,
                                                        .dns_search = {domains, 2}},
                                         .feature_gates = {gates, 2},
                                         .runtime_config = {runtime, 1},
                                         .kubeadm_patches = {patches, 2},
                                         .kubeadm_patches_6902 = {patches_6902, 1},
                                         .containerd_patches = {patches, 1},
                                         .containerd_patches_6902 = {patches, 1},
                                         .preload = {images, 2},
                                         .manifests = manifests,
                                         .manifest_count = 2};

static void print(const struct facet_list *facets, struct text *text)
{
    for (size_t i = 0; i < facets->count; i++) {
        const struct facet *facet = &facets->items[i];
        text_add_format(text, "%s = %s [%s%s%s]\n", facet->path, facet->value,
                        change_class_name(facet->change), facet->node ? " of " : "",
                        facet->node ? facet->node : "");
    }
}

static void test_full(void **state)
{
    (void)state;
    test_row("full");
    cleanup_arena struct arena *arena = arena_new();
    struct facet_list facets;
    spec_facets(arena, &full, &facets);
    cleanup_text struct text text;
    text_init(&text, 0);
    print(&facets, &text);
    test_golden(text.data, "model/testdata/facet/full.txt");
}

/* What is printed is read again as it was: paths, values, nodes and classes. */
static void test_record(void **state)
{
    (void)state;
    test_row("record");
    cleanup_arena struct arena *arena = arena_new();
    struct facet_list before, after;
    spec_facets(arena, &full, &before);
    cleanup_text struct text record, want, got;
    text_init(&record, 0), text_init(&want, 0), text_init(&got, 0);
    facet_record_print("a", &before, &record);
    test_golden(record.data, "model/testdata/facet/record.json");
    struct error *err = NULL;
    assert_int_equal(facet_record_parse(arena, record.data, record.length, &after, &err), 0);
    print(&before, &want);
    print(&after, &got);
    test_equal(got.data, want.data);
    assert_true(facet_record_fits("a", &before));
}

/* Of a message only the beginning is wanted: the rest may be jansson's words. */
static void test_record_of_others(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json, *want;
    } rows[] = {
        {"empty", "{\"version\":1,\"cluster\":\"a\",\"facets\":{}}", ""},
        {"sorted again",
         "{\"facets\":{\"runtimeConfig[b]\":\"1\",\"featureGates[a]\":\"2\"},"
         "\"cluster\":\"a\",\"version\":1}",
         "featureGates[a] = 2 [recreate]\nruntimeConfig[b] = 1 [recreate]\n"},
        {"unknown paths",
         "{\"version\":1,\"cluster\":\"a\",\"facets\":{\"x\":\"1\",\"nodes[n].y\":\"2\","
         "\"nodes[n\":\"3\",\"nodes[n].role\":\"worker\",\"role\":\"4\",\"labels\":\"5\"}}",
         "labels = 5 [recreate]\nnodes[n = 3 [recreate]\nnodes[n].role = worker [replace of n]\n"
         "nodes[n].y = 2 [recreate of n]\nrole = 4 [recreate]\nx = 1 [recreate]\n"},
        {"not JSON", "{", "record: 1:"},
        {"nothing", "", "record: 1:"},
        {"a list", "[]", "record: no version"},
        {"more after it", "{\"version\":1,\"cluster\":\"a\",\"facets\":{}}x", "record: 1:40: "},
        {"twice the same", "{\"version\":1,\"version\":1}", "record: 1:22: duplicate"},
        {"no version", "{\"cluster\":\"a\",\"facets\":{}}", "record: no version"},
        {"a later version", "{\"version\":2,\"cluster\":\"a\",\"facets\":{}}",
         "record: version 2 is not known"},
        {"no cluster", "{\"version\":1,\"facets\":{}}", "record: no cluster"},
        {"no facets", "{\"version\":1,\"cluster\":\"a\"}", "record: facets is not an object"},
        {"facets in a list", "{\"version\":1,\"cluster\":\"a\",\"facets\":[]}",
         "record: facets is not an object"},
        {"a number", "{\"version\":1,\"cluster\":\"a\",\"facets\":{\"x\":1}}",
         "record: facet x is not a string"},
        {"something else", "{\"version\":1,\"cluster\":\"a\",\"facets\":{},\"y\":1}",
         "record: unknown field y"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct facet_list facets = {0};
        cleanup_text struct text text;
        text_init(&text, 0);
        if (facet_record_parse(arena, rows[i].json, strlen(rows[i].json), &facets, &err) < 0)
            text_add_bytes(&text, err->message, strnlen(err->message, strlen(rows[i].want)));
        print(&facets, &text);
        test_equal(text.data, rows[i].want);
        assert_true(!err || err->kind == ERROR_INVALID);
    }
}

static void test_limits(void **state)
{
    (void)state;
    test_row("limits");
    cleanup_arena struct arena *arena = arena_new();
    struct facet_list facets = {0};
    struct error *err = NULL;
    char *large = arena_alloc(arena, FACET_RECORD_BYTES_MAX + 2);
    memset(large, ' ', FACET_RECORD_BYTES_MAX + 1);
    assert_int_equal(facet_record_parse(arena, large, FACET_RECORD_BYTES_MAX + 1, &facets, &err),
                     -1);
    test_equal(err->message, "record: 65537 bytes, more than 65536");
    error_free(err);
    err = NULL;

    cleanup_text struct text many;
    text_init(&many, 0);
    text_add(&many, "{\"version\":1,\"cluster\":\"a\",\"facets\":{");
    for (int i = 0; i <= FACET_MAX; i++)
        text_add_format(&many, "%s\"%d\":\"\"", i ? "," : "", i);
    text_add(&many, "}}");
    assert_int_equal(facet_record_parse(arena, many.data, many.length, &facets, &err), -1);
    test_equal(err->message, "record: 4097 facets, more than 4096");
    error_free(err);
}

/* One control plane "n", with one thing changed. */
static const char *shape_of(struct arena *arena, const struct cluster_spec *cluster,
                            const struct node_spec *node)
{
    struct cluster_spec spec = *cluster;
    spec.nodes = node;
    spec.node_count = 1;
    struct facet_list facets;
    spec_facets(arena, &spec, &facets);
    return facet_shape(arena, &facets, node->name);
}

static void test_shape(void **state)
{
    (void)state;
    test_row("shape");
    cleanup_arena struct arena *arena = arena_new();
    const struct node_spec plain = {.name = "n"};
    const struct cluster_spec cluster = {.name = "a",
                                         .networking = {.api_server_address = "127.0.0.1",
                                                        .pod_subnet = "p",
                                                        .service_subnet = "s"}};
    const char *shape = shape_of(arena, &cluster, &plain);
    /* It publishes the API, which stands apart. */
    assert_int_equal(strlen(shape), 64 + 1 + 16);
    assert_int_equal(strspn(shape, "0123456789abcdef"), 64);
    assert_int_equal(strspn(shape + 65, "0123456789abcdef"), 16);
    test_equal(shape_of(arena, &cluster, &plain), shape);

    struct node_spec node = plain;
    node.labels = (struct pair_list){labels, 1};
    test_equal(shape_of(arena, &cluster, &node), shape);
    node.taints = taints;
    node.taint_count = 1;
    test_equal(shape_of(arena, &cluster, &node), shape);
    node.image = "i";
    assert_string_not_equal(shape_of(arena, &cluster, &node), shape);

    struct cluster_spec other = cluster;
    other.networking.dns_search_set = true;
    assert_string_not_equal(shape_of(arena, &other, &plain), shape);
    other = cluster;
    other.preload = (struct string_list){images, 1};
    test_equal(shape_of(arena, &other, &plain), shape);
    node = plain;
    node.resources.cpu_milli = 500;
    assert_string_not_equal(shape_of(arena, &cluster, &node), shape);
    other = cluster;
    other.networking.pod_subnet = "q";
    assert_string_not_equal(shape_of(arena, &other, &plain), shape);
}

/* A node's shape does not depend on its neighbours. */
static void test_shape_of_neighbours(void **state)
{
    (void)state;
    test_row("neighbours");
    cleanup_arena struct arena *arena = arena_new();
    struct cluster_spec alone = full;
    alone.node_count = 1;
    struct facet_list both, one;
    spec_facets(arena, &full, &both);
    spec_facets(arena, &alone, &one);
    test_equal(facet_shape(arena, &both, "a-control-plane"),
               facet_shape(arena, &one, "a-control-plane"));
    assert_string_not_equal(facet_shape(arena, &both, "a-worker"),
                            facet_shape(arena, &both, "a-control-plane"));
}

/* Names that begin alike, in any order that '-', digits and ']' may give their paths. */
static void test_nodes(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "a-worker", "a-worker-b", "a-worker10", "a-worker2"};
    cleanup_arena struct arena *arena = arena_new();
    for (unsigned has = 1; has < 1U << COUNT_OF(names); has++) {
        struct node_spec nodes[COUNT_OF(names)] = {{0}};
        struct cluster_spec spec = full;
        spec.nodes = nodes;
        spec.node_count = 0;
        struct facet_list facets;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            if (has & 1U << i)
                nodes[spec.node_count++].name = names[i];
        }
        spec_facets(arena, &spec, &facets);
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            if (facet_list_has_node(&facets, names[i]) != (bool)(has & 1U << i))
                fail_msg("set %#x: %s", has, names[i]);
        }
        assert_false(facet_list_has_node(&facets, "a-work"));
        assert_false(facet_list_has_node(&facets, "zz"));
        for (size_t i = 0; i < facets.count; i++) {
            const struct facet *facet = &facets.items[i];
            const struct facet again = facet_of_path(arena, facet->path, facet->value);
            test_equal(again.field, facet->field);
            assert_int_equal(strncmp(facet->field, "nodes[", 6) == 0, 0);
            assert_ptr_equal(facet->field,
                             facet->node ? strstr(facet->path, "].") + 2 : facet->path);
        }
    }
}

/* What is on a line stays on it; the rest becomes a digest, also what is not UTF-8. */
static void test_values(void **state)
{
    (void)state;
    static const char digest[] = "sha256:";
    static const struct {
        const char *name, *image;
        bool as_is;
    } rows[] = {
        {"plain", "kind.local/node:v1", true},
        {"not ASCII",
         "n\xc3\xb6"
         "de",
         true},
        {"empty", "", true},
        {"two lines", "a\nb", false},
        {"an escape", "\x1b[2J", false},
        {"not UTF-8",
         "n\xf6"
         "de",
         false},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct node_spec node = {.name = "n", .image = rows[i].image};
        struct cluster_spec spec = full;
        spec.nodes = &node;
        spec.node_count = 1;
        struct facet_list facets;
        spec_facets(arena, &spec, &facets);
        const char *value = NULL;
        for (size_t j = 0; j < facets.count; j++) {
            if (strcmp(facets.items[j].path, "nodes[n].image") == 0)
                value = facets.items[j].value;
        }
        assert_non_null(value);
        if (rows[i].as_is)
            test_equal(value, rows[i].image);
        else
            assert_true(strncmp(value, digest, strlen(digest)) == 0 && strlen(value) == 19);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_of_others),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_shape_of_neighbours),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests_name("facet", tests, NULL, NULL);
}
