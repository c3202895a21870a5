#include "model/document.h"

#include "base/memory.h"
#include "base/test.h"

/* What go-yaml v2 printed for the same values is what is wanted here. */
static void prints_as_go(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json, *yaml;
    } rows[] = {
        {"scalars", "[null, true, false, 0, -7, \"text\"]",
         "- null\n- true\n- false\n- 0\n- -7\n- text\n"},
        {"a lone word", "\"foo\"", "foo\n"},
        {"empty", "{\"a\": {}, \"b\": [], \"c\": \"\"}", "a: {}\nb: []\nc: \"\"\n"},
        {"nothing at all", "{}", "{}\n"},
        {"lists are not indented", "{\"a\": [1, {\"b\": [2], \"c\": 3}, [4, [5]]]}",
         "a:\n- 1\n- b:\n  - 2\n  c: 3\n- - 4\n  - - 5\n"},
        {"keys sorted", "{\"b\": 1, \"a\": 2, \"B\": 3, \"_\": 4, \"a.b\": 5, \"ab\": 6}",
         "_: 4\nB: 3\na: 2\na.b: 5\nab: 6\nb: 1\n"},
        {"numbers in keys", "{\"n10\": 1, \"n2\": 2, \"n02\": 3, \"10\": 4, \"9\": 5}",
         "\"9\": 5\n\"10\": 4\nn2: 2\nn02: 3\nn10: 1\n"},
        {"reads as something else",
         "[\"true\", \"y\", \"No\", \"null\", \"~\", \"1\", \"0x1F\", \"1e3\", \".5\", \".inf\"]",
         "- \"true\"\n- \"y\"\n- \"No\"\n- \"null\"\n- \"~\"\n- \"1\"\n- \"0x1F\"\n- \"1e3\"\n"
         "- \".5\"\n- \".inf\"\n"},
        {"dates and base 60",
         "[\"2001-1-2\", \"2001-13-01\", \"2001-02-29\", \"2001-01-02T03:04:05Z\","
         " \"2001-01-02 03:04:05.6\", \"2001-01-02T03:04:05+1:00\", \"190:20:30\", \"190:60\"]",
         "- \"2001-1-2\"\n- 2001-13-01\n- 2001-02-29\n- \"2001-01-02T03:04:05Z\"\n"
         "- \"2001-01-02 03:04:05.6\"\n- 2001-01-02T03:04:05+1:00\n- \"190:20:30\"\n- 190:60\n"},
        {"syntax",
         "[\"- x\", \"a: b\", \"a #b\", \"0%\", \"%0\", \"::\", \"::1\", \"*\", \" a\", \"it's\"]",
         "- '- x'\n- 'a: b'\n- 'a #b'\n- 0%\n- '%0'\n- '::'\n- ::1\n- '*'\n- ' a'\n- it's\n"},
        {"lines", "[\"a\\nb\", \"a\\n\", \"a\\n\\n\", \" a\\nb\", \"a \\nb\"]",
         "- |-\n  a\n  b\n- |\n  a\n- |+\n  a\n\n- |2-\n   a\n  b\n- \"a \\nb\"\n"},
        {"an open end", "{\"a\": \"b\\n\\n\"}", "a: |+\n  b\n\n"},
        {"controls", "[\"a\\tb\", \"\\u0001\", \"\\u007f\", \"\\ud83d\\ude00\"]",
         "- \"a\\tb\"\n- \"\\x01\"\n- \"\\x7F\"\n- \"\\U0001F600\"\n"},
        {"beyond ASCII", "{\"\\u00e9\": \"\\u65e5\\u672c\"}", "é: 日本\n"},
        {"fractions", "[1.5, -0.25, 0.0001, 0.00001, 123456.7, 1234567.5, 1e-7, 1e21, 1e3]",
         "- 1.5\n- -0.25\n- 0.0001\n- 1e-05\n- 123456.7\n- 1.2345675e+06\n- 1e-07\n- 1e+21\n"
         "- 1000\n"},
        {"large numbers", "[9223372036854775807, 1.8e19, -1e19]",
         "- 9223372036854775807\n- 18000000000000000000\n- -1e+19\n"},
        {"a word may pass column 80",
         "{\"a\": \"one two three four five six seven eight nine ten eleven twelve thirteen 14 15 "
         "16\"}",
         "a: one two three four five six seven eight nine ten eleven twelve thirteen 14 15 16\n"},
        {"lines beyond, folded",
         "{\"a\": \"one two three four five six seven eight nine ten eleven twelve thirteen "
         "fourteen "
         "15\"}",
         "a: one two three four five six seven eight nine ten eleven twelve thirteen fourteen\n"
         "  15\n"},
        {"a merge key that is none", "{\"<<\": \"<<\"}", "\"<<\": <<\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_auto_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        cleanup_text struct text text;
        text_init(&text, 0);
        document_print(value, &text);
        test_equal(text.data, rows[i].yaml);
    }
}

