/* Nodes of the fake world whose units died: how it is seen, what starts again, and who is given up.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_town.h"

#define NODE "/api/v1/nodes/" TOWN_WORKER
#define BROKEN "/etc/systemd/system/kubelet.service.d/broken.conf"
#define STOP "systemctl stop kubelet"
#define STARTED TOWN_WORKER ": kubelet is inactive; is started"

enum { LOST_MS = 40 * 1000, QUICK_MS = 10 * 1000, HANGS_MS = 60 * 1000 };

static void in_node(struct fake_town *town, const char *node, const char *command)
{
    struct fake_client client = {.world = town->lab.world, .now_ms = town->lab.transport.now_ms};
    assert_int_equal(fake_exec(&client, node, command), 0);
    fake_client_done(&client);
}

/* The fault, and the time that the cluster needs to see it. */
static void hurt(struct fake_town *town, const char *node, const char *command)
{
    in_node(town, node, command);
    town->lab.transport.now_ms += LOST_MS;
}

static struct node_state see(struct fake_town *town, const char *name)
{
    struct cluster_state state = {0};
    struct error *failure = fake_lab_observe(&town->lab, "a", &town->spec, &state);
    assert_null(failure);
    for (size_t i = 0; i < state.node_count; i++)
        if (strcmp(state.nodes[i].name, name) == 0)
            return state.nodes[i];
    fail_msg("%s is not there", name);
    return (struct node_state){0};
}

static void is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *name, *command;
        bool silent;
    } rows[] = {
        {"stopped", STOP, true},
        {"frozen", "systemctl freeze kubelet", true},
        {"without containerd", "systemctl stop containerd", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct fake_town town;
        fake_town_open(&town);
        struct node_state before = see(&town, TOWN_WORKER);
        assert_int_equal(before.node_ready, SEEN_YES);
        assert_false(before.silent);
        hurt(&town, TOWN_WORKER, rows[i].command);
        struct node_state after = see(&town, TOWN_WORKER);
        assert_int_equal(after.joined, SEEN_YES);
        assert_int_equal(after.node_ready, SEEN_NO);
        assert_int_equal(after.silent, rows[i].silent);
        test_equal(after.given_up, NULL);
        assert_int_equal(see(&town, TOWN_WORKER2).node_ready, SEEN_YES);
        fake_town_close(&town);
    }
}

static void is_revived(void **state)
{
    (void)state;
    static const struct {
        const char *name, *node, *command, *command2, *notes;
        uint64_t longest_ms;
    } rows[] = {
        {"stopped", TOWN_WORKER, STOP, NULL, STARTED, QUICK_MS},
        {"masked", TOWN_WORKER, STOP, "systemctl mask kubelet", STARTED, QUICK_MS},
        {"without containerd", TOWN_WORKER, "systemctl stop containerd", NULL,
         TOWN_WORKER ": containerd is inactive; is started", QUICK_MS},
        {"without both", TOWN_WORKER, "systemctl stop containerd", STOP,
         TOWN_WORKER ": containerd is inactive; is started", QUICK_MS},
        {"a control plane", TOWN_CP, STOP, NULL, TOWN_CP ": kubelet is inactive; is started",
         QUICK_MS},
        {"frozen", TOWN_WORKER, "systemctl freeze kubelet", NULL, "", HANGS_MS + QUICK_MS},
        {"well", TOWN_WORKER, "true", NULL, "", QUICK_MS},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct fake_town town;
        fake_town_open(&town);
        if (rows[i].command2)
            in_node(&town, rows[i].node, rows[i].command2);
        hurt(&town, rows[i].node, rows[i].command);
        uint64_t began_ms = town.lab.transport.now_ms;
        fake_town_well(&town, ACTION_REVIVE, rows[i].node);
        test_equal(town.lab.notes, rows[i].notes);
        assert_true(town.lab.transport.now_ms - began_ms < rows[i].longest_ms);
        assert_int_equal(see(&town, rows[i].node).node_ready, SEEN_YES);
        fake_town_close(&town);
    }
}

