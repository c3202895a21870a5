#include "model/kubeconfig.h"

#include "base/memory.h"
#include "base/test.h"

/* Cases are folders of testdata/kubeconfig: existing.yaml and what is made of it. */
#define FOLDER "model/testdata/kubeconfig/"

static const char server[] = "https://127.0.0.1:34567";

/* kind-lab's entries, made from admin.conf. */
static char *lab_entries(const char *url)
{
    cleanup_free char *admin = test_read_file(FOLDER "admin.conf");
    cleanup_text struct text text;
    text_init(&text, 0);
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_from_admin(admin, "lab", url, &text, &err), 0);
    return text_take(&text);
}

static char *read_case(const char *name, const char *file)
{
    cleanup_free char *path = memory_format(FOLDER "%s/%s", name, file);
    return test_read_file(path);
}

static char *merge(const char *existing, enum kubeconfig_context context)
{
    cleanup_free char *addition = lab_entries(server);
    cleanup_text struct text text;
    text_init(&text, 0);
    cleanup_error struct error *err = NULL;
    int status = kubeconfig_merge("f", existing, "lab", addition, context, &text, &err);
    if (err)
        print_error("%s\n", err->message);
    assert_int_equal(status, 0);
    return text_take(&text);
}

static void admin_conf(void **state)
{
    (void)state;
    test_row("server replaced");
    cleanup_free char *outside = lab_entries(server);
    test_golden(outside, FOLDER "external.yaml");
    test_row("server kept");
    cleanup_free char *inside = lab_entries(NULL);
    test_golden(inside, FOLDER "internal.yaml");
}

static void admin_conf_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *message;
    } rows[] = {
        {"empty", "", "admin.conf has 0 clusters, expected is 1"},
        {"two contexts",
         "clusters: [{name: a}]\ncontexts: [{name: a}, {name: b}]\nusers: [{name: a}]\n",
         "admin.conf has 2 contexts, expected is 1"},
        {"no YAML", "\tx", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_text struct text text;
        text_init(&text, 0);
        cleanup_error struct error *err = NULL;
        assert_int_equal(kubeconfig_from_admin(rows[i].text, "lab", server, &text, &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
        if (rows[i].message)
            test_equal(err->message, rows[i].message);
        test_equal(text.data, "");
    }
}

static void merge_cases(void **state)
{
    (void)state;
    static const char *const rows[] = {"new", "others", "replace", "json", "unset"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i]);
        cleanup_free char *existing = read_case(rows[i], "existing.yaml");
        cleanup_free char *set = merge(existing, KUBECONFIG_SET_CONTEXT);
        cleanup_free char *set_path = memory_format(FOLDER "%s/set.yaml", rows[i]);
        test_golden(set, set_path);
        cleanup_free char *kept = merge(existing, KUBECONFIG_KEEP_CONTEXT);
        cleanup_free char *kept_path = memory_format(FOLDER "%s/kept.yaml", rows[i]);
        test_golden(kept, kept_path);
    }
}

/* What has all of it already stays as it is, form and comments included. */
static void merge_changes_nothing(void **state)
{
    (void)state;
    cleanup_free char *once = merge("", KUBECONFIG_SET_CONTEXT);
    cleanup_free char *commented = memory_format("# mine\n\n%s\n# the end", once);
    test_row("set");
    cleanup_free char *set = merge(commented, KUBECONFIG_SET_CONTEXT);
    test_equal(set, commented);
    test_row("keep");
    cleanup_free char *kept = merge(commented, KUBECONFIG_KEEP_CONTEXT);
    test_equal(kept, commented);
}

static void merge_wants_its_entries(void **state)
{
    (void)state;
    cleanup_free char *addition = lab_entries(server);
    cleanup_text struct text text;
    text_init(&text, 0);
    cleanup_error struct error *err = NULL;
    assert_int_equal(
        kubeconfig_merge("f", "", "other", addition, KUBECONFIG_KEEP_CONTEXT, &text, &err), -1);
    assert_int_equal(err->kind, ERROR_INTERNAL);
}

static void remove_cases(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool changed;
    } rows[] = {{"new", false}, {"others", false}, {"replace", true}, {"json", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *existing = read_case(rows[i].name, "existing.yaml");
        cleanup_text struct text text;
        text_init(&text, 0);
        bool changed = !rows[i].changed;
        cleanup_error struct error *err = NULL;
        assert_int_equal(kubeconfig_remove("f", existing, "lab", &text, &changed, &err), 0);
        assert_int_equal(changed, rows[i].changed);
        cleanup_free char *path = memory_format(FOLDER "%s/removed.yaml", rows[i].name);
        if (changed)
            test_golden(text.data, path);
        else
            test_equal(text.data, "");
    }
}

