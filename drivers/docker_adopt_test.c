/* A cluster that another tool made: nobody's, then adopted, then ours. */
#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/archive.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_look.h"
#include "drivers/fake_town.h"
#include "model/facet.h"
#include <string.h>

static const char *const containers[] = {TOWN_CP, TOWN_WORKER, TOWN_WORKER2};

/* As upstream's kind would have made it. */
static void disown(struct fake_town *town)
{
    for (size_t i = 0; i < COUNT_OF(containers); i++)
        fake_lab_control(
            &town->lab,
            arena_format(town->lab.arena, "POST /_fake/disown?container=%s", containers[i]), NULL);
}

static void open_disowned(struct fake_town *town)
{
    fake_town_open(town);
    disown(town);
    for (size_t i = 0; i < COUNT_OF(town->nodes); i++)
        town->nodes[i].image = "kind.local/node:v1.20.2";
}

static struct cluster_state observed(struct fake_town *town)
{
    struct cluster_state state;
    struct error *failure = fake_lab_observe(&town->lab, "a", &town->spec, &state);
    test_equal(failure ? failure->message : NULL, NULL);
    return state;
}

static void check_adopted(struct fake_town *town)
{
    struct cluster_state seen = observed(town);
    assert_true(cluster_state_owned(&seen, town->lab.options.fleet));
    assert_int_equal(seen.recorded, SEEN_YES);
    test_equal(seen.marks.owner, town->lab.options.fleet);
    assert_int_equal(seen.ready, SEEN_YES);
}

static void becomes_ours(void **state)
{
    (void)state;
    struct fake_town town;
    open_disowned(&town);
    struct cluster_state seen = observed(&town);
    assert_null(seen.nodes[0].owner);
    assert_int_equal(seen.recorded, SEEN_UNKNOWN);
    fake_town_badly(
        &town, ACTION_STOP_NODE, TOWN_WORKER,
        "find the node: container a-worker was not made by fleet 'default'; left alone");
    fake_lab_control(&town.lab, "POST /_fake/reset-log", NULL);
    const struct marks marks = {.protect = true};
    town.lab.marks = &marks;
    fake_town_well(&town, ACTION_ADOPT, "a");
    /* One file is written, and nothing else. */
    assert_int_equal(fake_look_requests(town.lab.world, "PUT "), 1);
    assert_int_equal(fake_look_requests(town.lab.world, "POST "), 0);
    assert_int_equal(fake_look_requests(town.lab.world, "DELETE "), 0);
    test_equal(strchr(fake_look_file(town.lab.world, TOWN_CP, "/kind/fleet.digest"), '+'),
               "+protect+owner-default");
    check_adopted(&town);
    struct facet_list want;
    spec_facets(town.lab.arena, &town.spec, &want);
    seen = observed(&town);
    assert_int_equal(seen.applied.count, want.count);
    for (size_t i = 0; i < want.count; i++)
        test_equal(seen.applied.items[i].value, want.items[i].value);
    fake_town_well(&town, ACTION_ADOPT, "a"); /* as after a crash */
    fake_town_close(&town);
}

/* What differs from the spec is recorded as it is, and what changes in place as not there. */
static void is_recorded_as_it_is(void **state)
{
    (void)state;
    static const struct pair label = {"tier", "db"};
    static const struct mount_spec mount = {.host_path = "/h", .container_path = "/c"};
    struct fake_town town;
    open_disowned(&town);
    town.spec.networking.pod_subnet = "10.8.0.0/16";
    town.nodes[1].labels = (struct pair_list){&label, 1};
    town.nodes[1].mounts = &mount;
    town.nodes[1].mount_count = 1;
    fake_town_well(&town, ACTION_ADOPT, "a");
    struct cluster_state seen = observed(&town);
    size_t subnets = 0;
    for (size_t i = 0; i < seen.applied.count; i++) {
        const struct facet *facet = &seen.applied.items[i];
        subnets += strcmp(facet->path, "networking.podSubnet") == 0 &&
                   strcmp(facet->value, "10.244.0.0/16") == 0;
        assert_null(strstr(facet->path, "labels"));
        assert_null(strstr(facet->path, "extraMounts"));
    }
    assert_int_equal(subnets, 1);
    fake_town_close(&town);
}

