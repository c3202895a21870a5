#include "model/path.h"

#include "base/memory.h"
#include "base/test.h"

static void absolute(void **state)
{
    (void)state;
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"/a", "/a"},         {"/", "/"},     {"a", "/base/a"},        {"./a/", "/base/a"},
        {"../a", "/a"},       {"../..", "/"}, {"/a//b/./c", "/a/b/c"}, {"/a/b/../c", "/a/c"},
        {"/../a", "/a"},      {".", "/base"}, {"..a", "/base/..a"},    {"a b", "/base/a b"},
        {"...", "/base/..."}, {"/a/..", "/"}, {"", "/base"},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].path);
        test_equal(path_absolute(arena, "/base", rows[i].path), rows[i].want);
    }
}

static void folder(void **state)
{
    (void)state;
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"a", "."},       {"a/b", "a"},        {"/a", "/"},   {"/a/b", "/a"},
        {"a/b/c", "a/b"}, {"../a.yaml", ".."}, {"a//b", "a"}, {"//a", "/"},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].file);
        test_equal(path_folder(arena, rows[i].file), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute),
        cmocka_unit_test(folder),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
