#include "model/evidence.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

static void items(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct evidence evidence;
    evidence_init(&evidence, arena);
    evidence_add(&evidence, EVIDENCE_KUBELET, "n", "", 0);
    evidence_add(&evidence, EVIDENCE_KUBELET, "n", "\r\n\n", 3);
    evidence_add(&evidence, EVIDENCE_KUBELET, "n", "\x1b[3", 3);
    evidence_add(&evidence, EVIDENCE_KUBELET, "n", "\x1b", 1);
    assert_int_equal(evidence.count, 0);

    static const char given[] =
        "one\r\n\x1bM\r\x1b[K\x1b[31mred\x1b[0m\r\n--token abcdef.0123456789abcdef\nlast";
    evidence_add(&evidence, EVIDENCE_BOOT, "n", given, strlen(given));
    assert_int_equal(evidence.count, 1);
    test_equal(evidence.items[0].text, "one\nred\n--token (removed)\nlast\n");
    test_equal(evidence.items[0].subject, "n");
    test_equal(evidence_source_name(evidence.items[0].source), "boot");
    test_equal(evidence_source_words(evidence.items[0].source), "boot log");

    for (size_t i = 0; i < EVIDENCE_ITEMS_MAX + 3; i++)
        evidence_add(&evidence, EVIDENCE_PODS, "n", "x", 1);
    assert_int_equal(evidence.count, EVIDENCE_ITEMS_MAX);
}

/* Of what is too long, the end stays. */
static void limits(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct evidence evidence;
    evidence_init(&evidence, arena);
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < 20000; i++)
        text_add_format(&text, "line %zu\n", i);
    evidence_add(&evidence, EVIDENCE_KUBELET, "n", text.data, text.length);
    const char *kept = evidence.items[0].text;
    assert_true(strlen(kept) <= EVIDENCE_ITEM_BYTES_MAX);
    assert_non_null(strstr(kept, "line 19999\n"));
    assert_null(strstr(kept, "line 1\n"));
}

static void digests(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t lines;
        const char *want;
    } rows[] = {
        {"nothing", "", 3, ""},
        {"all fits", "a\nb\n", 3, "a\nb\n"},
        {"the last ones", "a\nb\nc\n", 2, "b\nc\n"},
        {"trouble first", "a failed\nb\nc\nd\n", 2, "a failed\nd\n"},
        {"the last trouble", "x error\ny error\nz error\nq\n", 2, "y error\nz error\n"},
        {"none", "a\n", 0, ""},
        {"no end of line", "a\nb", 1, "b\n"},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        test_equal(evidence_digest(arena, rows[i].text, rows[i].lines), rows[i].want);
    }
    test_equal(evidence_trouble(arena, "a failed\nb\nc failed\nd\n", 9), "a failed\nc failed\n");
    test_equal(evidence_trouble(arena, "a failed\nb failed\n", 1), "b failed\n");
    test_equal(evidence_trouble(arena, "a\n", 9), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items),
        cmocka_unit_test(limits),
        cmocka_unit_test(digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
