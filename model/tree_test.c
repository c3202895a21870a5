#include "model/tree.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

static void print_tree(const struct tree *tree, struct text *text)
{
    if (tree->tag)
        text_add_format(text, "!%s ", strrchr(tree->tag, ':') ? strrchr(tree->tag, ':') : "");
    if (tree->kind == TREE_SCALAR)
        text_add_format(text, tree->plain ? "%s" : "'%s'", tree->scalar);
    if (tree->kind == TREE_LIST)
        text_add(text, "[");
    for (size_t i = 0; tree->kind == TREE_LIST && i < tree->count; i++) {
        text_add(text, i ? ", " : "");
        print_tree(tree->items[i], text);
    }
    if (tree->kind == TREE_LIST)
        text_add(text, "]");
    for (size_t i = 0; tree->kind == TREE_MAP && i < tree->count; i++) {
        text_add(text, i ? ", " : "{");
        print_tree(tree->entries[i].key, text);
        text_add(text, ": ");
        print_tree(tree->entries[i].value, text);
    }
    if (tree->kind == TREE_MAP)
        text_add(text, tree->count ? "}" : "{}");
}

/* Documents, each begun by "|", or the problems. */
static char *parse(const char *bytes, size_t length, enum tree_flags flags)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_text struct text text;
    text_init(&text, 0);
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct tree_stream stream;
    int result = tree_parse(arena, "f", bytes, length, flags, &stream, &problems);
    assert_int_equal(result, problems.errors ? -1 : 0);
    for (size_t i = 0; i < stream.count && !result; i++) {
        text_add(&text, "|");
        print_tree(stream.documents[i], &text);
    }
    problem_list_print(&problems, &text);
    return text_take(&text);
}

struct row {
    const char *name, *yaml, *want;
};

static void check_rows(const struct row *rows, size_t count, enum tree_flags flags)
{
    for (size_t i = 0; i < count; i++) {
        test_row(rows[i].name);
        cleanup_free char *got = parse(rows[i].yaml, strlen(rows[i].yaml), flags);
        test_equal(got, rows[i].want);
    }
}

static void reads(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"nothing", "", ""},
        {"only a comment", "# hello\n", ""},
        {"scalars as written", "[a, 'b', \"c\\n\", 0x10, ~, ]", "|[a, 'b', 'c\n', 0x10, ~]"},
        {"block style", "a:\n- b\n- c: d\n  e:\n", "|{a: [b, {c: d, e: }]}"},
        {"block scalars", "a: |\n  x\n  y\nb: >-\n  x\n  y\n", "|{a: 'x\ny\n', b: 'x y'}"},
        {"json", "{\"a\": [1, true, null], \"b\": {}}", "|{'a': [1, true, null], 'b': {}}"},
        {"documents", "a\n---\nb\n...\n---\n", "|a|b|"},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "a: b",
         "|{a: b}"},
        {"carriage returns", "a: b\r\nc:\r\n- d\r\n", "|{a: b, c: [d]}"},
        {"tags", "[!!str 1, ! 2, !x 3, !!map {}]", "|[!:str 1, ! 2, ! 3, !:map {}]"},
        {"null key", "?\n: x", "|{: x}"},
        {"anchors", "[&a x, *a, &b [*a], *b]", "|[x, x, [x], [x]]"},
        {"a later anchor hides an earlier", "[&a 1, *a, &a 2, *a]", "|[1, 1, 2, 2]"},
        {"an anchor may be hidden inside its own value", "&a [&a x, *a]", "|[x, x]"},
        {"alias as key", "{&a k: 1, x: {*a : 2}}", "|{k: 1, x: {k: 2}}"},
        {"merge", "{a: &m {x: 1, y: 2}, b: {<<: *m, x: 3}}", "|{a: {x: 1, y: 2}, b: {x: 3, y: 2}}"},
        {"own keys win wherever they stand", "{x: 3, <<: {x: 1, y: 2}, z: 4}",
         "|{x: 3, z: 4, y: 2}"},
        {"of merged ones the first wins", "{<<: [{x: 1}, {x: 2, y: 3}]}", "|{x: 1, y: 3}"},
        {"merges nest", "{<<: {<<: {a: 1}, b: 2}, c: 3}", "|{c: 3, b: 2, a: 1}"},
        {"a quoted << is a key", "{'<<': {x: 1}}", "|{'<<': {x: 1}}"},
        {"yaml 1.2 by name", "%YAML 1.2\n---\na", "|a"},
        {"escapes", "\"\\u00e9\\x41\"",
         "|'\xC3\xA9"
         "A'"},
    };
    check_rows(rows, COUNT_OF(rows), TREE_STRICT);
}

