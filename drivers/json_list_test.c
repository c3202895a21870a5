#include "drivers/json_list.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include <string.h>

static const struct {
    const char *name, *text, *want;
} rows[] = {
    {"none", "[]", ""},
    {"none, with room", " [\n\t]\r\n", ""},
    {"one", "[{\"a\":[1,{}]}]", "{\"a\":[1,{}]} "},
    {"several, of every kind", "[null, 1 ,\"x,]\",[] , {}\n,-2.5,true]",
     "null 1 \"x,]\" [] {} -2.5 true "},
    {"no list", "{\"a\":1}", "! it does not begin with '['"},
    {"nothing", "", "! it does not begin with '['"},
    {"an element without an end", "[{\"a\":1", "! '}' expected near end of file"},
    {"no end", "[1", "1 ! an element does not end"},
    {"nothing between", "[{} {}]", "{} ! an element does not end"},
    {"nothing behind the comma", "[1,]", "1 ! unexpected token near ']'"},
    {"no element before the comma", "[,1]", "! unexpected token near ','"},
    {"no word at all", "[nul]", "! invalid token near 'nul'"},
    {"more behind it", "[1] 2", "1 ! there is more behind it"},
    {"another list behind an empty one", "[] []", "! there is more behind it"},
    {"an element too deep", NULL, "! maximum parsing depth reached near '['"},
};

static char *deep(void)
{
    enum { DEPTH = 100 * 1000 };
    char *text = memory_new(DEPTH + 2);
    memset(text, '[', DEPTH + 1);
    return text;
}

static void elements(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *made = rows[i].text ? memory_string(rows[i].text) : deep();
        cleanup_error struct error *err = NULL;
        cleanup_text struct text got;
        struct json_list list = {.at = made, .end = made + strlen(made)};
        text_init(&got, 0);
        for (json_t *element; json_list_next(&list, &element, &err); json_decref(element)) {
            cleanup_free char *text = json_dumps(element, JSON_COMPACT | JSON_ENCODE_ANY);
            text_add_format(&got, "%s ", text);
        }
        if (err)
            text_add_format(&got, "! %s", err->message);
        test_equal(got.data, rows[i].want);
    }
}

/* What stands behind the text is not looked at. */
static void an_end_without_a_nul(void **state)
{
    (void)state;
    static const char text[] = "[12]";
    struct json_list list = {.at = text, .end = text + 2};
    cleanup_error struct error *err = NULL;
    json_t *element;
    assert_true(json_list_next(&list, &element, &err));
    assert_int_equal(json_integer_value(element), 1);
    json_decref(element);
    assert_false(json_list_next(&list, &element, &err));
    assert_non_null(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements),
        cmocka_unit_test(an_end_without_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
