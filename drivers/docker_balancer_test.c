/* The load balancer: what it is made of, how it learns of its backends; and what is published. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/docker_flow.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"
#include "model/balancer.h"

#define LB "a-external-load-balancer"
#define CP "a-control-plane"
#define CP2 "a-control-plane2"
#define HAPROXY "kind.local/haproxy:2.6"

static const char two[] = "kind: Cluster\n"
                          "apiVersion: kind.x-k8s.io/v1alpha4\n"
                          "name: a\n"
                          "networking: {apiServerAddress: 127.0.0.2, apiServerPort: 4711}\n"
                          "nodes: [{role: control-plane}, {role: control-plane}]\n";

static const struct cluster_spec *open_lab(struct fake_lab *lab,
                                           const struct fake_settings *settings)
{
    fake_lab_open(lab, settings);
    const struct cluster_spec *spec = fake_lab_spec(lab, two);
    fake_life_do(lab, spec, ACTION_NETWORK, "kind");
    return spec;
}

/* A string of the body by which a container was made, by keys and numbers: "Cmd.0"; or NULL. */
static const char *of_body(struct fake_lab *lab, const char *container, const char *path)
{
    const json_t *value = fake_look_container(lab->world, container);
    while (*path) {
        size_t length = strcspn(path, ":");
        const char *key = arena_string_n(lab->arena, path, length);
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        path += length + (path[length] == ':');
    }
    if (json_is_integer(value))
        return arena_format(lab->arena, "%lld", (long long)json_integer_value(value));
    return json_string_value(value);
}

static void chooses_an_image(void **state)
{
    (void)state;
    static const struct {
        const char *images[3], *registry[2];
        const char *want, *failure;
    } rows[] = {
        {{HAPROXY}, {NULL}, HAPROXY, NULL},
        {{HAPROXY, DOCKER_ENVOY_IMAGE}, {NULL}, DOCKER_ENVOY_IMAGE, NULL},
        {{"kind.local/haproxy:2.10", HAPROXY}, {NULL}, "kind.local/haproxy:2.10", NULL},
        {{NULL}, {DOCKER_ENVOY_IMAGE}, DOCKER_ENVOY_IMAGE, NULL},
        {{NULL},
         {NULL},
         NULL,
         "get the image: no image for the load balancer is on this engine, and " DOCKER_ENVOY_IMAGE
         " cannot be pulled (manifest for " DOCKER_ENVOY_IMAGE " not found: manifest unknown: "
         "manifest unknown); `make node-image` makes one"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].want);
        const struct fake_settings settings = {.images = rows[i].images,
                                               .registry = rows[i].registry};
        struct fake_lab lab;
        const struct cluster_spec *spec = open_lab(&lab, &settings);
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_BALANCER, LB);
        test_equal(failure ? failure->message : NULL, rows[i].failure);
        error_free(failure);
        test_equal(of_body(&lab, LB, "Image"), rows[i].want);
        fake_lab_close(&lab);
    }
}

static const char *const haproxy[] = {HAPROXY, NULL}, *const envoy[] = {DOCKER_ENVOY_IMAGE, NULL};
static const struct fake_settings with_haproxy = {.images = haproxy};
static const struct fake_settings with_envoy = {.images = envoy};

static void speaks_envoy(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab, &with_envoy);
    fake_life_do(&lab, spec, ACTION_BALANCER, LB);
    test_equal(of_body(&lab, LB, "Cmd:0"), "bash");
    test_equal(of_body(&lab, LB, "Cmd:1"), "-c");
    assert_non_null(strstr(of_body(&lab, LB, "Cmd:2"), "envoy -c " BALANCER_ENVOY_FOLDER));
    assert_non_null(strstr(fake_look_file(lab.world, LB, BALANCER_ENVOY_CDS), CP2));
    assert_non_null(strstr(fake_look_file(lab.world, LB, BALANCER_ENVOY_LDS), "listener"));
    assert_int_equal(fake_look_commands(lab.world, ""), 0);
    /* It runs: only a file that is moved is noticed. */
    fake_life_do(&lab, spec, ACTION_BALANCER, LB);
    assert_int_equal(fake_look_commands(lab.world, "mv " BALANCER_ENVOY_CDS ".tmp"), 1);
    assert_null(fake_look_file(lab.world, LB, BALANCER_ENVOY_CDS ".tmp"));
    assert_non_null(strstr(fake_look_file(lab.world, LB, BALANCER_ENVOY_CDS), CP2));
    assert_int_equal(fake_look_requests(lab.world, "/kill"), 0);
    fake_lab_close(&lab);
}

