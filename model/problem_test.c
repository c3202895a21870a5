#include "model/problem.h"

#include "base/memory.h"
#include "base/test.h"

static char *print(const struct problem_list *list)
{
    struct text text;
    text_init(&text, 0);
    problem_list_print(list, &text);
    return text_take(&text);
}

static void prints(void **state)
{
    (void)state;
    static const struct {
        struct place place;
        const char *message, *want;
    } rows[] = {
        {{"a.yaml", 3, 9}, "name: bad", "a.yaml:3:9: error: name: bad\n"},
        {{"a.yaml", 3, 0}, "bad", "a.yaml:3: error: bad\n"},
        {{"a.yaml", 0, 0}, "bad", "a.yaml: error: bad\n"},
        {{NULL, 0, 0}, "bad", "error: bad\n"},
        {{"a\x1b[2Jb", 0, 0}, "bad", "a?[2Jb: error: bad\n"},
        {{NULL, 0, 0}, "two\nlines\tand\x1b[1m", "error: two lines and?[1m\n"},
        {{NULL, 0, 0}, "\xC3\xA9 \xC2\x9B \xFF \xC3", "error: \xC3\xA9 ? ? ?\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].want);
        cleanup_arena struct arena *arena = arena_new();
        struct problem_list list;
        problem_list_init(&list, arena);
        problem_add(&list, rows[i].place, "%s", rows[i].message);
        cleanup_free char *got = print(&list);
        test_equal(got, rows[i].want);
    }
}

static void sorts_by_place_and_keeps_equals(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list list;
    problem_list_init(&list, arena);
    problem_add(&list, (struct place){"b", 1, 1}, "4");
    problem_warn(&list, (struct place){"a", 2, 5}, "2");
    problem_add(&list, (struct place){"a", 2, 5}, "3");
    problem_add(&list, (struct place){"a", 2, 1}, "1");
    problem_add(&list, (struct place){NULL, 0, 0}, "0");
    problem_list_sort(&list);
    cleanup_free char *got = print(&list);
    test_equal(got, "error: 0\na:2:1: error: 1\na:2:5: warning: 2\na:2:5: error: 3\n"
                    "b:1:1: error: 4\n");
    assert_int_equal(list.errors, 4);
    assert_int_equal(list.warnings, 1);
}

static void is_bounded(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list list;
    problem_list_init(&list, arena);
    for (int i = 0; i < PROBLEM_MAX + 3; i++)
        problem_add(&list, (struct place){0}, "x");
    assert_int_equal(list.count, PROBLEM_MAX);
    assert_int_equal(list.errors, PROBLEM_MAX + 3);
    assert_int_equal(list.untold, 3);
    cleanup_free char *got = print(&list);
    test_equal(got + strlen(got) - strlen("and 3 more, not shown\n"), "and 3 more, not shown\n");
}

static void quotes(void **state)
{
    (void)state;
    static const struct {
        const char *string, *want;
    } rows[] = {
        {"", "\"\""},
        {"abc", "\"abc\""},
        {"a\nb", "\"a b\""},
        {"123456789 123456789 123456789 123456789 123456789 123456789 ",
         "\"123456789 123456789 123456789 123456789 123456789 123456789 \""},
        {"123456789 123456789 123456789 123456789 123456789 123456789 x",
         "\"123456789 123456789 123456789 123456789 123456789 123456789\xE2\x80\xA6\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].want);
        cleanup_arena struct arena *arena = arena_new();
        struct problem_list list;
        problem_list_init(&list, arena);
        test_equal(problem_quote(&list, rows[i].string), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints),
        cmocka_unit_test(sorts_by_place_and_keeps_equals),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(quotes),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
