/* The schemas in docs/schema are those of the tables. */
#include "model/schema.h"

#include "base/memory.h"
#include "base/test.h"

static void is_as_the_tables_have_it(void **state)
{
    (void)state;
    static const enum schema_format formats[] = {SCHEMA_V1ALPHA4, SCHEMA_FLEET, SCHEMA_POLICY,
                                                 SCHEMA_ANY};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        test_row(schema_file(formats[i]));
        cleanup_free char *path = memory_format("docs/schema/%s", schema_file(formats[i]));
        cleanup_text struct text text;
        text_init(&text, 0);
        schema_print(formats[i], &text);
        test_golden(text.data, path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_the_tables_have_it),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
