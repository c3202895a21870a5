/* What a cluster knows of itself: written to its control planes, and read again; and nodes that
 * stand still. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_look.h"
#include "drivers/fake_town.h"
#include <string.h>

static const struct marks stopped = {.stopped = true, .protect = true};

static const char *link_of(struct fake_town *town)
{
    return fake_look_file(town->lab.world, TOWN_CP, "/kind/fleet.digest");
}

static struct cluster_state observed(struct fake_town *town)
{
    struct cluster_state state;
    struct error *failure = fake_lab_observe(&town->lab, "a", &town->spec, &state);
    test_equal(failure ? failure->message : NULL, NULL);
    return state;
}

static void check_marked(struct fake_town *town)
{
    test_equal(strchr(link_of(town), '+'), "+protect+stopped");
}

static void renew(struct fake_town *town)
{
    (void)town; /* it may be written again at any time */
}

static void are_written_and_read(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    fake_town_well(&town, ACTION_RECORD, "a");
    char *digest = memory_string(link_of(&town));
    assert_null(strchr(digest, '+'));
    town.lab.marks = &stopped;
    fake_town_well(&town, ACTION_MARKS, "a");
    assert_int_equal(strncmp(link_of(&town), digest, strlen(digest)), 0);
    check_marked(&town);
    struct cluster_state seen = observed(&town);
    assert_true(seen.marks.stopped && seen.marks.protect && !seen.marks.suspended);
    assert_int_equal(seen.marked, SEEN_YES);
    assert_int_equal(seen.recorded, SEEN_YES);
    fake_town_well(&town, ACTION_RECORD, "a");
    check_marked(&town);
    town.lab.marks = NULL;
    fake_town_well(&town, ACTION_MARKS, "a");
    test_equal(link_of(&town), digest);
    free(digest);
    fake_town_close(&town);
}

/* Before the set-up has finished there is no digest, and there may be marks. */
static void stand_alone(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    struct fake_client client = {.world = town.lab.world, .now_ms = town.lab.transport.now_ms};
    assert_int_equal(fake_exec(&client, TOWN_CP, "rm /kind/fleet.json /kind/fleet.digest"), 0);
    fake_client_done(&client);
    town.lab.marks = &stopped;
    fake_town_well(&town, ACTION_MARKS, "a");
    test_equal(link_of(&town), "none+protect+stopped");
    struct cluster_state seen = observed(&town);
    assert_true(seen.marks.stopped);
    assert_int_equal(seen.marked, SEEN_YES);
    fake_town_close(&town);
}

static void survive_faults(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    fake_town_well(&town, ACTION_RECORD, "a");
    town.lab.marks = &stopped;
    fake_town_torment(&town, ACTION_MARKS, "a", check_marked, renew);
    fake_town_close(&town);
}

static void check_still(struct fake_town *town)
{
    struct cluster_state seen = observed(town);
    for (size_t i = 0; i < seen.node_count; i++)
        if (strcmp(seen.nodes[i].name, TOWN_WORKER) == 0)
            assert_int_equal(seen.nodes[i].status, CONTAINER_EXITED);
}

static void start_again(struct fake_town *town)
{
    fake_lab_control(&town->lab, "POST /containers/" TOWN_WORKER "/start", NULL);
}

static void nodes_stand_still(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    fake_town_well(&town, ACTION_STOP_NODE, TOWN_WORKER);
    check_still(&town);
    fake_town_well(&town, ACTION_STOP_NODE, TOWN_WORKER); /* it does already */
    start_again(&town);
    fake_town_torment(&town, ACTION_STOP_NODE, TOWN_WORKER, check_still, start_again);
    fake_lab_control(&town.lab, "DELETE /containers/" TOWN_WORKER2 "?force=1", NULL);
    fake_town_badly(&town, ACTION_STOP_NODE, TOWN_WORKER2,
                    "find the node: the container of a is gone");
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_written_and_read),
        cmocka_unit_test(stand_alone),
        cmocka_unit_test(survive_faults),
        cmocka_unit_test(nodes_stand_still),
    };
    return cmocka_run_group_tests_name("docker_marks", tests, NULL, NULL);
}
