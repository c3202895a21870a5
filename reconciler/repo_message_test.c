/* repo_message_test.c - records: what is added is read back; what is cut or foreign is seen. */
#include "reconciler/repo_message.h"

#include "base/test.h"

static void there_and_back(void **state)
{
    (void)state;
    cleanup_text struct text text;
    text_init(&text, 0);
    repo_record_add_string(&text, REPO_URL, "file:///srv/lab.git");
    repo_record_add_string(&text, REPO_REF, NULL);
    repo_record_add_number(&text, REPO_ENTRY_LIMIT, 20000);
    repo_record_add_pair(&text, REPO_TEXT, "lab/ci.yaml", "a\0b", 3);
    repo_record_add_string(&text, REPO_END, "");
    struct repo_record record, rest;
    size_t offset = 0;
    uint64_t number = 0;
    assert_int_equal(repo_record_next(text.data, text.length, 100, &offset, &record), REPO_READ);
    assert_int_equal(record.tag, REPO_URL);
    assert_int_equal(record.length, strlen("file:///srv/lab.git"));
    assert_memory_equal(record.value, "file:///srv/lab.git", record.length);
    assert_false(repo_record_split(&record, &rest));
    assert_false(repo_record_number(&record, &number));
    assert_int_equal(repo_record_next(text.data, text.length, 100, &offset, &record), REPO_READ);
    assert_true(repo_record_number(&record, &number));
    assert_int_equal(number, 20000);
    assert_int_equal(repo_record_next(text.data, text.length, 100, &offset, &record), REPO_READ);
    assert_true(repo_record_split(&record, &rest));
    assert_string_equal(record.value, "lab/ci.yaml");
    assert_int_equal(rest.length, 3);
    assert_memory_equal(rest.value, "a\0b", 3);
    assert_int_equal(repo_record_next(text.data, text.length, 100, &offset, &record), REPO_READ);
    assert_int_equal(record.tag, REPO_END);
    assert_int_equal(offset, text.length);
    assert_int_equal(repo_record_next(text.data, text.length, 100, &offset, &record), REPO_PARTIAL);
}

static void cut_anywhere(void **state)
{
    (void)state;
    cleanup_text struct text text;
    text_init(&text, 0);
    repo_record_add_string(&text, REPO_STAGE, "connecting");
    for (size_t length = 0; length < text.length; length++) {
        struct repo_record record;
        size_t offset = 0;
        assert_int_equal(repo_record_next(text.data, length, 100, &offset, &record), REPO_PARTIAL);
        assert_int_equal(offset, 0);
    }
}

static void foreign(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t length;
    } rows[] = {
        {"no such tag", "z\1\0\0\0a", 6},
        {"a zero", "\0\0\0\0\0", 5},
        {"longer than the limit", "S\145\0\0\0", 5},
        {"longer than all", "S\377\377\377\377", 5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct repo_record record;
        size_t offset = 0;
        test_row(rows[i].name);
        assert_int_equal(repo_record_next(rows[i].bytes, rows[i].length, 100, &offset, &record),
                         REPO_BROKEN);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t want;
    } rows[] = {
        {"0", true, 0},   {"1234567890123456789", true, 1234567890123456789},
        {"", false, 0},   {"12345678901234567890", false, 0},
        {"-1", false, 0}, {"1 ", false, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct repo_record record = {REPO_TIME, rows[i].text, strlen(rows[i].text)};
        uint64_t number = 0;
        test_row(rows[i].text);
        assert_int_equal(repo_record_number(&record, &number), rows[i].good);
        assert_int_equal(number, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(foreign),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
