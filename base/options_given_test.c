#include "base/options_given.h"

#include "base/memory.h"
#include "base/test.h"
#include <string.h>

struct sample {
    bool flag;
    int count, choice;
    uint32_t number;
    const char *string;
    struct option_strings list;
    uint64_t duration_ms, wait_ms;
    unsigned set;
};

static const struct option_choice formats[] = {{"json", 1}, {"wide", 2}, {NULL, 0}};
static const struct option_choice classes[] = {{"live", 0}, {"delete", 4}, {NULL, 0}};

#define FIELD(name) offsetof(struct sample, name)

static const struct option_spec specs[] = {
    {.long_name = "all", .kind = OPTION_FLAG, .offset = FIELD(flag)},
    {.long_name = "verbose", .kind = OPTION_COUNT, .offset = FIELD(count)},
    {.long_name = "output", .kind = OPTION_CHOICE, .offset = FIELD(choice), .choices = formats},
    {.long_name = "number", .kind = OPTION_NUMBER, .offset = FIELD(number)},
    {.long_name = "name", .kind = OPTION_STRING, .offset = FIELD(string)},
    {.long_name = "filename", .kind = OPTION_STRINGS, .offset = FIELD(list)},
    {.long_name = "timeout", .kind = OPTION_DURATION, .offset = FIELD(duration_ms)},
    {.long_name = "wait",
     .kind = OPTION_OPTIONAL_DURATION,
     .offset = FIELD(wait_ms),
     .fallback_ms = 300000},
    {.long_name = "allow", .kind = OPTION_SET, .offset = FIELD(set), .choices = classes},
    {0},
};

static void is_as_it_was_given(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL}, *const some[] = {"name", "allow", NULL};
    const struct {
        const char *name;
        struct sample given;
        const char *const *without;
        const char *want;
    } rows[] = {
        {"nothing", {0}, nothing, ""},
        {"each kind",
         {true, 2, 2, 7, "x", {{"a", "b c"}, 2}, 90000, 300000, 1u << 0 | 1u << 4},
         nothing,
         " --all --verbose=2 --output wide --number 7 --name x --filename a --filename 'b c'"
         " --timeout 1m30s --wait=5m --allow live --allow delete"},
        {"what a shell would take apart",
         {.string = "it's $(date)"},
         nothing,
         " --name 'it'\\''s $(date)'"},
        {"an empty word", {.string = ""}, nothing, " --name ''"},
        {"without some", {.number = 1, .string = "x", .set = 1}, some, " --number 1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct sample given = rows[i].given;
        const struct option_table table = {specs, &given};
        cleanup_text struct text text;
        text_init(&text, 0);
        options_add_given(&text, &table, rows[i].without);
        test_equal(text.data, rows[i].want);
    }
}

/* What is printed is read as what was printed. */
static void is_read_again(void **state)
{
    (void)state;
    struct sample given = {true, 2, 2, 7, "x", {{"a", "b"}, 2}, 90000, 300000, 1u << 4}, got = {0};
    const struct option_table from = {specs, &given}, to = {specs, &got};
    static const char *const nothing[] = {NULL};
    cleanup_text struct text text;
    text_init(&text, 0);
    options_add_given(&text, &from, nothing);
    char program[] = "kind", *argv[32] = {program}, *rest = text.data;
    const char *words[32];
    int argc = 1;
    size_t word_count;
    struct error *err = NULL;
    for (char *word; (word = strtok_r(rest, " ", &rest));)
        argv[argc++] = word;
    assert_int_equal(options_parse(&to, 1, argc, argv, words, &word_count, &err), 0);
    assert_int_equal(word_count, 0);
    assert_true(got.flag);
    assert_int_equal(got.count, given.count);
    assert_int_equal(got.choice, given.choice);
    assert_int_equal(got.number, given.number);
    assert_string_equal(got.string, given.string);
    assert_int_equal(got.list.count, given.list.count);
    assert_int_equal(got.duration_ms, given.duration_ms);
    assert_int_equal(got.wait_ms, given.wait_ms);
    assert_int_equal(got.set, given.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_it_was_given),
        cmocka_unit_test(is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
