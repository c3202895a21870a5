#include "model/json_patch.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

/*
 * testdata/json_patch holds the public suite of json-patch-tests. Every case
 * that is not marked "disabled" there is run, and there is no exception list:
 * all of them hold. What the suite leaves open is in the rows.
 */

static json_t *parse(const char *text)
{
    json_error_t problem;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &problem);
    if (!value)
        fail_msg("%s: %s", text, problem.text);
    return value;
}

/* Rows are written with single quotes. */
static json_t *parse_row(const char *text)
{
    cleanup_free char *quoted = memory_string(text);
    for (char *c = quoted; *c; c++)
        if (*c == '\'')
            *c = '"';
    return parse(quoted);
}

static char *print(const json_t *value)
{
    return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
}

static void check_suite_case(const json_t *record)
{
    const json_t *document = json_object_get(record, "doc");
    const json_t *expected = json_object_get(record, "expected");
    json_auto_t *before = json_deep_copy(document);
    cleanup_error struct error *err = NULL;
    json_auto_t *result = patch_6902_apply(document, json_object_get(record, "patch"), &err);
    /* The patch has effect in the result alone. */
    assert_true(json_equal(document, before));
    if (json_object_get(record, "error")) {
        assert_null(result);
        assert_non_null(err);
        assert_int_equal(err->kind, ERROR_INVALID);
        return;
    }
    if (err)
        print_error("%s\n", err->message);
    assert_non_null(result);
    cleanup_free char *got = print(result), *want = expected ? print(expected) : NULL;
    if (want)
        test_equal(got, want);
}

static void run_suite(const char *path, size_t enabled_wanted)
{
    cleanup_free char *text = test_read_file(path);
    json_auto_t *records = parse(text);
    size_t i, enabled = 0;
    const json_t *record;
    json_array_foreach(records, i, record)
    {
        const json_t *comment = json_object_get(record, "comment");
        cleanup_free char *name =
            memory_format("%s [%zu] %s", path, i, comment ? json_string_value(comment) : "");
        if (json_is_true(json_object_get(record, "disabled")))
            continue;
        test_row(name);
        check_suite_case(record);
        enabled++;
    }
    /* So that a file that went missing in part is not taken for a pass. */
    assert_int_equal(enabled, enabled_wanted);
}

static void public_suite(void **state)
{
    (void)state;
    run_suite("model/testdata/json_patch/tests.json", 75);
    run_suite("model/testdata/json_patch/spec_tests.json", 16);
}

