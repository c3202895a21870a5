#include "model/containerd_patch.h"

#include "base/memory.h"
#include "base/test.h"

static const char base[] = "version = 2\n"
                           "disabled_plugins = [\"restart\"] # a comment\n"
                           "[plugins.linux]\n"
                           "  shim_debug = true\n"
                           "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n"
                           "  runtime_type = \"io.containerd.runc.v2\"\n";

/* What is below the values of the first level. */
static const char tables[] =
    "\n[plugins]\n"
    "  [plugins.'io.containerd.grpc.v1.cri']\n"
    "    [plugins.'io.containerd.grpc.v1.cri'.containerd]\n"
    "      [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes]\n"
    "        [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\n"
    "          runtime_type = 'io.containerd.runc.v2'\n"
    "\n"
    "  [plugins.linux]\n"
    "    shim_debug = true\n";

struct patches {
    const char *merge[3], *operations[2];
};

static int patch(const char *config, const struct patches *patches, struct text *text,
                 struct text *unmatched, struct error **err)
{
    struct cluster_spec spec = {.containerd_patches = {patches->merge, 0},
                                .containerd_patches_6902 = {patches->operations, 0}};
    while (spec.containerd_patches.count < COUNT_OF(patches->merge) &&
           patches->merge[spec.containerd_patches.count])
        spec.containerd_patches.count++;
    while (spec.containerd_patches_6902.count < COUNT_OF(patches->operations) &&
           patches->operations[spec.containerd_patches_6902.count])
        spec.containerd_patches_6902.count++;
    return containerd_config_patch(config, strlen(config), &spec, text, unmatched, err);
}

static void values_of_the_first_level(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct patches patches;
        const char *values, *unmatched;
    } rows[] = {
        {"no patches", {{0}, {0}}, "disabled_plugins = ['restart']\nversion = 2\n", ""},
        {"of any version",
         {{"disabled_plugins = []"}, {0}},
         "disabled_plugins = []\nversion = 2\n",
         ""},
        {"in order",
         {{"root = 'a'\ndisabled_plugins = []", "root = 'b'"}, {0}},
         "disabled_plugins = []\nroot = 'b'\nversion = 2\n",
         ""},
        {"of its version only",
         {{"version = 3\nroot = 'c'", "version = 2\nroot = 'd'"}, {0}},
         "disabled_plugins = ['restart']\nroot = 'd'\nversion = 2\n",
         "containerdConfigPatches[0] has no effect: it is for version 3 of containerd's "
         "configuration; the node's is 2\n"},
        {"version 0 is none",
         {{"version = 0\nroot = 'c'"}, {0}},
         "disabled_plugins = ['restart']\nroot = 'c'\nversion = 0\n",
         ""},
        {"a JSON patch",
         {{0}, {"[{\"op\": \"remove\", \"path\": \"/disabled_plugins\"}]"}},
         "version = 2\n",
         ""},
        {"JSON patches after all others",
         {{"root = 'a'"},
          {"[{\"op\": \"replace\", \"path\": \"/root\", \"value\": \"b\"}]",
           "[{\"op\": \"add\", \"path\": \"/disabled_plugins/-\", \"value\": \"x\"}]"}},
         "disabled_plugins = ['restart', 'x']\nroot = 'b'\nversion = 2\n",
         ""},
        {"null is as removed",
         {{0}, {"[{\"op\": \"add\", \"path\": \"/disabled_plugins\", \"value\": null}]"}},
         "version = 2\n",
         ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_text struct text text, unmatched;
        text_init(&text, 0);
        text_init(&unmatched, 0);
        cleanup_error struct error *err = NULL;
        int status = patch(base, &rows[i].patches, &text, &unmatched, &err);
        if (err)
            print_error("%s: %s\n", rows[i].name, err->message);
        assert_int_equal(status, 0);
        cleanup_free char *want = memory_format("%s%s", rows[i].values, tables);
        test_equal(text.data, want);
        test_equal(unmatched.data, rows[i].unmatched);
    }
}

/* The patch that most users have. */
static void a_registry(void **state)
{
    (void)state;
    static const struct patches patches = {
        {"[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"localhost:5000\"]\n"
         "  endpoint = [\"http://kind-registry:5000\"]\n"},
        {0}};
    cleanup_text struct text text;
    text_init(&text, 0);
    cleanup_error struct error *err = NULL;
    assert_int_equal(patch("version = 2\n", &patches, &text, NULL, &err), 0);
    test_equal(text.data,
               "version = 2\n\n[plugins]\n  [plugins.'io.containerd.grpc.v1.cri']\n"
               "    [plugins.'io.containerd.grpc.v1.cri'.registry]\n"
               "      [plugins.'io.containerd.grpc.v1.cri'.registry.mirrors]\n"
               "        [plugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'localhost:5000']\n"
               "          endpoint = ['http://kind-registry:5000']\n");
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *config;
        struct patches patches;
        const char *message;
    } rows[] = {
        {"no TOML",
         "version 2\n",
         {{0}, {0}},
         "containerd's configuration: 1:9: key-value pair: expected '=', saw '2'"},
        {"no version", "root = 'a'\n", {{0}, {0}}, "containerd's configuration has no version"},
        {"version 0", "version = 0\n", {{0}, {0}}, "containerd's configuration has no version"},
        {"no integer",
         "version = 'five'\n",
         {{0}, {0}},
         "containerd's configuration: version is not an integer"},
        {"a merge patch",
         base,
         {{"a = 1", "\n  b ="}, {0}},
         "containerdConfigPatches[1]: 2:6: key-value pair: encountered end-of-file"},
        {"its version",
         base,
         {{"version = '2'"}, {0}},
         "containerdConfigPatches[0]: version is not an integer"},
        {"a JSON patch",
         base,
         {{0}, {"[\n x]"}},
         "containerdConfigPatchesJSON6902[0]: 2:2: no JSON: invalid token near 'x'"},
        {"YAML is no JSON",
         base,
         {{0}, {"- op: remove\n  path: /version\n"}},
         "containerdConfigPatchesJSON6902[0]: 1:1: no JSON: invalid token near '-'"},
        {"what is not there",
         base,
         {{0}, {"[]", "[{\"op\": \"remove\", \"path\": \"/foo\"}]"}},
         "containerdConfigPatchesJSON6902[1]: operation 1: remove \"/foo\": there is nothing to "
         "remove"},
        {"what TOML has not",
         base,
         {{0}, {"[{\"op\": \"add\", \"path\": \"/disabled_plugins/-\", \"value\": null}]"}},
         "containerd's patched configuration: TOML has no null in a list"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_text struct text text, unmatched;
        text_init(&text, 0);
        text_init(&unmatched, 0);
        cleanup_error struct error *err = NULL;
        assert_int_equal(patch(rows[i].config, &rows[i].patches, &text, &unmatched, &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
        test_equal(err->message, rows[i].message);
        test_equal(text.data, "");
        test_equal(unmatched.data, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_the_first_level),
        cmocka_unit_test(a_registry),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("containerd_patch", tests, NULL, NULL);
}
