/*
 * The YAML project's own test suite (testdata/yaml_suite) against our trees: what is YAML and what
 * is not, and what it means. Where we differ is listed below, with the reason; a case that begins
 * or ceases to differ fails the test.
 */
#include "model/document.h"

#include "base/memory.h"
#include "base/test.h"
#include <stdio.h>
#include <string.h>

enum outcome { AS_WANTED, REFUSED, ACCEPTED, DIFFERENT };

static const char *const outcome_names[] = {"read as wanted", "refused", "accepted", "different"};

static const struct group {
    enum outcome outcome;
    const char *cases; /* ids, each followed by a blank */
    const char *reason;
} groups[] = {
    {REFUSED, "4FJ6 6BFJ 6PBE 9MMW KK5P LX3P M2N8-1 M5DY Q9WF RZP5 SBG9 V9D5 X38W XW4D ",
     "ours: a key that is a list or mapping names no field of anything that we read"},
    {REFUSED, "2JQS 6M2F CFD4 FRK4 M2N8-0 NHX8 NKF9 S3PD SM9W-1 UKK6-0 ",
     "libyaml: a key that is left empty before its ':'"},
    {REFUSED, "4ABK 4MUZ-0 4MUZ-1 4MUZ-2 58MP 5MUD 5T43 9SA2 DBG4 HM87-0 K3WX NJ66 UT92 VJP3-1 ",
     "libyaml: YAML 1.1's rules for ':' and for keys over lines inside of brackets"},
    {REFUSED, "6BCT 6CA3 96NN-0 96NN-1 A2M4 DK95-0 DK95-3 DK95-4 Q5MG R4YG Y79Y-1 Y79Y-10 ",
     "libyaml: tabs between indentation and text, which YAML 1.2 allows here and there"},
    {REFUSED, "2LFX 6LVF BEC7 MUS6-5 MUS6-6 ",
     "libyaml: directives and versions of YAML that it does not know"},
    {REFUSED, "7Z25 HWV9 M7A3 QT73 W4TN ", "libyaml: after '...' a document must begin with '---'"},
    {REFUSED, "DK3J FP8R ", "libyaml: a block scalar of the document must be indented"},
    {REFUSED, "2SXE 8XYN W5VH ", "libyaml: anchors are of letters, digits, '-' and '_'"},
    {ACCEPTED, "9C9N DK95-1 QB6E S98Z Y79Y-3 ",
     "libyaml: indentation inside of brackets, quotes and block scalars is not judged"},
    {ACCEPTED, "9HCY EB22 MUS6-0 MUS6-1 RHX7 ",
     "libyaml: directives without '...' before them, and comments right behind them"},
    {ACCEPTED, "9JBA CVW2 SU5Z X4QW ", "libyaml: a comment without a blank before it"},
    {ACCEPTED, "G5U8 YJV2 ", "libyaml: a lone dash inside of brackets is a text"},
    {DIFFERENT, "652Z HM87-1 ", "libyaml: '?' inside of brackets begins a key, blank or not"},
    {DIFFERENT, "Y2GN ", "libyaml: a ':' ends an anchor"},
    {DIFFERENT, "L24T-1 ", "libyaml: a line of blanks at the end does not count"},
    {DIFFERENT, "C4HZ ", "as wanted of patches and manifests: YAML 1.1, where y is true"},
    {DIFFERENT, "S4JQ ", "as Go's reader has it: the tag '!' leaves a plain scalar as it is"},
};

/* The documents of a text as the JSON they mean; NULL if it cannot be read. */
static json_t *read_documents(struct arena *arena, const char *yaml)
{
    struct problem_list problems;
    struct tree_stream stream;
    problem_list_init(&problems, arena);
    if (tree_parse(arena, "f", yaml, strlen(yaml), TREE_STRICT, &stream, &problems))
        return NULL;
    json_t *documents = json_array();
    for (size_t i = 0; i < stream.count; i++)
        json_array_append_new(documents, document_from_tree(stream.documents[i]));
    return documents;
}

static enum outcome try_case(const json_t *row)
{
    cleanup_arena struct arena *arena = arena_new();
    const json_t *want = json_object_get(row, "json");
    bool fail = json_is_true(json_object_get(row, "fail"));
    json_t *got = read_documents(arena, json_string_value(json_object_get(row, "yaml")));
    enum outcome outcome = AS_WANTED;
    if (!got)
        outcome = fail ? AS_WANTED : REFUSED;
    else if (fail)
        outcome = ACCEPTED;
    else if (want && !json_equal(got, want))
        outcome = DIFFERENT;
    json_decref(got);
    return outcome;
}

static enum outcome expected_outcome(const char *id)
{
    cleanup_free char *word = memory_format("%s ", id);
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        for (const char *at = groups[i].cases; *at; at = strchr(at, ' ') + 1) {
            if (strncmp(at, word, strlen(word)) == 0)
                return groups[i].outcome;
        }
    }
    return AS_WANTED;
}

/* So that a mistyped id is not passed over. */
static size_t count_listed(void)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        for (const char *at = groups[i].cases; *at; at = strchr(at, ' ') + 1)
            count++;
    }
    return count;
}

static void suite(void **state)
{
    (void)state;
    cleanup_free char *text = test_read_file("model/testdata/yaml_suite/cases.json");
    json_t *cases = json_loads(text, 0, NULL);
    assert_non_null(cases);
    size_t counts[COUNT_OF(outcome_names)] = {0}, all = json_array_size(cases);
    for (size_t i = 0; i < all; i++) {
        const json_t *row = json_array_get(cases, i);
        const char *id = json_string_value(json_object_get(row, "id"));
        enum outcome outcome = try_case(row);
        test_row(id);
        test_equal(outcome_names[outcome], outcome_names[expected_outcome(id)]);
        counts[outcome]++;
    }
    assert_int_equal(all - counts[AS_WANTED], count_listed());
    printf("%zu cases: %zu read as wanted, %zu valid ones refused, %zu others accepted, %zu with "
           "another meaning\n",
           all, counts[AS_WANTED], counts[REFUSED], counts[ACCEPTED], counts[DIFFERENT]);
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suite),
    };
    return cmocka_run_group_tests_name("yaml suite", tests, NULL, NULL);
}
