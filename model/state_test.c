#include "model/state.h"

#include "base/memory.h"
#include "base/test.h"

static void test_find(void **state)
{
    (void)state;
    static const struct cluster_state clusters[] = {{.name = "a"}, {.name = "ab"}, {.name = "c"}};
    static const char *const strangers[] = {"", "aa", "b", "d"};
    for (size_t count = 0; count <= COUNT_OF(clusters); count++) {
        const struct fleet_state fleet = {clusters, count};
        for (size_t i = 0; i < COUNT_OF(clusters); i++)
            assert_ptr_equal(fleet_state_find(&fleet, clusters[i].name),
                             i < count ? &clusters[i] : NULL);
        for (size_t i = 0; i < COUNT_OF(strangers); i++)
            assert_null(fleet_state_find(&fleet, strangers[i]));
    }
}

static void test_owned(void **state)
{
    (void)state;
    static const struct {
        const char *name, *owners[2];
        size_t count;
        bool owned;
    } rows[] = {
        {"no nodes", {NULL, NULL}, 0, true},      {"ours", {"lab", "lab"}, 2, true},
        {"nobody's", {NULL, NULL}, 1, false},     {"another's", {"ci", NULL}, 1, false},
        {"partly ours", {"lab", "ci"}, 2, false}, {"a longer name", {"lab2", NULL}, 1, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        const struct node_state nodes[] = {{.owner = rows[i].owners[0]},
                                           {.owner = rows[i].owners[1]}};
        const struct cluster_state cluster = {.nodes = nodes, .node_count = rows[i].count};
        assert_int_equal(cluster_state_owned(&cluster, "lab"), rows[i].owned);
    }
}

static void test_status_names(void **state)
{
    (void)state;
    test_equal(container_status_name(CONTAINER_CREATED), "created");
    test_equal(container_status_name(CONTAINER_RUNNING), "running");
    test_equal(container_status_name(CONTAINER_PAUSED), "paused");
    test_equal(container_status_name(CONTAINER_RESTARTING), "restarting");
    test_equal(container_status_name(CONTAINER_REMOVING), "removing");
    test_equal(container_status_name(CONTAINER_EXITED), "exited");
    test_equal(container_status_name(CONTAINER_DEAD), "dead");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_owned),
        cmocka_unit_test(test_status_names),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
