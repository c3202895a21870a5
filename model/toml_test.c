#include "model/toml.h"

#include "base/memory.h"
#include "base/test.h"

static json_t *read(const char *text)
{
    cleanup_error struct error *err = NULL;
    json_t *value = toml_read(text, strlen(text), &err);
    if (err)
        fail_msg("%s: %s", text, err->message);
    return value;
}

static void text_to_json(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"nothing", "", "{}"},
        {"scalars", "s = \"a\\tb\\u00e9\"\nl = 'c:\\d'\ni = 0x1F\nf = 1.0\nb = true\n",
         "{\"b\":true,\"f\":1.0,\"i\":31,\"l\":\"c:\\\\d\",\"s\":\"a\\tb\xc3\xa9\"}"},
        {"tables", "a.b = 1\n[c.'d.e']\nf = {g = [1, 'x', {h = []}]}\n[[k]]\n[[k]]\nl = 2\n",
         "{\"a\":{\"b\":1},\"c\":{\"d.e\":{\"f\":{\"g\":[1,\"x\",{\"h\":[]}]}}},\"k\":[{},{\"l\":2}"
         "]"
         "}"},
        {"strings over lines", "a = \"\"\"\nx\\\n   y\"\"\"\"\nb = '''\n'q'\n'''\n",
         "{\"a\":\"xy\\\"\",\"b\":\"'q'\\n\"}"},
        {"times are strings",
         "a = 1979-05-27T07:32:00Z\nb = 1979-05-27T00:32:00.999-07:30\nc = 1979-05-27\n"
         "d = 07:32:00.000001\ne = 1979-05-27 07:32:01\nf = 1979-05-27T07:32:00+01:00\n",
         "{\"a\":\"1979-05-27T07:32:00Z\",\"b\":\"1979-05-27T00:32:00.999-07:30\",\"c\":\"1979-05-"
         "27\",\"d\":\"07:32:00.000001\",\"e\":\"1979-05-27T07:32:01\",\"f\":\"1979-05-27T07:32:00+"
         "01:00\"}"},
        {"a letter after a break", "a = \"\"\"x\\\n\xc3\xa9\xd1\x9d\"\"\"\n",
         "{\"a\":\"x\xc3\xa9\xd1\x9d\"}"},
        {"the ends of integers", "a = 9223372036854775807\nb = -9223372036854775808\n",
         "{\"a\":9223372036854775807,\"b\":-9223372036854775808}"},
        {"Windows' lines", "a = 1\r\n[b]\r\nc = 2\r\n", "{\"a\":1,\"b\":{\"c\":2}}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_auto_t *value = read(rows[i].text);
        cleanup_free char *got = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
        test_equal(got, rows[i].want);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *begins;
    } rows[] = {
        {"no value", "a = 1\nbc =\n", "2:5: key-value pair: expected value"},
        {"twice", "a = 1\na = 2\n", "2:5: key-value pair: cannot redefine existing integer 'a'"},
        {"no key", "\n\n  = 1\n", "3:3: root table: "},
        {"no TOML", "\xf0\x9f\x97\xbf", "1:1: "},
        {"a bracket in a header", "[{", "1:2: key: expected bare key starting character"},
        {"a letter in a bare key", "a\xc3\xa9 = 1", "1:2: key-value pair: expected '=', saw '"},
        {"no UTF-8", "a = '\xff'", "1:5: "},
        {"open string", "a = \"b\nc = 1\n", "1:7: string: "},
        {"infinity", "a = 1\nb = [inf]\n", "2:6: a value that JSON does not have"},
        {"not a number", "a = nan\n", "1:5: a value that JSON does not have"},
        {"NUL", "a = \"\\u0000\"\n", "1:5: a value that JSON does not have"},
        {"NUL in a key", "\"\\u0000\" = 1\n", "1:1: a key holds a NUL"},
        {"too large", "a = 9223372036854775808\n", "1:24: decimal integer: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_error struct error *err = NULL;
        assert_null(toml_read(rows[i].text, strlen(rows[i].text), &err));
        assert_int_equal(err->kind, ERROR_INVALID);
        cleanup_free char *begin = memory_string_n(err->message, strlen(rows[i].begins));
        test_equal(begin, rows[i].begins);
    }
}

/* One unit, many times, between a beginning and an end. */
static void check_depth(const char *name, const char *begin, const char *unit, const char *end,
                        bool refused)
{
    test_row(name);
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add(&text, begin);
    for (int i = 0; i < 200; i++)
        text_add(&text, unit);
    text_add(&text, end);
    cleanup_error struct error *err = NULL;
    json_auto_t *value = toml_read(text.data, text.length, &err);
    bool too_deep = err && strstr(err->message, ": nested more than 100 deep");
    if (refused != too_deep)
        fail_msg("%s: %s", name, err ? err->message : "was read");
    if (!refused)
        assert_non_null(value);
}

