#include "model/kubeadm_patch.h"

#include "base/memory.h"
#include "base/test.h"

/* Patches work on three small documents: what they match and leave is told by their members. */

struct patches {
    const char *merge[3], *own[3];
    struct json6902_spec json[2], own_json[2];
};

static size_t count_strings(const char *const *strings, size_t max)
{
    size_t count = 0;
    while (count < max && strings[count])
        count++;
    return count;
}

static size_t count_json(const struct json6902_spec *patches)
{
    size_t count = 0;
    while (count < 2 && patches[count].patch)
        count++;
    return count;
}

static json_t *new_documents(void)
{
    return json_pack("[{s:s, s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "apiVersion", "g/v3", "kind", "A",
                     "a", "0", "apiVersion", "g/v3", "kind", "B", "apiVersion", "h/v1", "kind",
                     "C");
}

/* "A {a: 0}; B {}; C {}" without kind and apiVersion, or the error. */
static char *patch(const struct patches *patches, struct text *unmatched)
{
    struct node_spec node = {
        .name = "ci-worker",
        .kubeadm_patches = {patches->own, count_strings(patches->own, 3)},
        .kubeadm_patches_6902 = {patches->own_json, count_json(patches->own_json)}};
    struct cluster_spec spec = {
        .kubeadm_patches = {patches->merge, count_strings(patches->merge, 3)},
        .kubeadm_patches_6902 = {patches->json, count_json(patches->json)}};
    json_auto_t *documents = new_documents();
    cleanup_error struct error *err = NULL;
    if (kubeadm_patch_apply(&spec, &node, documents, unmatched, &err) < 0) {
        assert_int_equal(err->kind, ERROR_INVALID);
        return memory_string(err->message);
    }
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        json_t *document = json_array_get(documents, i);
        text_add(&text, i ? "; " : "");
        text_add(&text, json_string_value(json_object_get(document, "kind")));
        json_object_del(document, "kind");
        json_object_del(document, "apiVersion");
        cleanup_free char *rest = json_dumps(document, JSON_COMPACT);
        text_add_format(&text, " %s", rest);
    }
    return text_take(&text);
}

struct row {
    const char *name;
    struct patches patches;
    const char *want, *unmatched;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row(rows[i].name);
        cleanup_text struct text unmatched;
        text_init(&unmatched, 0);
        cleanup_free char *got = patch(&rows[i].patches, &unmatched);
        test_equal(got, rows[i].want);
        test_equal(unmatched.data, rows[i].unmatched ? rows[i].unmatched : "");
    }
}

#define CHECK_ROWS(rows) check_rows(rows, COUNT_OF(rows))
#define ADD(name, value) "[{op: add, path: /" name ", value: " value "}]"
#define THERE "; there are A, B (g/v3), C (h/v1)\n"

