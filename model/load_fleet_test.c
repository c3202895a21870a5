/* Single fields of fleet objects; whole files are among load_golden_test's cases. */
#include "model/load_fleet.h"

#include "base/memory.h"
#include "base/test.h"

#define CLUSTER "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n"

static const struct load_options plain_options = {.base_folder = "/base"};

static int load(struct arena *arena, const char *file, const char *yaml,
                const struct load_options *options, struct fleet_spec *fleet,
                struct problem_list *problems)
{
    const struct load_text text = {file, yaml, strlen(yaml)};
    problem_list_init(problems, arena);
    return load_fleet(&text, 1, options, fleet, problems);
}

/* A spec, and what is said of it; places are those after the header. */
static void fields(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *want;
    } rows[] = {
        {"version: v1.20.2", ""},
        {"version: 1.20.2", ""},
        {"version: v1.36.0-alpha.0", ""},
        {"version: ''", "f:4:17: error: spec.version: \"\" is not a version; write it like "
                        "v1.20.2 or 1.20\n"},
        {"version: 1", "f:4:17: error: spec.version: \"1\" is not a version; write it like v1.20.2 "
                       "or 1.20\n"},
        {"version: 1.20-rc", "f:4:17: error: spec.version: \"1.20-rc\" is not a version; write it "
                             "like v1.20.2 or 1.20\n"},
        {"version: 1.20", "f:4:17: error: spec.version: \"1.20\" names no patch version, and no "
                          "Fleet has an image of it; write all three numbers, or spec.images of a "
                          "Fleet\n"},
        {"ttl: 90m", ""},
        {"ttl: 90", "f:4:13: error: spec.ttl: missing unit in duration \"90\"; write for example "
                    "30s or 5m\n"},
        {"expiresAt: 2026-01-31T18:00:00Z", ""},
        {"expiresAt: '2026-01-31T18:00:00.25-01:30'", ""},
        {"expiresAt: 2026-01-31 18:00:00Z",
         "f:4:19: error: spec.expiresAt: \"2026-01-31 18:00:00Z\" is not a time; write it like "
         "2026-01-31T18:00:00Z\n"},
        {"expiresAt: 2026-13-31T18:00:00Z",
         "f:4:19: error: spec.expiresAt: \"2026-13-31T18:00:00Z\" is not a time; write it like "
         "2026-01-31T18:00:00Z\n"},
        {"expiresAt: 2026-01-31T18:00:00", "f:4:19: error: spec.expiresAt: "
                                           "\"2026-01-31T18:00:00\" is not a time; write it like "
                                           "2026-01-31T18:00:00Z\n"},
        {"allow: [~, recreate]", ""},
        {"allow: recreate", "f:4:15: error: spec.allow: expected a list of strings, found the "
                            "string \"recreate\"\n"},
        {"preload: [busybox, ~, kind.local/a:1, a@sha256:01]", ""},
        {"nodes: [{name: a.b-1}]", ""},
        {"nodes: [{name: 1}]", ""},
        {"nodes: [{name: a-}]", "f:4:23: error: spec.nodes[0].name: \"a-\" may hold only a to z, "
                                "0 to 9, '.' and '-', from a letter or digit to one; try \"a\"\n"},
        {"nodes: [{name: ''}]", "f:4:23: error: spec.nodes[0].name: \"\" may hold only a to z, 0 "
                                "to 9, '.' and '-', from a letter or digit to one\n"},
        {"nodes: [{replicas: 3}]", ""},
        {"nodes: [{replicas: 100}]", ""},
        {"nodes: [{taints: [a:NoSchedule, a:NoExecute, b=c:NoSchedule, d=:NoSchedule, ~]}]", ""},
        {"nodes: [{taints: ['a=b:c:NoSchedule']}]",
         "f:4:26: error: spec.nodes[0].taints[0]: \"b:c\" is no value of a taint: at most 63 "
         "letters and digits, inside also '-', '_' and '.'\n"},
        {"nodes: [{taints: ['a/b/c:NoSchedule']}]",
         "f:4:26: error: spec.nodes[0].taints[0]: \"a/b/c\" is no key of a taint; write it like "
         "gpu or example.com/gpu\n"},
        {"nodes: [{taints: ['Example.com/a:NoSchedule']}]",
         "f:4:26: error: spec.nodes[0].taints[0]: \"Example.com/a\" is no key of a taint; write it "
         "like gpu or example.com/gpu\n"},
        {"nodes: [{taints: a}]", "f:4:25: error: spec.nodes[0].taints: expected a list of taints, "
                                 "found the string \"a\"\n"},
        {"nodes: [{resources: {memory: 512Mi}}]", ""},
        {"nodes: [{resources: {cpus: 0.5}}]", ""},
        {"nodes: [{resources: {}}]", ""},
        {"nodes: [{resources: {memory: [1]}}]",
         "f:4:37: error: spec.nodes[0].resources.memory: expected an amount of memory like 2Gi, "
         "found a list\n"},
        {"nodes: [{resources: {cpus: 0}}]",
         "f:4:35: error: spec.nodes[0].resources.cpus: \"0\" is not possible: engines want 10m at "
         "least\n"},
        {"manifests: [a.yaml]", "f:4:20: error: spec.manifests[0]: \"a.yaml\": files cannot be "
                                "read from here\n"},
        {"networking: {ipFamily: ipv6}, nodes: [{extraPortMappings: [{containerPort: 80}]}]", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].yaml);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_free char *yaml = memory_format("%sspec: {%s}\n", CLUSTER, rows[i].yaml);
        cleanup_text struct text got;
        struct problem_list problems;
        struct fleet_spec fleet;
        text_init(&got, 0);
        load(arena, "f", yaml, &plain_options, &fleet, &problems);
        problem_list_print(&problems, &got);
        test_equal(got.data, rows[i].want);
    }
}