static void limits(void **state)
{
    (void)state;
    check_depth("dotted key", "a = 1\nb", ".c", " = 1\n", true);
    check_depth("header", "[b", ".c", "]\n", true);
    check_depth("lists", "a = ", "[", "", true);
    check_depth("inline tables", "a = ", "{b = ", "", true);
    check_depth("keys in inline tables", "a = ", "{b.c.d.e = ", "", true);
    check_depth("dots of quoted keys", "a", ".\"b\"", " = 1\n", true);
    check_depth("dots in a string", "a = \"", ".", "\"\n", false);
    check_depth("dots in a text", "a = '''\n''", "..\n.[{", "'''''\nb = 1\n", false);
    check_depth("dots in a comment", "# ", "..", "\na = 1\n", false);
    check_depth("escapes", "a = \"", "\\\"...\\\\", "\" # \"\n", false);
    check_depth("many short ones", "a = [\n", "{b.c = [1.5]}, 0.25,\n", "]\n", false);
    check_depth("many lines", "", "# x\n", "a.b = 1\n", false);
    cleanup_error struct error *err = NULL;
    assert_null(toml_read("", TOML_BYTES_MAX + 1, &err));
    test_equal(err->message, "1:1: more than 1 MiB");
}

static void json_to_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json, *want;
    } rows[] = {
        {"nothing", "{}", ""},
        {"sorted, values first", "{\"b\":{\"y\":1,\"x\":2},\"c\":[1,[\"x\",true]],\"a\":{}}",
         "c = [1, ['x', true]]\n\n[a]\n\n[b]\n  x = 2\n  y = 1\n"},
        {"deep", "{\"a\":{\"b\":{\"c\":{\"d\":1}},\"e\":{\"f\":2}}}",
         "[a]\n  [a.b]\n    [a.b.c]\n      d = 1\n\n  [a.e]\n    f = 2\n"},
        {"quotes", "{\"a b\":\"it's\",\"\":\"\\\"\\\\\",\"c.d\":\"\\u0001\\n\\u007f'\",\"k'\":0}",
         "'' = '\"\\'\n'a b' = \"it's\"\n'c.d' = \"\\u0001\\n\\u007F'\"\n\"k'\" = 0\n"},
        {"lists of tables", "{\"a\":[{\"b\":1,\"c\":{\"d\":2}},{}],\"e\":[{},1],\"f\":[]}",
         "e = [{}, 1]\nf = []\n\n[[a]]\n  b = 1\n\n  [a.c]\n    d = 2\n\n[[a]]\n"},
        {"inline", "{\"a\":[[{\"c\":1.5,\"b\":\"x\"}]]}", "a = [[{b = 'x', c = 1.5}]]\n"},
        {"floats", "{\"a\":1.0,\"b\":1e300,\"c\":0.1,\"d\":-2.5e-7,\"e\":1e15}",
         "a = 1.0\nb = 1e+300\nc = 0.1\nd = -2.5e-07\ne = 1e+15\n"},
        {"null is nothing", "{\"a\":null,\"b\":{\"c\":null}}", "[b]\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_auto_t *value = json_loads(rows[i].json, 0, NULL);
        cleanup_text struct text text;
        text_init(&text, 0);
        cleanup_error struct error *err = NULL;
        assert_int_equal(toml_print(value, &text, &err), 0);
        test_equal(text.data, rows[i].want);
        /* What is printed can be read, and prints the same. */
        json_auto_t *again = read(text.data);
        text_clear(&text);
        assert_int_equal(toml_print(again, &text, &err), 0);
        test_equal(text.data, rows[i].want);
    }
}

static void unprintable(void **state)
{
    (void)state;
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"[]", "TOML has tables at its top, and this is none"},
        {"{\"a\":[1,null]}", "TOML has no null in a list"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].json);
        json_auto_t *value = json_loads(rows[i].json, 0, NULL);
        cleanup_text struct text text;
        text_init(&text, 0);
        cleanup_error struct error *err = NULL;
        assert_int_equal(toml_print(value, &text, &err), -1);
        test_equal(err->message, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_json), cmocka_unit_test(refusals),    cmocka_unit_test(limits),
        cmocka_unit_test(json_to_text), cmocka_unit_test(unprintable),
    };
    return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