/* What runs is told; what stands still is started, and has read nothing old. */
static void is_told_of_its_backends(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t told, started;
    } rows[] = {
        {NULL, 1, 0},
        {"POST /containers/" LB "/pause", 1, 0},
        {"POST /containers/" LB "/stop", 0, 1},
        {"POST /_fake/exit?container=" LB "&code=1", 0, 1},
    };
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab, &with_haproxy);
    fake_life_do(&lab, spec, ACTION_BALANCER, LB);
    assert_null(of_body(&lab, LB, "Cmd:0"));
    struct cluster_spec one = *spec;
    one.node_count = 1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].before);
        if (rows[i].before)
            fake_lab_control(&lab, rows[i].before, NULL);
        fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
        fake_life_do(&lab, i % 2 ? &one : spec, ACTION_BALANCER, LB);
        assert_int_equal(fake_look_requests(lab.world, "/kill?signal=HUP"), rows[i].told);
        assert_int_equal(fake_look_requests(lab.world, "/start"), rows[i].started);
        const char *config = fake_look_file(lab.world, LB, BALANCER_HAPROXY_CONFIG);
        assert_int_equal(strstr(config, CP2) != NULL, i % 2 == 0);
        assert_int_equal(fake_look_containers(lab.world), 1);
    }
    fake_lab_close(&lab);
}

static void leaves_a_strangers_alone(void **state)
{
    (void)state;
    static const struct {
        const char *labels, *failure;
    } rows[] = {
        {"{\"io.x-k8s.kind.cluster\":\"a\"}",
         "look for the container: container " LB " was not made by fleet 'default'; left alone"},
        {"{}", "create the container: the name " LB " is taken by a container that fleet 'default' "
               "did not make; it is left alone: rename the cluster, or remove that container "
               "yourself"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].failure);
        struct fake_lab lab;
        const struct cluster_spec *spec = open_lab(&lab, &with_haproxy);
        fake_lab_control(
            &lab, "POST /containers/create?name=" LB,
            arena_format(lab.arena, "{\"Image\":\"" HAPROXY "\",\"Labels\":%s}", rows[i].labels));
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_BALANCER, LB);
        test_equal(failure ? failure->message : NULL, rows[i].failure);
        error_free(failure);
        assert_null(fake_look_file(lab.world, LB, BALANCER_HAPROXY_CONFIG));
        fake_lab_close(&lab);
    }
}

/* --- bodies of nodes --- */

#define PORT "HostConfig:PortBindings:6443/tcp:0:"
#define ALIAS "NetworkingConfig:EndpointsConfig:kind:Aliases:0"

static void publishes_the_api(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_lab(&lab, &with_haproxy);
    fake_life_do(&lab, spec, ACTION_BALANCER, LB);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP2);
    test_equal(of_body(&lab, LB, PORT "HostIp"), "127.0.0.2");
    test_equal(of_body(&lab, LB, PORT "HostPort"), "4711");
    test_equal(of_body(&lab, CP, PORT "HostIp"), "127.0.0.1");
    assert_string_not_equal(of_body(&lab, CP, PORT "HostPort"), "4711");
    test_equal(of_body(&lab, CP2, PORT "HostIp"), "127.0.0.1");
    test_equal(of_body(&lab, CP, ALIAS), NULL);
    test_equal(of_body(&lab, LB, ALIAS), NULL);
    test_equal(of_body(&lab, LB, "Labels:" LABEL_ROLE), ROLE_BALANCER);
    fake_lab_close(&lab);
}

static void limits_and_names_nodes(void **state)
{
    (void)state;
    static const char yaml[] = "apiVersion: fleet.kind/v1alpha1\n"
                               "kind: Cluster\n"
                               "metadata: {name: a}\n"
                               "spec:\n"
                               "  networking: {apiServerPort: 4711}\n"
                               "  nodes:\n"
                               "  - {role: control-plane, resources: {memory: 2Gi, cpus: 1.5}}\n"
                               "  - {role: worker, resources: {cpus: 500m}}\n";
    static const struct {
        const char *node, *path, *want;
    } rows[] = {
        {CP, "HostConfig:Memory", "2147483648"},
        {CP, "HostConfig:MemorySwap", "2147483648"},
        {CP, "HostConfig:NanoCpus", "1500000000"},
        {CP, PORT "HostIp", "127.0.0.1"},
        {CP, PORT "HostPort", "4711"},
        {CP, ALIAS, LB},
        {"a-worker", "HostConfig:Memory", NULL},
        {"a-worker", "HostConfig:MemorySwap", NULL},
        {"a-worker", "HostConfig:NanoCpus", "500000000"},
        {"a-worker", PORT "HostIp", NULL},
        {"a-worker", ALIAS, NULL},
    };
    struct fake_lab lab;
    fake_lab_open(&lab, NULL);
    const struct cluster_spec *spec = fake_lab_spec(&lab, yaml);
    fake_life_until(&lab, spec, ACTION_START_NODE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].path);
        test_equal(of_body(&lab, rows[i].node, rows[i].path), rows[i].want);
    }
    fake_lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_an_image),        cmocka_unit_test(speaks_envoy),
        cmocka_unit_test(is_told_of_its_backends), cmocka_unit_test(leaves_a_strangers_alone),
        cmocka_unit_test(publishes_the_api),       cmocka_unit_test(limits_and_names_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
