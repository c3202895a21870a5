#include "model/plan.h"

#include "base/memory.h"
#include "base/test.h"
#include <string.h>

static void make_plan(struct arena *arena, struct plan *plan)
{
    plan_init(plan, arena, "a");
    size_t network = plan_add(plan, ACTION_NETWORK, CHANGE_LIVE, "kind", "new cluster");
    size_t image = plan_add(plan, ACTION_IMAGE, CHANGE_LIVE, "default", NULL);
    size_t node = plan_add(plan, ACTION_CREATE_NODE, CHANGE_LIVE, "a-control-plane", "missing");
    plan_after(plan, node, network);
    plan_after(plan, node, image);
    plan_add(plan, ACTION_DELETE_NODE, CHANGE_REMOVE, "a-worker", "not in the spec");
    plan_refuse(plan, CHANGE_RECREATE, "networking.podSubnet", "%s -> %s", "x", "y");
}

static void test_print(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan;
    make_plan(arena, &plan);
    cleanup_text struct text text;
    text_init(&text, 0);
    plan_print(&plan, &text);
    test_equal(text.data, "network kind (new cluster)\n"
                          "image default\n"
                          "create-node a-control-plane <- 0 1 (missing)\n"
                          "delete-node a-worker [remove] (not in the spec)\n"
                          "! networking.podSubnet [recreate]: x -> y\n");
}

static void test_json(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan;
    make_plan(arena, &plan);
    json_t *json = plan_json(&plan);
    cleanup_free char *got = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    test_equal(got, "{\"cluster\":\"a\",\"actions\":["
                    "{\"kind\":\"network\",\"subject\":\"kind\",\"class\":\"live\","
                    "\"reason\":\"new cluster\",\"after\":[]},"
                    "{\"kind\":\"image\",\"subject\":\"default\",\"class\":\"live\","
                    "\"reason\":null,\"after\":[]},"
                    "{\"kind\":\"create-node\",\"subject\":\"a-control-plane\",\"class\":\"live\","
                    "\"reason\":\"missing\",\"after\":[0,1]},"
                    "{\"kind\":\"delete-node\",\"subject\":\"a-worker\",\"class\":\"remove\","
                    "\"reason\":\"not in the spec\",\"after\":[]}],"
                    "\"refused\":[{\"subject\":\"networking.podSubnet\",\"class\":\"recreate\","
                    "\"reason\":\"x -> y\"}],\"held\":null}");
}

static void test_first_and_held(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan;
    cleanup_error struct error *err = NULL;
    cleanup_text struct text text;
    text_init(&text, 0);
    make_plan(arena, &plan);
    plan_add_first(&plan, ACTION_MARKS, CHANGE_LIVE, "a", "protect: false -> true");
    assert_int_equal(plan_check(&plan, &err), 0);
    plan_print(&plan, &text);
    test_equal(text.data, "marks a (protect: false -> true)\n"
                          "network kind (new cluster)\n"
                          "image default\n"
                          "create-node a-control-plane <- 1 2 (missing)\n"
                          "delete-node a-worker [remove] (not in the spec)\n"
                          "! networking.podSubnet [recreate]: x -> y\n");
    text_clear(&text);
    plan_hold(&plan, "stopped by hand");
    plan_print(&plan, &text);
    test_equal(text.data, "= stopped by hand\n");
    assert_int_equal(plan.record.count, 0);
}

static void test_strings_are_copied(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan;
    char name[] = "a", reason[] = "because";
    plan_init(&plan, arena, name);
    plan_add(&plan, ACTION_RECORD, CHANGE_LIVE, name, reason);
    plan_refuse(&plan, CHANGE_LIVE, name, "%s", reason);
    name[0] = reason[0] = 'X';
    test_equal(plan.cluster, "a");
    test_equal(plan.actions[0].subject, "a");
    test_equal(plan.actions[0].reason, "because");
    test_equal(plan.refused[0].subject, "a");
    test_equal(plan.refused[0].reason, "because");
}

static void test_class(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan;
    plan_init(&plan, arena, "a");
    assert_int_equal(plan_class(&plan), CHANGE_LIVE);
    make_plan(arena, &plan);
    assert_int_equal(plan_class(&plan), CHANGE_REMOVE); /* what is refused does not count */
    plan_add(&plan, ACTION_FORGET, CHANGE_DELETE, "a", NULL);
    assert_int_equal(plan_class(&plan), CHANGE_DELETE);
}

static void break_nothing(struct plan *plan)
{
    plan_after(plan, 3, 2);
}

static void break_itself(struct plan *plan)
{
    plan_after(plan, 2, 2);
}

static void break_later(struct plan *plan)
{
    plan_after(plan, 1, 3);
}

static void break_twice(struct plan *plan)
{
    plan_add(plan, ACTION_IMAGE, CHANGE_LIVE, "default", "again");
}

static void break_not_twice(struct plan *plan)
{
    plan_add(plan, ACTION_START_NODE, CHANGE_LIVE, "default", "another kind");
    plan_add(plan, ACTION_IMAGE, CHANGE_LIVE, "other", "another subject");
}

static void break_subject(struct plan *plan)
{
    plan_add(plan, ACTION_IMAGE, CHANGE_LIVE, NULL, NULL);
}

static void break_kind(struct plan *plan)
{
    plan_add(plan, (enum action_kind)ACTION_KINDS, CHANGE_LIVE, "a", NULL);
}

static void break_not_count(struct plan *plan)
{
    while (plan->count < PLAN_ACTIONS_MAX)
        plan_add(plan, ACTION_DELETE_NODE, CHANGE_LIVE,
                 arena_format(plan->arena, "%zu", plan->count), NULL);
}

static void break_count(struct plan *plan)
{
    break_not_count(plan);
    plan_add(plan, ACTION_DELETE_NODE, CHANGE_LIVE, "one more", NULL);
}

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*change)(struct plan *plan);
        const char *want;
    } rows[] = {
        {"sound", break_nothing, ""},
        {"waits for itself", break_itself,
         "plan of a: action 2: waits for 2, which is not earlier"},
        {"waits for a later one", break_later,
         "plan of a: action 1: waits for 3, which is not earlier"},
        {"twice the same", break_twice, "plan of a: action 4: is image default as 1 is"},
        {"not quite the same", break_not_twice, ""},
        {"no subject", break_subject, "plan of a: action 4: has no kind or no subject"},
        {"no kind", break_kind, "plan of a: action 4: has no kind or no subject"},
        {"as long as can be", break_not_count, ""},
        {"too long", break_count, "plan of a: 513 actions, more than 512"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct plan plan;
        make_plan(arena, &plan);
        rows[i].change(&plan);
        assert_int_equal(plan_check(&plan, &err), *rows[i].want ? -1 : 0);
        test_equal(err ? err->message : "", rows[i].want);
        assert_true(!err || err->kind == ERROR_INTERNAL);
    }
}

/* Every kind has a name for machines and words for people, all different. */
static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < ACTION_KINDS; i++) {
        assert_non_null(action_kind_name((enum action_kind)i));
        assert_non_null(action_kind_words((enum action_kind)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(action_kind_name((enum action_kind)i),
                                    action_kind_name((enum action_kind)j));
    }
    test_equal(action_kind_name(ACTION_CREATE_NODE), "create-node");
    test_equal(action_kind_words(ACTION_CREATE_NODE), "create node");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),          cmocka_unit_test(test_json),
        cmocka_unit_test(test_first_and_held), cmocka_unit_test(test_strings_are_copied),
        cmocka_unit_test(test_class),          cmocka_unit_test(test_check),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
