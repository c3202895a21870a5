#include "model/tree_merge.h"

#include "base/memory.h"
#include "base/test.h"
#include "model/document.h"

static const struct tree *parse(struct arena *arena, const char *file, const char *yaml)
{
    struct problem_list problems;
    struct tree_stream stream;
    problem_list_init(&problems, arena);
    assert_int_equal(tree_parse(arena, file, yaml, strlen(yaml), TREE_STRICT, &stream, &problems),
                     0);
    return stream.documents[0];
}

static void merges(void **state)
{
    (void)state;
    static const struct {
        const char *name, *over, *under, *want;
    } rows[] = {
        {"nothing", "{}", "{}", "{}"},
        {"only over", "{a: 1}", "{}", "{\"a\":1}"},
        {"only under", "{}", "{a: 1}", "{\"a\":1}"},
        {"both", "{a: 1, b: 2}", "{b: 3, c: 4}", "{\"a\":1,\"b\":2,\"c\":4}"},
        {"mappings field by field", "{a: {b: 1}}", "{a: {b: 2, c: {d: 3}}}",
         "{\"a\":{\"b\":1,\"c\":{\"d\":3}}}"},
        {"lists whole", "{a: [1]}", "{a: [2, 3]}", "{\"a\":[1]}"},
        {"an empty list too", "{a: []}", "{a: [2, 3]}", "{\"a\":[]}"},
        {"a null is not written", "{a: ~, b: }", "{a: 1, b: {c: 2}}", "{\"a\":1,\"b\":{\"c\":2}}"},
        {"a null stays one", "{a: ~}", "{}", "{\"a\":null}"},
        {"of another kind", "{a: 1, b: {c: 1}}", "{a: {b: 1}, b: [1]}",
         "{\"a\":1,\"b\":{\"c\":1}}"},
        {"in any order", "{c: 1, a: 2}", "{b: 1, a: 1, d: 1}", "{\"c\":1,\"a\":2,\"b\":1,\"d\":1}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        const struct tree *merged = tree_merge(arena, parse(arena, "over", rows[i].over),
                                               parse(arena, "under", rows[i].under));
        json_t *json = document_from_tree(merged);
        cleanup_free char *got = json_dumps(json, JSON_COMPACT);
        test_equal(got, rows[i].want);
        json_decref(json);
    }
}

/* A problem with a value is told where it was written. */
static void keeps_places(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    const struct tree *merged =
        tree_merge(arena, parse(arena, "over", "a: {b: 1}"), parse(arena, "under", "\na: {c: 2}"));
    const struct tree *a = tree_get(merged, "a");
    test_equal(tree_get(a, "b")->place.file, "over");
    test_equal(tree_get(a, "c")->place.file, "under");
    assert_int_equal(tree_get(a, "c")->place.line, 2);
    test_equal(a->place.file, "over");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges),
        cmocka_unit_test(keeps_places),
    };
    return cmocka_run_group_tests_name("tree merge", tests, NULL, NULL);
}