/* All that is done to clusters is done to this one: to containers with and without labels. */
static void lives_on(void **state)
{
    (void)state;
    struct fake_town town;
    open_disowned(&town);
    fake_town_well(&town, ACTION_ADOPT, "a");
    fake_town_well(&town, ACTION_NODE_SETTINGS, TOWN_WORKER);
    fake_town_well(&town, ACTION_DRAIN, TOWN_WORKER);
    fake_town_well(&town, ACTION_DELETE_NODE, TOWN_WORKER);
    fake_town_well(&town, ACTION_CREATE_NODE, TOWN_WORKER);
    fake_town_well(&town, ACTION_JOIN, TOWN_WORKER);
    fake_town_well(&town, ACTION_AWAIT_READY, "a");
    assert_true(strstr(fake_look_file(town.lab.world, TOWN_WORKER, "/kind/kubeadm.conf"),
                       "apiServerEndpoint: " TOWN_CP ":6443"));
    test_equal(fake_look_label(town.lab.world, TOWN_WORKER, LABEL_OWNER), "default");
    check_adopted(&town);
    const struct marks marks = {.owner = "default"};
    town.lab.marks = &marks;
    fake_town_well(&town, ACTION_RECORD, "a");
    fake_town_well(&town, ACTION_STOP_NODE, TOWN_WORKER2);
    fake_town_close(&town);
}

static void put_link(struct fake_town *town, const char *target)
{
    const struct archive_file link = {.path = "kind/fleet.digest", .link = target, .mode = 0777};
    struct fake_client client = {.world = town->lab.world, .now_ms = town->lab.transport.now_ms};
    struct error *err = NULL;
    struct text tar;
    text_init(&tar, 0);
    assert_int_equal(archive_pack(&link, 1, &tar, &err), 0);
    fake_ask_bytes(&client, "PUT /containers/" TOWN_CP "/archive?path=/", NULL, tar.data,
                   tar.length);
    assert_int_equal(client.status, 200);
    fake_client_done(&client);
    text_done(&tar);
}

static void of_another_fleet_is_left_alone(void **state)
{
    (void)state;
    struct fake_town town;
    open_disowned(&town);
    put_link(&town, "none+owner-other");
    struct cluster_state seen = observed(&town);
    for (size_t i = 0; i < seen.node_count; i++)
        test_equal(seen.nodes[i].owner, "other");
    fake_lab_control(&town.lab, "POST /_fake/reset-log", NULL);
    fake_town_badly(&town, ACTION_ADOPT, "a",
                    "look at the cluster: a-control-plane is of fleet 'other'; left alone");
    fake_town_badly(
        &town, ACTION_STOP_NODE, TOWN_WORKER,
        "find the node: container a-worker was not made by fleet 'default'; left alone");
    assert_int_equal(fake_look_requests(town.lab.world, "PUT "), 0);
    assert_int_equal(fake_look_requests(town.lab.world, "POST "), 0);
    fake_town_close(&town);
}

/* A container with another fleet's label is not adopted with the rest. */
static void labels_count_more(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    fake_lab_control(&town.lab, "POST /_fake/disown?container=" TOWN_CP, NULL);
    put_link(&town, "none+owner-other");
    fake_town_badly(
        &town, ACTION_STOP_NODE, TOWN_CP,
        "find the node: container a-control-plane was not made by fleet 'default'; left "
        "alone");
    fake_town_well(&town, ACTION_STOP_NODE, TOWN_WORKER);
    fake_town_close(&town);
}

static void nobody_can_tell(void **state)
{
    (void)state;
    struct fake_town town;
    open_disowned(&town);
    struct fake_client client = {.world = town.lab.world, .now_ms = town.lab.transport.now_ms};
    assert_int_equal(fake_exec(&client, TOWN_CP, "rm /kind/kubeadm.conf"), 0);
    fake_client_done(&client);
    fake_town_badly(&town, ACTION_ADOPT, "a",
                    "read its configuration: a-control-plane has no /kind/kubeadm.conf, so nobody "
                    "can tell how the cluster was set up");
    fake_lab_control(&town.lab, "DELETE /containers/" TOWN_CP "?force=1", NULL);
    fake_town_badly(&town, ACTION_ADOPT, "a",
                    "look at the cluster: no control plane of a is there");
    fake_town_close(&town);
}

static void survives_faults(void **state)
{
    (void)state;
    struct fake_town town;
    open_disowned(&town);
    fake_town_torment(&town, ACTION_ADOPT, "a", check_adopted, disown);
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_ours),      cmocka_unit_test(is_recorded_as_it_is),
        cmocka_unit_test(lives_on),          cmocka_unit_test(of_another_fleet_is_left_alone),
        cmocka_unit_test(labels_count_more), cmocka_unit_test(nobody_can_tell),
        cmocka_unit_test(survives_faults),
    };
    return cmocka_run_group_tests_name("docker_adopt", tests, NULL, NULL);
}