static void results(void **state)
{
    (void)state;
    static const struct {
        const char *name, *document, *patch, *want;
    } rows[] = {
        {"nothing to do", "[1]", "[]", "[1]"},
        {"a scalar document", "'foo'", "[{'op':'replace','path':'','value':'bar'}]", "'bar'"},
        {"test of the whole", "{'foo':1}", "[{'op':'test','path':'','value':{'foo':1}}]",
         "{'foo':1}"},
        {"numbers by value", "{'a':[1,{'b':2.0}]}",
         "[{'op':'test','path':'/a','value':[1.0,{'b':2}]}]", "{'a':[1,{'b':2.0}]}"},
        {"the value of a patch is copied", "{}",
         "[{'op':'add','path':'/a','value':{}},{'op':'copy','from':'/a','path':'/b'},"
         "{'op':'add','path':'/a/x','value':1}]",
         "{'a':{'x':1},'b':{}}"},
        {"tilde, slash and nothing", "{'~':{'/':{'':[1]}}}",
         "[{'op':'add','path':'/~0/~1//-','value':2}]", "{'~':{'/':{'':[1,2]}}}"},
        {"~01 is ~1", "{'~1':1}", "[{'op':'remove','path':'/~01'}]", "{}"},
        {"- is a name in a map", "{}", "[{'op':'add','path':'/-','value':1}]", "{'-':1}"},
        {"move up", "{'a':{'b':1}}", "[{'op':'move','from':'/a/b','path':'/a'}]", "{'a':1}"},
        {"move inside a list", "[1,2,3]", "[{'op':'move','from':'/0','path':'/2'}]", "[2,3,1]"},
        {"copy into itself", "{'a':{}}", "[{'op':'copy','from':'','path':'/a/b'}]",
         "{'a':{'b':{'a':{}}}}"},
        {"replace in the middle", "[1,2,3]", "[{'op':'replace','path':'/1','value':9}]", "[1,9,3]"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_auto_t *document = parse_row(rows[i].document), *patch = parse_row(rows[i].patch);
        json_auto_t *wanted = parse_row(rows[i].want);
        cleanup_error struct error *err = NULL;
        json_auto_t *result = patch_6902_apply(document, patch, &err);
        if (err)
            print_error("%s: %s\n", rows[i].name, err->message);
        assert_non_null(result);
        cleanup_free char *got = print(result), *want = print(wanted);
        test_equal(got, want);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *document, *patch, *message;
    } rows[] = {
        {"no list", "{}", "{}", "a JSON patch is a list of operations"},
        {"no map", "{}", "[1]", "operation 1: it is not a map with a string \"op\""},
        {"op", "{}", "[{'op':'spam','path':''}]",
         "operation 1: \"spam\" is none of add, remove, replace, move, copy and test"},
        {"no path", "{}", "[{'op':'remove'}]",
         "operation 1: remove: \"path\" is missing, or is no string"},
        {"no from", "{}", "[{'op':'copy','path':'/a','from':1}]",
         "operation 1: copy: \"from\" is missing, or is no string"},
        {"no value", "{}", "[{'op':'add','path':'/a'}]", "operation 1: add: \"value\" is missing"},
        {"pointer", "{}", "[{'op':'remove','path':'a'}]",
         "operation 1: remove: \"a\" is not a JSON Pointer: it does not begin with a slash"},
        {"tilde", "{}", "[{'op':'remove','path':'/a~b'}]",
         "operation 1: remove: \"/a~b\" is not a JSON Pointer: \"~\" is written \"~0\" and "
         "\"/\" inside a name \"~1\""},
        {"tilde at the end", "{}", "[{'op':'remove','path':'/a~'}]",
         "operation 1: remove: \"/a~\" is not a JSON Pointer: \"~\" is written \"~0\" and "
         "\"/\" inside a name \"~1\""},
        {"second", "{'a':1}", "[{'op':'remove','path':'/a'},{'op':'remove','path':'/a'}]",
         "operation 2: remove \"/a\": there is nothing to remove"},
        {"replace", "{}", "[{'op':'replace','path':'/a/b','value':1}]",
         "operation 1: replace \"/a/b\": there is nothing to replace"},
        {"remove all", "{}", "[{'op':'remove','path':''}]",
         "operation 1: remove \"\": the whole document cannot be removed"},
        {"add below nothing", "{}", "[{'op':'add','path':'/a/b','value':1}]",
         "operation 1: add \"/a/b\": what it would be in is not there"},
        {"add below a scalar", "{'a':1}", "[{'op':'add','path':'/a/b','value':1}]",
         "operation 1: add \"/a/b\": what it would be in is neither map nor list"},
        {"past the end", "[1]", "[{'op':'add','path':'/2','value':1}]",
         "operation 1: add \"/2\": \"2\" is no place in a list of 1"},
        {"leading zero", "[1]", "[{'op':'test','path':'/00','value':1}]",
         "operation 1: test \"/00\": there is nothing to test"},
        {"negative", "[1]", "[{'op':'remove','path':'/-1'}]",
         "operation 1: remove \"/-1\": there is nothing to remove"},
        {"remove past the end", "[1]", "[{'op':'remove','path':'/-'}]",
         "operation 1: remove \"/-\": there is nothing to remove"},
        {"beyond numbers", "[1]", "[{'op':'add','path':'/18446744073709551616','value':1}]",
         "operation 1: add \"/18446744073709551616\": \"18446744073709551616\" is no place in a "
         "list of 1"},
        {"test", "{'a':'1'}", "[{'op':'test','path':'/a','value':1}]",
         "operation 1: test \"/a\": the value there is another one"},
        {"test of members", "{'a':{'b':1,'c':2}}",
         "[{'op':'test','path':'/a','value':{'b':1,'d':2}}]",
         "operation 1: test \"/a\": the value there is another one"},
        {"move of nothing", "{}", "[{'op':'move','from':'/a','path':'/b'}]",
         "operation 1: move \"/a\" to \"/b\": there is nothing to move"},
        {"move inside", "{'a':{}}", "[{'op':'move','from':'/a','path':'/a/b'}]",
         "operation 1: move \"/a\" to \"/a/b\": a value cannot be moved into itself"},
        {"copy of nothing", "{}", "[{'op':'copy','from':'/a','path':'/b'}]",
         "operation 1: copy \"/a\" to \"/b\": there is nothing to copy"},
        {"controls", "{}", "[{'op':'remove','path':'/\\u001b[1m'}]",
         "operation 1: remove \"/?[1m\": there is nothing to remove"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_auto_t *document = parse_row(rows[i].document), *patch = parse_row(rows[i].patch);
        cleanup_error struct error *err = NULL;
        json_auto_t *result = patch_6902_apply(document, patch, &err);
        assert_null(result);
        assert_int_equal(err->kind, ERROR_INVALID);
        test_equal(err->message, rows[i].message);
    }
}

/* Doubles the document with each copy. */
static void limit_of_copies(void **state)
{
    (void)state;
    json_auto_t *document = parse("{\"a\": [1]}"), *patch = json_array();
    for (int i = 0; i < 40; i++)
        json_array_append_new(patch, parse_row("{'op':'copy','from':'/a','path':'/a/-'}"));
    cleanup_error struct error *err = NULL;
    assert_null(patch_6902_apply(document, patch, &err));
    test_equal(err->message, "operation 16: copy \"/a\" to \"/a/-\": the patch copies more than "
                             "100000 values");
}

/* Each copy goes to the innermost map, so that it is nested twice as deep after it. */
static void limit_of_depth(void **state)
{
    (void)state;
    json_auto_t *document = parse("{\"a\": {}}"), *patch = json_array();
    for (size_t depth = 1; depth < 500; depth *= 2) {
        cleanup_text struct text path;
        text_init(&path, 0);
        for (size_t i = 0; i <= depth; i++)
            text_add(&path, "/a");
        json_array_append_new(
            patch, json_pack("{s:s, s:s, s:s}", "op", "copy", "from", "/a", "path", path.data));
    }
    cleanup_error struct error *err = NULL;
    assert_null(patch_6902_apply(document, patch, &err));
    assert_non_null(strstr(err->message, "the result would be nested more than 250 deep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_suite),   cmocka_unit_test(results),
        cmocka_unit_test(refusals),       cmocka_unit_test(limit_of_copies),
        cmocka_unit_test(limit_of_depth),
    };
    return cmocka_run_group_tests_name("json_patch", tests, NULL, NULL);
}