static void matching(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"none", {.merge = {0}}, "A {\"a\":\"0\"}; B {}; C {}", ""},
        {"by kind", {.merge = {"kind: B\nx: 1"}}, "A {\"a\":\"0\"}; B {\"x\":1}; C {}", ""},
        {"by kind and version",
         {.merge = {"kind: C\napiVersion: h/v1\nx: 1"}},
         "A {\"a\":\"0\"}; B {}; C {\"x\":1}",
         ""},
        {"another version",
         {.merge = {"kind: C\napiVersion: h/v2\nx: 1"}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "kubeadmConfigPatches[0] has no effect: it is for C (h/v2)" THERE},
        {"JSON patch of any version",
         {.json = {{"", "", "B", ADD("x", "1"), {0}}}},
         "A {\"a\":\"0\"}; B {\"x\":1}; C {}",
         ""},
        {"JSON patch by group and version",
         {.json = {{"h", "v1", "C", ADD("x", "1"), {0}}, {"g", "v1", "A", ADD("x", "1"), {0}}}},
         "A {\"a\":\"0\"}; B {}; C {\"x\":1}",
         "kubeadmConfigPatchesJSON6902[1] has no effect: it is for A (g/v1)" THERE},
        {"a group alone matches nothing",
         {.json = {{"h", "", "C", ADD("x", "1"), {"ci.yaml", 7, 3}}}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "ci.yaml:7:3: kubeadmConfigPatchesJSON6902[0] has no effect: it is for C (h/)" THERE},
        {"a version alone is one without a group",
         {.json = {{"", "v1", "C", ADD("x", "1"), {0}}}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "kubeadmConfigPatchesJSON6902[0] has no effect: it is for C (v1)" THERE},
        {"no kind",
         {.merge = {"x: 1"}, .own_json = {{"h", "v1", "", ADD("x", "1"), {0}}}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "kubeadmConfigPatches[0] has no effect: it is for nothing, since it has no kind" THERE
         "nodes[ci-worker].kubeadmConfigPatchesJSON6902[0] has no effect: it is for nothing, since "
         "it has no kind" THERE},
        {"matching looks at what was",
         {.merge = {"kind: B\nx: 1"},
          .json = {{"", "", "A", "[{op: replace, path: /kind, value: B}]", {0}},
                   {"", "", "A", ADD("y", "2"), {0}}},
          .own = {"kind: B\nz: 3"}},
         "B {\"a\":\"0\",\"y\":2,\"z\":3}; B {\"x\":1,\"z\":3}; C {}",
         ""},
        {"an empty JSON patch",
         {.json = {{"", "", "A", "# later\n", {0}}}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "kubeadmConfigPatchesJSON6902[0] has no effect: its patch is empty\n"},
    };
    CHECK_ROWS(rows);
}

static void order(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"the last one wins",
         {.merge = {"kind: A\na: 1", "kind: A\na: 2"}},
         "A {\"a\":2}; B {}; C {}",
         ""},
        {"JSON patches after merge patches",
         {.merge = {"kind: A\na: 1"}, .json = {{"", "", "A", ADD("a", "2"), {0}}}},
         "A {\"a\":2}; B {}; C {}",
         ""},
        {"the cluster's before the node's",
         {.merge = {"kind: A\na: 1"},
          .json = {{"", "", "A", ADD("a", "2"), {0}}},
          .own = {"kind: A\na: 3"},
          .own_json = {{"",
                        "",
                        "A",
                        "[{op: test, path: /a, value: 3}, {op: move, from: /a, path: /b}]",
                        {0}}}},
         "A {\"b\":3}; B {}; C {}",
         ""},
        {"null removes", {.merge = {"kind: A\na: ~"}}, "A {}; B {}; C {}", ""},
        {"words of YAML 1.1",
         {.merge = {"kind: B\nx: [y, off, 0x10, 010, '1', 1e3]"}},
         "A {\"a\":\"0\"}; B {\"x\":[true,false,16,8,\"1\",1000]}; C {}",
         ""},
    };
    CHECK_ROWS(rows);
}

static void streams(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"two documents",
         {.merge = {"kind: A\na: 1\n---\nkind: B\nb: 2\n"}},
         "A {\"a\":1}; B {\"b\":2}; C {}",
         ""},
        {"the rest of the line is lost",
         {.merge = {"---\nkind: A\na: 1\n---- b: 3\nkind: B\nb: 2\n--- # end"}},
         "A {\"a\":1}; B {\"b\":2}; C {}",
         ""},
        {"Windows' lines",
         {.merge = {"kind: A\r\na: 1\r\n---\r\nkind: B\r\nb: 2\r\n"}},
         "A {\"a\":1}; B {\"b\":2}; C {}",
         ""},
        {"comments and nothing",
         {.merge = {"# a\n---\n---\n\n---\nkind: A\na: 1\n---\n", ""}},
         "A {\"a\":1}; B {}; C {}",
         ""},
        {"not where it is indented",
         {.merge = {"kind: A\na: |\n  x\n  ---\n  y\n"}},
         "A {\"a\":\"x\\n---\\ny\\n\"}; B {}; C {}",
         ""},
        {"each with its list",
         {.merge = {"kind: A\nc: 1\n---\nkind: D\n---\nkind: E\napiVersion: g/v3\n"}},
         "A {\"a\":\"0\",\"c\":1}; B {}; C {}",
         "a part of kubeadmConfigPatches[0] has no effect: it is for D, E (g/v3)" THERE},
        {"told once",
         {.merge = {"kind: D\n---\nkind: E\n"}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "kubeadmConfigPatches[0] has no effect: it is for D, E" THERE},
        {"side by side for several versions",
         {.merge = {"kind: A\napiVersion: g/v2\na: 2\n---\nkind: A\napiVersion: g/v3\na: 3\n---\n"
                    "kind: A\napiVersion: g/v4\na: 4\n",
                    "kind: A\napiVersion: g/v1\na: 1\n"}},
         "A {\"a\":3}; B {}; C {}",
         ""},
        {"another list is none",
         {.merge = {"kind: A\napiVersion: g/v2\na: 2\n"}, .own = {"kind: A\na: 3\n"}},
         "A {\"a\":3}; B {}; C {}",
         "kubeadmConfigPatches[0] has no effect: it is for A (g/v2)" THERE},
        {"a kind is cut and made plain",
         {.merge =
              {"kind: "
               "\"\\e[1m01234567890123456789012345678901234567890123456789012345678901234\"\n"}},
         "A {\"a\":\"0\"}; B {}; C {}",
         "kubeadmConfigPatches[0] has no effect: it is for "
         "?[1m0123456789012345678901234567890123456789012345678901234…" THERE},
    };
    CHECK_ROWS(rows);
}