/* All documents as one line of JSON; "error" with a place if there are none. */
static char *parse(const char *yaml)
{
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    json_auto_t *documents = document_parse("f", yaml, strlen(yaml), &problems);
    if (documents)
        return json_dumps(documents, JSON_COMPACT | JSON_SORT_KEYS);
    assert_int_equal(problems.count, 1);
    return memory_format("error at %u", problems.items[0].place.line);
}

static void parses_by_yaml_1_1(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml, *json;
    } rows[] = {
        {"nothing", "", "[]"},
        {"comments only", "# a\n---\n# b\n---\n", "[]"},
        {"several", "a: 1\n---\n---\n- 2\n...\n---\nnull\n", "[{\"a\":1},[2]]"},
        {"booleans", "[y, No, on, TRUE, 'y', \"no\"]", "[[true,false,true,true,\"y\",\"no\"]]"},
        {"numbers", "[0x10, 010, 0o10, 0b11, 1_000, -1, +1]", "[[16,8,8,3,1000,-1,1]]"},
        {"floats", "[1.5, .5, 1e3, 1.0]", "[[1.5,0.5,1000,1]]"},
        {"beyond JSON", "[.inf, -.inf, .nan]", "[[\".inf\",\"-.inf\",\".nan\"]]"},
        {"strings", "[1:30, 2001-01-01, 1.2.3, v1.20.2, 0%, '1']",
         "[[\"1:30\",\"2001-01-01\",\"1.2.3\",\"v1.20.2\",\"0%\",\"1\"]]"},
        {"nulls", "{a: , b: ~, c: null, d: ''}", "[{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\"}]"},
        {"keys", "{1: a, 0x10: b, y: c, 1.50: d, e: f}",
         "[{\"1\":\"a\",\"1.50\":\"d\",\"16\":\"b\",\"e\":\"f\",\"true\":\"c\"}]"},
        {"the last key wins", "a: 1\nb: 2\na: 3\n", "[{\"a\":3,\"b\":2}]"},
        {"a block", "a: |\n  b\n  c\n", "[{\"a\":\"b\\nc\\n\"}]"},
        {"JSON", "{\"a\": [1, \"b\", null]}", "[{\"a\":[1,\"b\",null]}]"},
        {"no YAML", "a: b\nc: [d\n", "error at 3"},
        {"tabs", "a:\n\tb: c\n", "error at 2"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *json = parse(rows[i].yaml);
        test_equal(json, rows[i].json);
    }
}

static void aliases_are_written_out(void **state)
{
    (void)state;
    static const char yaml[] = "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n";
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    json_auto_t *documents = document_parse("f", yaml, strlen(yaml), &problems);
    cleanup_text struct text text;
    text_init(&text, 0);
    document_print(json_array_get(documents, 0), &text);
    test_equal(text.data, "a:\n  b: 1\nc:\n  b: 1\nd:\n  b: 1\n  e: 2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_as_go),
        cmocka_unit_test(parses_by_yaml_1_1),
        cmocka_unit_test(aliases_are_written_out),
    };
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