static void refuses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"tab", "a:\n\tb: c\n",
         "f:2:1: error: not valid YAML: found character that cannot start any token; tabs cannot "
         "indent YAML, use blanks\n"},
        {"unclosed", "a: [b\nc: d\n",
         "f:2:2: error: not valid YAML: did not find expected ',' or ']' while parsing a flow "
         "sequence that begins at 1:4; a comma or a closing bracket is missing\n"},
        {"colon in a value", "a: b: c\n",
         "f:1:5: error: not valid YAML: mapping values are not allowed in this context; quote a "
         "value that holds ': ', or check the indentation of this line\n"},
        {"indentation", "a:\n    b: c\n  d: e\n",
         "f:3:3: error: not valid YAML: did not find expected key while parsing a block mapping "
         "that begins at 1:1; check the indentation of this line\n"},
        {"bad utf-8", "ok: 1\n\xC3\xA9\xC3\xA9: \xff\n",
         "f:2:5: error: not readable as text: invalid leading UTF-8 octet (0xFF)\n"},
        {"bad utf-8 after a mark", "\xEF\xBB\xBF\xff\n",
         "f:1:1: error: not readable as text: invalid leading UTF-8 octet (0xFF)\n"},
        {"control character", "a: b\r\nc: \x07\n",
         "f:2:4: error: not readable as text: control characters are not allowed (0x07)\n"},
        {"nul in a value", "a: \"x\\0y\"\n", "f:1:4: error: a value holds a NUL character (\\0)\n"},
        {"duplicates", "a: 1\nb:\n  c: 1\n  c: 2\na: 3\na: 4\n",
         "f:4:3: error: duplicate key \"c\": it already stands at f:3:3\n"
         "f:5:1: error: duplicate key \"a\": it already stands at f:1:1\n"
         "f:6:1: error: duplicate key \"a\": it already stands at f:1:1\n"},
        {"duplicate merge", "{<<: {a: 1}, <<: {b: 1}}",
         "f:1:14: error: duplicate key \"<<\": it already stands at f:1:2\n"},
        {"quoted duplicates", "{a: 1, 'a': 2}",
         "f:1:8: error: duplicate key \"a\": it already stands at f:1:2\n"},
        {"cycle", "&a [x, *a]",
         "f:1:8: error: the alias \"a\" stands inside the value that it names\n"},
        {"cycle by merge", "&a {<<: *a}",
         "f:1:9: error: the alias \"a\" stands inside the value that it names\n"},
        {"no anchor", "[*a, &a x]",
         "f:1:2: error: the alias \"a\" has no anchor before it in this document\n"},
        {"anchors end with their document", "&a x\n---\n*a\n",
         "f:3:1: error: the alias \"a\" has no anchor before it in this document\n"},
        {"merge of a word", "<<: x",
         "f:1:5: error: a merge key (<<) needs a mapping, or a list of them\n"},
        {"key that is a list", "? [a]\n: b\n",
         "f:1:3: error: a key must be a word, not a list or mapping\n"},
        {"yaml 1.3", "%YAML 1.3\n---\na",
         "f:1:1: error: not valid YAML: found incompatible YAML document; %YAML may be 1.1 or "
         "1.2\n"},
    };
    check_rows(rows, COUNT_OF(rows), TREE_STRICT);
}

static void last_key_wins(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"last", "{a: 1, b: 2, a: 3}", "|{b: 2, a: 3}"},
        {"own still beat merged", "{a: 1, <<: {a: 2}, <<: {b: 3}}", "|{a: 1, b: 3}"},
    };
    check_rows(rows, COUNT_OF(rows), TREE_LAST_KEY_WINS);
}

/* before, part count times, after. */
static char *repeat(const char *before, const char *part, size_t count, const char *after)
{
    struct text text;
    text_init(&text, 0);
    text_add(&text, before);
    for (size_t i = 0; i < count; i++)
        text_add(&text, part);
    text_add(&text, after);
    return text_take(&text);
}