/* Remove takes away what merge added, the context as well. */
static void remove_after_merge(void **state)
{
    (void)state;
    cleanup_free char *existing = read_case("others", "existing.yaml");
    cleanup_free char *merged = merge(existing, KUBECONFIG_SET_CONTEXT);
    cleanup_text struct text text;
    text_init(&text, 0);
    bool changed = false;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_remove("f", merged, "lab", &text, &changed, &err), 0);
    assert_true(changed);
    test_golden(text.data, FOLDER "others/removed.yaml");
    assert_null(strstr(text.data, "current-context"));
}

static void remove_all_leaves_nothing(void **state)
{
    (void)state;
    static const char config[] = "users:\n- name: kind-lab\n- name: kind-lab\n";
    cleanup_text struct text text;
    text_init(&text, 0);
    bool changed = false;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_remove("f", config, "lab", &text, &changed, &err), 0);
    assert_true(changed);
    assert_int_equal(text.length, 0);
}

static void broken_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *message;
    } rows[] = {
        {"a list", "\n- a\n", "f:2:1: not a kubeconfig: a map is expected"},
        {"a word", "hello", "f:1:1: not a kubeconfig: a map is expected"},
        {"no list", "clusters: {a: b}",
         "f:1:11: not a kubeconfig: clusters, contexts and users are lists"},
        {"no entry", "users:\n- a\n",
         "f:2:3: not a kubeconfig: each of users has a name and a user"},
        {"no name", "users:\n- user: {}\n",
         "f:2:3: not a kubeconfig: each of users has a name and a user"},
        {"no body", "contexts: [{name: a, context: [b]}]",
         "f:1:31: not a kubeconfig: each of contexts has a name and a context"},
        {"two documents", "a: b\n---\nc: d\n",
         "f:3:1: not a kubeconfig: a second document begins here"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_text struct text text;
        text_init(&text, 0);
        bool changed = false;
        cleanup_error struct error *err = NULL;
        assert_int_equal(kubeconfig_remove("f", rows[i].text, "lab", &text, &changed, &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
        test_equal(err->message, rows[i].message);
    }
}

static void broken_yaml_has_a_place(void **state)
{
    (void)state;
    cleanup_text struct text text;
    text_init(&text, 0);
    bool changed = false;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_remove("/home/u/.kube/config", "a: b\nc: [d\ne: f\n", "lab", &text,
                                       &changed, &err),
                     -1);
    assert_memory_equal(err->message, "/home/u/.kube/config:3:", 23);
}

static void access_parts(void **state)
{
    (void)state;
    cleanup_free char *config = merge("", KUBECONFIG_KEEP_CONTEXT);
    struct kubeconfig_access access = {0};
    bool found = false;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_access("f", config, "lab", &access, &found, &err), 0);
    assert_true(found);
    test_equal(access.server, server);
    test_equal(access.ca, "ca pem");
    test_equal(access.certificate, "cert pem");
    test_equal(access.key, "key pem");
    kubeconfig_access_done(&access);
}

static void access_absent(void **state)
{
    (void)state;
    static const char *const rows[] = {"new", "others", "replace"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i]);
        cleanup_free char *config = read_case(rows[i], "existing.yaml");
        struct kubeconfig_access access = {0};
        bool found = true;
        cleanup_error struct error *err = NULL;
        assert_int_equal(kubeconfig_access("f", config, "lab", &access, &found, &err), 0);
        assert_false(found);
        assert_null(access.server);
    }
}

static void access_damaged(void **state)
{
    (void)state;
    static const char config[] =
        "clusters: [{name: kind-lab, cluster: {certificate-authority-data: '%'}}]\n";
    struct kubeconfig_access access = {0};
    bool found = false;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_access("f", config, "lab", &access, &found, &err), -1);
    test_equal(err->message, "f: certificate-authority-data is not base64 of a text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admin_conf),
        cmocka_unit_test(admin_conf_refused),
        cmocka_unit_test(merge_cases),
        cmocka_unit_test(merge_changes_nothing),
        cmocka_unit_test(merge_wants_its_entries),
        cmocka_unit_test(remove_cases),
        cmocka_unit_test(remove_after_merge),
        cmocka_unit_test(remove_all_leaves_nothing),
        cmocka_unit_test(broken_files),
        cmocka_unit_test(broken_yaml_has_a_place),
        cmocka_unit_test(access_parts),
        cmocka_unit_test(access_absent),
        cmocka_unit_test(access_damaged),
    };
    return cmocka_run_group_tests_name("kubeconfig", tests, NULL, NULL);
}
