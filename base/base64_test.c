#include "base/base64.h"

#include "base/test.h"

static void decode(void **state)
{
    (void)state;
    static const struct {
        const char *encoded, *decoded; /* NULL: refused */
    } rows[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"Zm9v\nYmFy\n", "foobar"},
        {" Zg\r\n==\t", "f"},
        {"/+8=", "\xff\xef"},
        {"Z", NULL},
        {"Zg", NULL},
        {"Zg=", NULL},
        {"Zg===", NULL},
        {"Zh==", NULL},
        {"Zm9=", NULL},
        {"Zm9v=", NULL},
        {"=", NULL},
        {"Zg==Zg==", NULL},
        {"Zm-_", NULL},
        {"Zm9v!", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(rows[i].encoded);
        cleanup_text struct text text;
        text_init(&text, 0);
        bool good = base64_decode(rows[i].encoded, &text);
        if (good != (rows[i].decoded != NULL))
            fail_msg("\"%s\": %s", rows[i].encoded, good ? "accepted" : "refused");
        if (good)
            test_equal(text.data, rows[i].decoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decode)};
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
