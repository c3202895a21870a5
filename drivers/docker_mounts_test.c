/* What a policy allowed to be mounted must still be there when the container is made. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_life.h"
#include <unistd.h>

#define CP "a-control-plane"

static char folder[] = "/tmp/docker-mounts-XXXXXX";

/* The spec of a cluster with one mount, of a link in the folder, which led to this. */
static struct cluster_spec *spec_of(struct fake_lab *lab, const char *led_to)
{
    char *yaml = arena_format(lab->arena,
                              "{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, name: a, nodes: "
                              "[{extraMounts: [{hostPath: %s/link/x, containerPath: /x}]}]}\n",
                              folder);
    struct cluster_spec *spec = arena_alloc(lab->arena, sizeof(*spec));
    struct node_spec *node = arena_alloc(lab->arena, sizeof(*node));
    struct mount_spec *mount = arena_alloc(lab->arena, sizeof(*mount));
    *spec = *fake_lab_spec(lab, yaml);
    *node = spec->nodes[0];
    *mount = node->mounts[0];
    mount->checked_path = led_to;
    node->mounts = mount;
    spec->nodes = node;
    return spec;
}

static struct error *create(struct fake_lab *lab, const char *led_to)
{
    fake_lab_open(lab, NULL);
    const struct cluster_spec *spec = spec_of(lab, led_to);
    fake_life_do(lab, spec, ACTION_NETWORK, "kind");
    return fake_lab_apply(lab, spec, ACTION_CREATE_NODE, CP);
}

static void makes_it_while_it_leads_there(void **state)
{
    (void)state;
    struct fake_lab lab;
    assert_int_equal(symlink("/srv", "link"), 0);
    assert_null(create(&lab, "/srv/x"));
    fake_lab_close(&lab);
    assert_null(create(&lab, NULL));
    fake_lab_close(&lab);
}

static void makes_nothing_when_it_leads_elsewhere(void **state)
{
    (void)state;
    static const char *const targets[] = {"/etc", "link", "/srv/.."};
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        struct fake_lab lab;
        test_row(targets[i]);
        (void)unlink("link");
        assert_int_equal(symlink(targets[i], "link"), 0);
        struct error *failure = create(&lab, "/srv/x");
        assert_non_null(failure);
        assert_int_equal(failure->kind, ERROR_CONFLICT);
        assert_non_null(strstr(failure->message, "led to /srv/x when the policy allowed it"));
        error_free(failure);
        struct fake_client client = {.world = lab.world};
        test_equal(fake_ask(&client, "GET /containers/json?all=1", NULL), "[]\n");
        fake_client_done(&client);
        fake_lab_close(&lab);
    }
}

static int enter(void **state)
{
    (void)state;
    return !mkdtemp(folder) || chdir(folder);
}

static int leave(void **state)
{
    (void)state;
    return unlink("link") || chdir("/") || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_it_while_it_leads_there),
        cmocka_unit_test(makes_nothing_when_it_leads_elsewhere),
    };
    return cmocka_run_group_tests_name("docker_mounts", tests, enter, leave);
}
