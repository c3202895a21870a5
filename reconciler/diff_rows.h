/*
 * diff_rows.h - rows of desired and observed clusters and their plans, for tests of the diff.
 */
#ifndef RECONCILER_DIFF_ROWS_H
#define RECONCILER_DIFF_ROWS_H

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "reconciler/diff.h"
#include "reconciler/notation.h"

/* made NULL: the cluster was made by the spec that is desired now. */
struct row {
    const char *name, *desired, *made, *observed, *policy, *plan;
};

static inline enum diff_wish read_wish(const char *text)
{
    static const struct {
        const char *word;
        enum diff_wish wish;
    } wishes[] = {{"stop", DIFF_STOP},
                  {"start", DIFF_START},
                  {"suspend", DIFF_SUSPEND},
                  {"resume", DIFF_RESUME}};
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        if (strstr(text, wishes[i].word))
            return wishes[i].wish;
    }
    return DIFF_CONVERGE;
}

static inline struct diff_policy read_policy(const char *text)
{
    return (struct diff_policy){
        .fleet = NOTATION_FLEET,
        .network = "kind",
        .allow_replace = strstr(text, "replace") != NULL,
        .allow_recreate = strstr(text, "recreate") != NULL,
        .allow_delete = strstr(text, "delete") != NULL,
        .any_owner = strstr(text, "any") != NULL,
        .adopt = strstr(text, "adopt") != NULL,
        .unprotect = strstr(text, "unprotect") != NULL,
        .wish = read_wish(text),
        .end_reason = strstr(text, "expired") ? "its ttl of 1h is over" : NULL,
    };
}

/* Plans a row in an arena of its own; the caller frees the text. */
static inline char *plan_of(const struct row *row)
{
    cleanup_arena struct arena *arena = arena_new();
    const struct cluster_spec *desired = notation_spec(arena, row->desired);
    const struct cluster_spec *made = row->made ? notation_spec(arena, row->made) : desired;
    struct cluster_state observed = notation_state_beside(arena, desired, made, row->observed);
    struct diff_policy policy = read_policy(row->policy);
    struct plan plan;
    diff_cluster(arena, desired, &observed, &policy, &plan);
    cleanup_error struct error *err = NULL;
    if (plan_check(&plan, &err) < 0)
        fail_msg("%s: %s", row->name, err->message);
    cleanup_text struct text text;
    text_init(&text, 0);
    plan_print(&plan, &text);
    return text_take(&text);
}

static inline void check_plans(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row(rows[i].name);
        cleanup_free char *got = plan_of(&rows[i]);
        if (rows[i].plan[0] != '@') {
            test_equal(got, rows[i].plan);
            continue;
        }
        cleanup_free char *path =
            memory_format("reconciler/testdata/%s/plan.txt", rows[i].plan + 1);
        test_golden(got, path);
    }
}

static inline void check_same_bytes_twice(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row(rows[i].name);
        cleanup_free char *first = plan_of(&rows[i]);
        cleanup_free char *second = plan_of(&rows[i]);
        test_equal(second, first);
    }
}

/* Whatever is desired and allowed: with a stranger among the nodes there is no action. */
static inline void check_strangers_are_safe(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row(rows[i].name);
        cleanup_free char *observed = memory_format("%s lb:running:upstream", rows[i].observed);
        struct row row = rows[i];
        row.observed = observed;
        row.policy = "recreate delete replace";
        cleanup_free char *got = plan_of(&row);
        assert_true(got[0] == '!' && !strstr(got, "\ndelete") && strstr(got, "left alone"));
    }
}

#endif
