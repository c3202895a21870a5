#include "cli/table.h"

#include "base/memory.h"
#include "base/test.h"

static void aligns_columns(void **state)
{
    (void)state;
    static const char *const cells[] = {"CLUSTER", "READY",          "MESSAGE", "ci",       "yes",
                                        NULL,      "t\xc3\xa4glich", "",        "a\tb\033", "old"};
    cleanup_table struct table table;
    table_init(&table, 3);
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_add(&table, cells[i]);
    cleanup_text struct text text;
    text_init(&text, 0);
    table_print(&table, 2, &text);
    test_equal(text.data, "  CLUSTER  READY  MESSAGE\n"
                          "  ci       yes\n"
                          "  t\xc3\xa4glich         a b?\n"
                          "  old\n");
}

static void an_empty_table_prints_nothing(void **state)
{
    (void)state;
    cleanup_table struct table table;
    table_init(&table, 2);
    cleanup_text struct text text;
    text_init(&text, 0);
    table_print(&table, 0, &text);
    test_equal(text.data, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aligns_columns),
                                       cmocka_unit_test(an_empty_table_prints_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