/* Relative host paths stand beside the file, not in the working directory. */
static void host_paths(void **state)
{
    (void)state;
    static const struct {
        const char *file, *path, *want;
    } rows[] = {
        {"ci.yaml", "data", "/base/data"},        {"lab/ci.yaml", "data", "/base/lab/data"},
        {"lab/ci.yaml", "../data", "/base/data"}, {"/etc/lab/ci.yaml", "data", "/etc/lab/data"},
        {"../ci.yaml", "data", "/data"},          {"-", "data", "/base/data"},
        {"lab/ci.yaml", "/data", "/data"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].want);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_free char *yaml =
            memory_format("%sspec: {nodes: [{extraMounts: [{hostPath: %s, containerPath: /c}]}]}\n",
                          CLUSTER, rows[i].path);
        struct problem_list problems;
        struct fleet_spec fleet;
        assert_int_equal(load(arena, rows[i].file, yaml, &plain_options, &fleet, &problems), 0);
        test_equal(fleet.clusters[0].nodes[0].mounts[0].host_path, rows[i].want);
    }
}

/* Where there is no folder of this host that the texts lie in. */
static void host_paths_from_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int want;
    } rows[] = {{"/data", 0}, {"data", -1}, {"../data", -1}, {"~/data", -1}, {"''", -1}};
    static const struct load_options options = {.base_folder = "/", .no_host_folder = true};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].path);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_free char *yaml =
            memory_format("%sspec: {nodes: [{extraMounts: [{hostPath: %s, containerPath: /c}]}]}\n",
                          CLUSTER, rows[i].path);
        struct problem_list problems;
        struct fleet_spec fleet;
        assert_int_equal(load(arena, "lab/ci.yaml", yaml, &options, &fleet, &problems),
                         rows[i].want);
    }
}

/* The image of a node, from the weakest wish to the strongest. */
static void images(void **state)
{
    (void)state;
    static const char fleet_yaml[] =
        "---\napiVersion: fleet.kind/v1alpha1\nkind: Fleet\nspec:\n  images: {1.20.2: two, "
        "v1.20.10: ten, 1.20.11-rc.1: eleven, '1.21': minor, 1.21.3: three}\n";
    static const struct {
        const char *spec, *override, *want;
    } rows[] = {
        {"", NULL, NULL},
        {"version: 1.20.2", NULL, "two"},
        {"version: v1.20.2", NULL, "two"},
        {"version: 1.20.10", NULL, "ten"},
        {"version: '1.20'", NULL, "eleven"},
        {"version: v1.20", NULL, "eleven"},
        {"version: 1.21", NULL, "minor"},
        {"version: 1.21.4", NULL, "kindest/node:v1.21.4"},
        {"version: 1.20.2, nodes: [{image: own}]", NULL, "own"},
        {"version: 1.20.2, nodes: [{image: own}]", "given", "given"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].spec);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_free char *yaml =
            memory_format("%sspec: {%s}\n%s", CLUSTER, rows[i].spec, fleet_yaml);
        const struct load_options options = {.base_folder = "/base", .image = rows[i].override};
        struct problem_list problems;
        struct fleet_spec fleet;
        assert_int_equal(load(arena, "f", yaml, &options, &fleet, &problems), 0);
        test_equal(fleet.clusters[0].nodes[0].image, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(host_paths),
        cmocka_unit_test(host_paths_from_elsewhere),
        cmocka_unit_test(images),
    };
    return cmocka_run_group_tests_name("load fleet", tests, NULL, NULL);
}