/* Each passes one limit by one. */
static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *name, *before, *part;
        size_t count;
        const char *after, *want;
    } rows[] = {
        {"brackets", "", "[", 40000, "", "f:1:101: error: too much for one file: more than 100 "},
        {"braces", "", "{a: ", 40000, "", "f:1:401: error: too much for one file: more than 100 "},
        {"dashes", "", "- ", 101, "", "f:1:201: error: too much for one file: more than 100 "},
        {"depth by alias", "[&a [[]], ", "[", 98, "*a", "f:1:109: error: too much for one file"},
        {"size", "", "# 345678\n", 120000, "", "f: error: too much for one file: more than 1048"},
        {"scalar", "a: ", "xxxxxxxx", 32769, "", "f:1:4: error: too much for one file: more than "},
        {"aliases", "[&a x", ", *a", 1001, "]", "f:1:4008: error: too much for one file: more "},
        {"anchors", "[", "&a x, ", 10001, "]", "f:1:60002: error: too much for one file: more "},
        {"nodes", "[", "x,", 100000, "]", "f:1:200000: error: too much for one file: more than "},
        {"documents", "", "--- x\n", 1001, "", "f:1001:1: error: too much for one file: more "},
        {"laughs", "", "", 0,
         "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
         "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
         "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
         "f:6:8: error: too much for one file: more than 100000 values in one document"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *yaml =
            repeat(rows[i].before, rows[i].part, rows[i].count, rows[i].after);
        cleanup_free char *got = parse(yaml, strlen(yaml), TREE_STRICT);
        if (strlen(got) > strlen(rows[i].want))
            got[strlen(rows[i].want)] = '\0';
        test_equal(got, rows[i].want);
    }
}

/* What is just allowed, and large: must not take long either. */
static void large(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 0);
    for (unsigned i = 0; i < 40000; i++)
        text_add_format(&text, "key%u: v\n", i);
    text_add(&text, "last: x\n");
    cleanup_free char *yaml = text_take(&text);
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct tree_stream stream;
    assert_int_equal(tree_parse(arena, "f", yaml, strlen(yaml), TREE_STRICT, &stream, &problems),
                     0);
    assert_int_equal(stream.documents[0]->count, 40001);
    assert_string_equal(tree_get(stream.documents[0], "last")->scalar, "x");
}

static void nul_byte(void **state)
{
    (void)state;
    cleanup_free char *got = parse("a: b\0c\n", 7, TREE_STRICT);
    test_equal(got,
               "f:1:5: error: not readable as text: control characters are not allowed (0x00)\n");
}

static void documents_before_an_error_are_kept(void **state)
{
    (void)state;
    static const char yaml[] = "a: 1\n---\nb: [\n";
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct tree_stream stream;
    assert_int_equal(tree_parse(arena, "f", yaml, strlen(yaml), TREE_STRICT, &stream, &problems),
                     -1);
    assert_int_equal(stream.count, 1);
    assert_non_null(tree_get(stream.documents[0], "a"));
}

static void places(void **state)
{
    (void)state;
    static const char yaml[] = "# c\n\xC3\xA9: &a {b: 1}\nc:\n  - *a\n  - {<<: *a}\n";
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    struct tree_stream stream;
    assert_int_equal(tree_parse(arena, "f", yaml, strlen(yaml), TREE_STRICT, &stream, &problems),
                     0);
    const struct tree *root = stream.documents[0];
    const struct tree *list = tree_get(root, "c"), *alias = list->items[0];
    const struct {
        const char *name;
        const struct tree *tree;
        unsigned line, column;
    } rows[] = {
        {"document", root, 2, 1},
        {"columns count characters", tree_get(root, "\xC3\xA9"), 2, 4},
        {"value", tree_get(tree_get(root, "\xC3\xA9"), "b"), 2, 11},
        {"list", list, 4, 3},
        {"alias", alias, 4, 5},
        {"inside an alias", tree_get(alias, "b"), 2, 11},
        {"merged", tree_get(list->items[1], "b"), 2, 11},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *got =
            memory_format("%u:%u", rows[i].tree->place.line, rows[i].tree->place.column);
        cleanup_free char *want = memory_format("%u:%u", rows[i].line, rows[i].column);
        test_equal(got, want);
    }
}

static void null_words(void **state)
{
    (void)state;
    static const struct tree nulls[] = {
        {.plain = true, .scalar = ""},
        {.plain = true, .scalar = "~"},
        {.plain = true, .scalar = "null"},
        {.plain = true, .scalar = "Null"},
        {.plain = true, .scalar = "NULL"},
        {.plain = true, .scalar = "", .tag = "tag:yaml.org,2002:null"},
        {.plain = false, .scalar = "~", .tag = "tag:yaml.org,2002:null"},
    };
    static const struct tree others[] = {
        {.plain = true, .scalar = "nULL"},
        {.plain = false, .scalar = ""},
        {.plain = false, .scalar = "null"},
        {.plain = true, .scalar = "", .tag = "tag:yaml.org,2002:str"},
        {.kind = TREE_MAP, .plain = true},
    };
    for (size_t i = 0; i < COUNT_OF(nulls); i++)
        assert_true(tree_is_null(&nulls[i]));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(tree_is_null(&others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(last_key_wins),
        cmocka_unit_test(limits),
        cmocka_unit_test(large),
        cmocka_unit_test(nul_byte),
        cmocka_unit_test(documents_before_an_error_are_kept),
        cmocka_unit_test(places),
        cmocka_unit_test(null_words),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
