/* The user's patches of containerd's configuration: once, from the file as it was, and in force. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"

#define CP "a-control-plane"
#define WORKER "a-worker"
#define FOLDER "/etc/containerd/"
#define CLUSTER                                                                                    \
    "kind: Cluster\n"                                                                              \
    "apiVersion: kind.x-k8s.io/v1alpha4\n"                                                         \
    "name: a\n"                                                                                    \
    "nodes: [{role: control-plane}, {role: worker}]\n"

static const char patched[] = CLUSTER "containerdConfigPatches:\n"
                                      "- |-\n"
                                      "  [plugins.'io.containerd.grpc.v1.cri']\n"
                                      "  sandbox_image = 'mine'\n";

static const struct cluster_spec *open_lab(struct fake_lab *lab, const char *yaml)
{
    fake_lab_open(lab, NULL);
    const struct cluster_spec *spec = fake_lab_spec(lab, yaml);
    fake_life_do(lab, spec, ACTION_NETWORK, "kind");
    return spec;
}

static void check(struct fake_lab *lab, const char *node, size_t restarts)
{
    const char *now = fake_look_file(lab->world, node, FOLDER "config.toml");
    const char *original = fake_look_file(lab->world, node, FOLDER "config.toml.unpatched");
    assert_non_null(strstr(now, "'mine'"));
    assert_null(strstr(now, "pause:3.2"));
    assert_non_null(strstr(original, "pause:3.2"));
    assert_null(fake_look_file(lab->world, node, FOLDER "config.toml.patched"));
    assert_int_equal(fake_look_commands(lab->world, "systemctl restart containerd"), restarts);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
}

/* Bootstrap and join look again, for a creation may have been cut short; and find it done. */
static void patches_once(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab, patched);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP);
    check(&lab, CP, 1);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, WORKER);
    check(&lab, WORKER, 1);
    fake_life_do(&lab, spec, ACTION_BOOTSTRAP, CP);
    check(&lab, CP, 0);
    fake_life_do(&lab, spec, ACTION_UPLOAD_CONFIG, "a");
    fake_life_do(&lab, spec, ACTION_TOKEN, "a");
    fake_life_do(&lab, spec, ACTION_JOIN, WORKER);
    check(&lab, WORKER, 0);
    fake_lab_close(&lab);
}

/* Cut short before a request: whoever comes next sees that it is not in force. */
static void is_in_force_in_the_end(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *plain = open_lab(&lab, CLUSTER);
    struct cluster_spec spec = *fake_lab_spec(&lab, patched);
    bool cut = true;
    for (unsigned at = 1; cut; at++) {
        fake_life_do(&lab, plain, ACTION_CREATE_NODE, CP);
        fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
        cleanup_free char *order = memory_format("{\"action\":\"fail\",\"match\":\"%s\",\"at\":%u}",
                                                 at % 2 ? "/exec" : "PUT ", (at + 1) / 2);
        fake_lab_control(&lab, "POST /_fake/fault", order);
        struct error *failure = fake_lab_apply(&lab, &spec, ACTION_BOOTSTRAP, CP);
        fake_lab_control(&lab, "POST /_fake/clear", NULL);
        cut = failure != NULL;
        error_free(failure);
        fake_life_do(&lab, &spec, ACTION_BOOTSTRAP, CP);
        check(&lab, CP, 1);
        fake_life_do(&lab, &spec, ACTION_DELETE_NODE, CP);
    }
    fake_lab_close(&lab);
}

/* In place, but the restart had failed. */
static void restarts_until_it_starts(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab, patched);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP);
    struct fake_client client = {.world = lab.world, .now_ms = lab.transport.now_ms};
    assert_int_equal(
        fake_exec(&client, CP, "cp " FOLDER "config.toml " FOLDER "config.toml.patched"), 0);
    fake_client_done(&client);
    fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
    fake_life_do(&lab, spec, ACTION_BOOTSTRAP, CP);
    check(&lab, CP, 1);
    fake_lab_close(&lab);
}

/* A bootstrap that goes on remembers what it had done, although it looked at containerd's files. */
static void keeps_what_the_bootstrap_has_seen(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab, patched);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP);
    fake_life_do(&lab, spec, ACTION_BOOTSTRAP, CP);
    fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
    fake_life_do(&lab, spec, ACTION_BOOTSTRAP, CP);
    assert_int_equal(fake_look_commands(lab.world, "kubeadm init phase certs"), 0);
    assert_int_equal(fake_look_commands(lab.world, "kubeadm init phase"), 1);
    fake_lab_close(&lab);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *command, *failure;
    } rows[] = {
        {CLUSTER "containerdConfigPatchesJSON6902:\n"
                 "- '[{\"op\": \"remove\", \"path\": \"/none\"}]'\n",
         "true", "patch containerd: containerdConfigPatchesJSON6902[0]: "},
        {patched, "rm " FOLDER "config.toml",
         "patch containerd: the image has no /etc/containerd/config.toml to patch"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].failure);
        struct fake_lab lab;
        const struct cluster_spec *plain = open_lab(&lab, CLUSTER);
        struct fake_client client = {.world = lab.world, .now_ms = lab.transport.now_ms};
        fake_life_do(&lab, plain, ACTION_CREATE_NODE, CP);
        assert_int_equal(fake_exec(&client, CP, rows[i].command), 0);
        fake_client_done(&client);
        const struct cluster_spec *spec = fake_lab_spec(&lab, rows[i].yaml);
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_BOOTSTRAP, CP);
        cleanup_free char *got =
            memory_string_n(failure->message, strnlen(failure->message, strlen(rows[i].failure)));
        test_equal(got, rows[i].failure);
        assert_int_equal(failure->kind, ERROR_INVALID);
        error_free(failure);
        assert_null(fake_look_file(lab.world, CP, FOLDER "config.toml.unpatched"));
        fake_lab_close(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_once),
        cmocka_unit_test(is_in_force_in_the_end),
        cmocka_unit_test(restarts_until_it_starts),
        cmocka_unit_test(keeps_what_the_bootstrap_has_seen),
        cmocka_unit_test(names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