static void kubeadm_lists(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"certSANs",
         {.merge = {"kind: A\na: {certSANs: [x]}", "kind: A\na: {certSANs: [z, x]}"}},
         "A {\"a\":{\"certSANs\":[\"x\",\"z\"]}}; B {}; C {}",
         ""},
        {"certSANs that are no list",
         {.merge = {"kind: A\na: {certSANs: x}"}},
         "A {\"a\":{}}; B {}; C {}",
         "kubeadmConfigPatches[0]: extraArgs or certSANs of A have no effect where they are not "
         "lists, as g/v3 has them\n"},
    };
    /* The scalar a of the document gives way to a map first. */
    cleanup_text struct text unmatched;
    text_init(&unmatched, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct patches patches = rows[i].patches;
        patches.own[0] = patches.merge[0];
        patches.own[1] = patches.merge[1];
        patches.merge[0] = "kind: A\na: {}";
        patches.merge[1] = NULL;
        text_clear(&unmatched);
        cleanup_free char *got = patch(&patches, &unmatched);
        test_equal(got, rows[i].want);
        const char *told = strchr(unmatched.data, '.');
        test_equal(told ? told + 1 : "", rows[i].unmatched);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a scalar",
         {.merge = {"kind: A", "foo"}},
         "kubeadmConfigPatches[1]: 1:1: a patch is a map with a kind, and this is something else",
         ""},
        {"a list later",
         {.merge = {"kind: A\n---\n- kind: A\n"}},
         "kubeadmConfigPatches[0]: 3:1: a patch is a map with a kind, and this is something else",
         ""},
        {"no YAML",
         {.own = {"kind: A\n---\n# x\nkind: [\n"}},
         "nodes[ci-worker].kubeadmConfigPatches[0]: 5:1: not valid YAML: did not find expected "
         "node content",
         ""},
        {"a JSON patch that is a map",
         {.json = {{"", "", "A", "op: add", {"ci.yaml", 3, 5}}}},
         "ci.yaml:3:5: kubeadmConfigPatchesJSON6902[0]: a JSON patch is a list of operations",
         ""},
        {"a JSON patch that is no YAML",
         {.json = {{"", "", "A", "[", {"ci.yaml", 3, 5}}}},
         "ci.yaml:3:5: kubeadmConfigPatchesJSON6902[0]: 2:1: not valid YAML: did not find expected "
         "node content",
         ""},
        {"even if it matches nothing",
         {.json = {{"", "", "Z", "1", {0}}}},
         "kubeadmConfigPatchesJSON6902[0]: a JSON patch is a list of operations",
         ""},
        {"what is not there",
         {.own_json = {{"", "", "A", ADD("x", "1"), {0}},
                       {"", "", "B", "[{op: remove, path: /y}]", {"-", 0, 0}}}},
         "-: nodes[ci-worker].kubeadmConfigPatchesJSON6902[1] on B: operation 1: remove \"/y\": "
         "there is nothing to remove",
         ""},
        {"no document is left",
         {.json = {{"", "", "A", "[{op: replace, path: '', value: 1}]", {0}}}},
         "kubeadmConfigPatchesJSON6902[0] on A: it leaves something else than a map",
         ""},
    };
    CHECK_ROWS(rows);
}

/* A document of `length` bytes behind another one. */
static char *patch_of_length(size_t length, struct text *unmatched)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add(&text, "kind: A\n---\nkind: B\nb: ");
    text_add_char(&text, 'x', length - strlen("kind: B\nb: "));
    text_add(&text, "\n---\nkind: C\nc: 1\n");
    struct patches patches = {.merge = {text.data}};
    return patch(&patches, unmatched);
}

static void limit_of_length(void **state)
{
    (void)state;
    cleanup_free char *good = patch_of_length(KUBEADM_PATCH_BYTES_MAX, NULL);
    assert_non_null(strstr(good, "x\"}; C {\"c\":1}"));
    cleanup_free char *bad = patch_of_length(KUBEADM_PATCH_BYTES_MAX + 1, NULL);
    test_equal(bad, "kubeadmConfigPatches[0]: a document of 65536 bytes is longer than 65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching), cmocka_unit_test(order),
        cmocka_unit_test(streams),  cmocka_unit_test(kubeadm_lists),
        cmocka_unit_test(refusals), cmocka_unit_test(limit_of_length),
    };
    return cmocka_run_group_tests_name("kubeadm_patch", tests, NULL, NULL);
}