static void break_kubelet(struct fake_town *town, const char *node)
{
    in_node(town, node, "mkdir " BROKEN);
    hurt(town, node, STOP);
}

#define FAILED "Job for kubelet.service failed because the control process exited with error code."

/* It is written on the Node, for the next plan; never on that of a control plane. */
static void is_given_up(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    break_kubelet(&town, TOWN_WORKER);
    fake_town_badly(&town, ACTION_REVIVE, TOWN_WORKER,
                    "give it up: node " TOWN_WORKER " does not come back: " FAILED);
    test_equal(see(&town, TOWN_WORKER).given_up, FAILED);
    fake_town_badly(&town, ACTION_REVIVE, TOWN_WORKER, /* again, if need be */
                    "give it up: node " TOWN_WORKER " does not come back: " FAILED);
    break_kubelet(&town, TOWN_CP);
    fake_town_badly(&town, ACTION_REVIVE, TOWN_CP,
                    "give it up: node " TOWN_CP " does not come back: " FAILED);
    test_equal(see(&town, TOWN_CP).given_up, NULL);
    fake_town_close(&town);
}

/* A process that died in a join may leave a Node that no kubelet ever spoke for: nothing starts. */
static void never_joined(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    in_node(&town, TOWN_WORKER, "rm /etc/kubernetes/kubelet.conf /var/lib/kubelet/config.yaml");
    hurt(&town, TOWN_WORKER, STOP);
    uint64_t began_ms = town.lab.transport.now_ms;
    fake_town_badly(&town, ACTION_REVIVE, TOWN_WORKER,
                    "give it up: node " TOWN_WORKER " does not come back: it has never joined");
    assert_true(town.lab.transport.now_ms - began_ms < QUICK_MS);
    test_equal(see(&town, TOWN_WORKER).given_up, "it has never joined");
    fake_town_close(&town);
}

/* What was given up once, came back and is ill again, is helped again. */
static void is_forgiven(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    break_kubelet(&town, TOWN_WORKER);
    struct error *failure = fake_lab_apply(&town.lab, &town.spec, ACTION_REVIVE, TOWN_WORKER);
    assert_non_null(failure);
    error_free(failure);
    assert_non_null(see(&town, TOWN_WORKER).given_up);
    in_node(&town, TOWN_WORKER, "rm " BROKEN);
    fake_town_well(&town, ACTION_REVIVE, TOWN_WORKER);
    test_equal(see(&town, TOWN_WORKER).given_up, NULL);
    hurt(&town, TOWN_WORKER, STOP);
    test_equal(see(&town, TOWN_WORKER).given_up, NULL);
    assert_int_equal(see(&town, TOWN_WORKER).node_ready, SEEN_NO);
    fake_town_close(&town);
}

/* A Node that is not there any more is JOIN's business. */
static void passes_over_what_is_gone(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    hurt(&town, TOWN_WORKER, STOP);
    fake_town_ask(&town, "DELETE " NODE, NULL);
    fake_town_well(&town, ACTION_REVIVE, TOWN_WORKER);
    fake_town_close(&town);
}

static void is_well(struct fake_town *town)
{
    assert_int_equal(see(town, TOWN_WORKER).node_ready, SEEN_YES);
}

static void hurt_again(struct fake_town *town)
{
    hurt(town, TOWN_WORKER, STOP);
}

static void is_tormented(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    hurt_again(&town);
    fake_town_torment(&town, ACTION_REVIVE, TOWN_WORKER, is_well, hurt_again);
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_seen),      cmocka_unit_test(is_revived),
        cmocka_unit_test(is_given_up),  cmocka_unit_test(never_joined),
        cmocka_unit_test(is_forgiven),  cmocka_unit_test(passes_over_what_is_gone),
        cmocka_unit_test(is_tormented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
