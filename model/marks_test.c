#include "model/marks.h"

#include "base/memory.h"
#include "base/test.h"
#include <string.h>

/* What is read, printed again; and the digest before it. */
static void targets(void **state)
{
    (void)state;
    static const struct {
        const char *target, *digest, *again, *unknown;
    } rows[] = {
        {"sha256-0a1b", "0a1b", "sha256-0a1b", NULL},
        {"sha256-0a1b+protect", "0a1b", "sha256-0a1b+protect", NULL},
        {"none+suspended", NULL, "none+suspended", NULL},
        {"none", NULL, "none", NULL},
        {"", NULL, "none", NULL},
        {"sha256-", NULL, "none", NULL},
        {"sha512-0a1b", NULL, "none", NULL},
        {"somewhere", NULL, "none", NULL},
        {"sha256-a+stopped+suspended+expires-9+ttl-8+allow-delete+protect", "a",
         "sha256-a+protect+allow-delete+ttl-8+expires-9+suspended+stopped", NULL},
        {"sha256-a+stopped+stopped", "a", "sha256-a+stopped", NULL},
        {"sha256-a+new+protect+newer", "a", "sha256-a+protect", "new"},
        {"sha256-a+protected", "a", "sha256-a", "protected"},
        {"sha256-a+", "a", "sha256-a", ""},
        {"sha256-a+ttl", "a", "sha256-a", "ttl"},
        {"sha256-a+ttl-", "a", "sha256-a", "ttl-"},
        {"sha256-a+ttl-0", "a", "sha256-a", "ttl-0"},
        {"sha256-a+ttl--1", "a", "sha256-a", "ttl--1"},
        {"sha256-a+ttl- 1", "a", "sha256-a", "ttl- 1"},
        {"sha256-a+ttl-1234567890123", "a", "sha256-a", "ttl-1234567890123"},
        {"sha256-a+protect-1", "a", "sha256-a", "protect-1"},
        {"sha256-a+owner-lab.1_b-C+stopped", "a", "sha256-a+stopped+owner-lab.1_b-C", NULL},
        {"none+owner-lab", NULL, "none+owner-lab", NULL},
        {"sha256-a+owner", "a", "sha256-a", "owner"},
        {"sha256-a+owner-", "a", "sha256-a", "owner-"},
        {"sha256-a+owner-a b", "a", "sha256-a", "owner-a b"},
        {"sha256-a+owners-a", "a", "sha256-a", "owners-a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        struct marks marks;
        test_row(rows[i].target);
        const char *digest = marks_parse(arena, rows[i].target, &marks);
        test_equal(digest, rows[i].digest);
        test_equal(marks_print(arena, digest, &marks), rows[i].again);
        test_equal(marks.unknown, rows[i].unknown);
    }
}

static void long_targets_end(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    char target[2 * MARKS_TARGET_MAX + 1];
    struct marks marks;
    memset(target, 'x', sizeof(target) - 1);
    target[sizeof(target) - 1] = '\0';
    memcpy(target, "sha256-a+", 9);
    test_equal(marks_parse(arena, target, &marks), "a");
    assert_int_equal(strlen(marks.unknown), MARKS_TARGET_MAX - 9);
}

static void follow_a_spec(void **state)
{
    (void)state;
    const struct cluster_spec spec = {.protect = true, .ttl_s = 60, .suspend = true}, none = {0};
    struct marks marks = {.stopped = true, .suspended = true, .expires_at_s = 5};
    assert_false(marks_agree(&marks, &spec));
    assert_false(marks_agree(&marks, &none));
    marks_take(&marks, &spec);
    assert_true(marks_agree(&marks, &spec));
    assert_true(marks.protect && marks.ttl_s == 60 && !marks.expires_at_s);
    assert_true(marks.stopped && marks.suspended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(targets),
                                       cmocka_unit_test(long_targets_end),
                                       cmocka_unit_test(follow_a_spec)};
    return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
