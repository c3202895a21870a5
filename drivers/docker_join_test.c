/* Joining, in the odd cases: what an earlier try has left, what others have taken. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/archive.h"
#include "drivers/docker_flow.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"
#include <stdio.h>

#define CP "a-control-plane"
#define CP2 "a-control-plane2"
#define WORKER "a-worker"
#define NODES "/api/v1/nodes/"
#define SECRETS "/api/v1/namespaces/kube-system/secrets/bootstrap-token-"
#define CONFLIST "/etc/cni/net.d/10-kind.conflist"

enum { FRAME_BYTES = 8 }; /* before what a command said */

static const char *const images[] = {"kind.local/haproxy:2.6", NULL};
static const char *const nodes[] = {"kind.local/node:v1.20.2", "example.org/node:v1.20.2", NULL};
static const struct fake_settings settings = {.images = images, .node_images = nodes};

#define CLUSTER                                                                                    \
    "kind: Cluster\n"                                                                              \
    "apiVersion: kind.x-k8s.io/v1alpha4\n"                                                         \
    "name: a\n"
#define ONE_AND_TWO "nodes: [{role: control-plane}, {role: worker}, {role: worker}]\n"
#define TWO_AND_ONE "nodes: [{role: control-plane}, {role: control-plane}, {role: worker}]\n"

/* A cluster whose nodes are there, but for their joining. */
static const struct cluster_spec *open_before(struct fake_lab *lab, const char *yaml)
{
    fake_lab_open(lab, &settings);
    const struct cluster_spec *spec = fake_lab_spec(lab, yaml);
    fake_life_until(lab, spec, ACTION_JOIN);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    return spec;
}

static void join(struct fake_lab *lab, const struct cluster_spec *spec, const char *node)
{
    fake_life_do(lab, spec, ACTION_JOIN, node);
}

static size_t commands(struct fake_lab *lab, const char *match)
{
    return fake_look_commands(lab->world, match);
}

/* The string of a Node at a path of keys, or NULL; in the lab's arena. */
static const char *of_node(struct fake_lab *lab, const char *node, const char *part,
                           const char *key)
{
    const char *path = arena_format(lab->arena, NODES "%s", node);
    const json_t *value = json_object_get(fake_look_object(lab->world, path), part);
    return arena_string(lab->arena, json_string_value(json_object_get(value, key)));
}

/* By the API of the first control plane. */
static void ask(struct fake_lab *lab, const char *line, const char *body)
{
    struct fake_client client = {
        .world = lab->world, .now_ms = lab->transport.now_ms, .api_of = CP};
    fake_ask_bytes(&client, line, "application/merge-patch+json", body, body ? strlen(body) : 0);
    assert_int_equal(client.status, 200);
    fake_client_done(&client);
}

static void put_file(struct fake_lab *lab, const char *node, const char *path, const char *text)
{
    struct fake_client client = {.world = lab->world, .now_ms = lab->transport.now_ms};
    const struct archive_file file = {.path = path, .bytes = text, .length = strlen(text)};
    cleanup_free char *line = memory_format("PUT /containers/%s/archive?path=/", node);
    struct error *err = NULL;
    struct text tar;
    text_init(&tar, 0);
    assert_int_equal(archive_pack(&file, 1, &tar, &err), 0);
    fake_ask_bytes(&client, line, NULL, tar.data, tar.length);
    assert_int_equal(client.status, 200);
    text_done(&tar);
    fake_client_done(&client);
}

/* --- what is there already --- */

static void joins_once(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER TWO_AND_ONE);
    join(&lab, spec, CP2);
    join(&lab, spec, WORKER);
    assert_int_equal(commands(&lab, "kubeadm join"), 2);
    fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
    join(&lab, spec, CP2);
    join(&lab, spec, WORKER);
    /* But for a look at etcd's members, and a kubelet may have died since. */
    assert_int_equal(commands(&lab, ""), 3);
    assert_int_equal(commands(&lab, "etcd look"), 1);
    assert_int_equal(commands(&lab, "kubelet.service"), 2);
    assert_int_equal(fake_look_requests(lab.world, "POST /api"), 0);
    assert_int_equal(fake_look_requests(lab.world, "PUT "), 0);
    fake_lab_close(&lab);
}

/* The container was deleted by hand: its Node is not that of the one made since. */
static void replaces_the_node_of_another_container(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER ONE_AND_TWO);
    join(&lab, spec, WORKER "2");
    join(&lab, spec, WORKER);
    const char *before = of_node(&lab, WORKER, "metadata", "uid");
    const char *range = of_node(&lab, WORKER, "spec", "podCIDR");
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, WORKER);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, WORKER);
    join(&lab, spec, WORKER);
    assert_int_equal(fake_look_requests(lab.world, "DELETE " NODES WORKER), 1);
    assert_string_not_equal(of_node(&lab, WORKER, "metadata", "uid"), before);
    test_equal(of_node(&lab, WORKER, "spec", "podCIDR"), range);
    fake_life_do(&lab, spec, ACTION_AWAIT_READY, "a");
    fake_lab_close(&lab);
}

/* Somebody deleted the Node: its kubelet only registers when it starts. */
static void restarts_a_forgotten_kubelet(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER ONE_AND_TWO);
    join(&lab, spec, WORKER);
    join(&lab, spec, WORKER "2");
    ask(&lab, "DELETE " NODES WORKER, NULL);
    fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
    join(&lab, spec, WORKER);
    assert_int_equal(commands(&lab, "systemctl restart kubelet.service"), 1);
    assert_int_equal(commands(&lab, "kubeadm"), 0);
    fake_life_do(&lab, spec, ACTION_AWAIT_READY, "a");
    assert_non_null(fake_look_object(lab.world, NODES WORKER));
    fake_lab_close(&lab);
}

static void begins_a_half_joined_control_plane_again(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER TWO_AND_ONE);
    put_file(&lab, CP2, "etc/kubernetes/kubelet.conf", "of the first try");
    put_file(&lab, CP2, "etc/kubernetes/pki/ca.crt", "of the first try");
    join(&lab, spec, CP2);
    assert_int_equal(commands(&lab, "kubeadm reset --force"), 1);
    assert_int_equal(commands(&lab, "exec kubeadm join"), 1);
    assert_int_equal(json_array_size(fake_look_members(lab.world)), 2);
    test_equal(fake_look_file(lab.world, CP2, "/etc/kubernetes/pki/ca.crt"),
               fake_look_file(lab.world, CP, "/etc/kubernetes/pki/ca.crt"));
    fake_lab_close(&lab);
}

/*
 * The first control plane stands still, or was made anew and has not joined:
 * another one is asked, and its files are copied.
 */
static void asks_a_control_plane_that_runs(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec =
        open_before(&lab, CLUSTER "nodes: [{role: control-plane}, {role: control-plane}, {role: "
                                  "control-plane}, {role: control-plane}, {role: worker}]\n");
    join(&lab, spec, CP2);
    join(&lab, spec, CP "3");
    fake_lab_control(&lab, "POST /containers/" CP "/stop", NULL);
    join(&lab, spec, WORKER);
    assert_non_null(fake_look_object(lab.world, NODES WORKER));
    fake_life_do(&lab, spec, ACTION_LEAVE_ETCD, CP);
    fake_life_do(&lab, spec, ACTION_DELETE_NODE, CP);
    fake_life_do(&lab, spec, ACTION_CREATE_NODE, CP);
    join(&lab, spec, CP "4");
    join(&lab, spec, CP);
    assert_int_equal(json_array_size(fake_look_members(lab.world)), 4);
    fake_lab_close(&lab);
}

/* The signature comes a moment after the token; kubeadm would wait for it in steps of 5 s. */
static void waits_for_the_signature_itself(void **state)
{
    (void)state;
    enum { STEP_MS = 5000 };
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER ONE_AND_TWO);
    uint64_t began_ms = lab.transport.now_ms;
    join(&lab, spec, WORKER);
    assert_true(lab.transport.now_ms - began_ms < STEP_MS);
    fake_lab_close(&lab);
}

/* The API is new, and the load balancer before it: what they do not answer is asked again. */
static void bears_with_the_api(void **state)
{
    (void)state;
    static const char *const faults[] = {"fail", "drop", "drop-after"};
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER ONE_AND_TWO);
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        bool met = true;
        for (unsigned at = 1; met; at++) {
            test_row(faults[i]);
            cleanup_free char *order =
                memory_format("{\"where\":\"kube\",\"action\":\"%s\",\"at\":%u}", faults[i], at);
            fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
            fake_lab_control(&lab, "POST /_fake/fault", order);
            join(&lab, spec, WORKER);
            fake_lab_control(&lab, "POST /_fake/clear", NULL);
            met = fake_look_requests(lab.world, " /api/") >= at;
            assert_int_equal(fake_look_objects(lab.world, SECRETS), 0);
            fake_life_do(&lab, spec, ACTION_DELETE_NODE, WORKER);
            fake_life_do(&lab, spec, ACTION_CREATE_NODE, WORKER);
        }
    }
    fake_lab_close(&lab);
}

/* Lets what another process left running end just before ours begins. */
static bool end_first(void *context, const struct request *request, struct fake_answer *answer)
{
    struct fake_lab *lab = context;
    (void)answer;
    if (request->body && strstr(request->body, "kubeadm join"))
        put_file(lab, WORKER, "etc/kubernetes/kubelet.conf", "of the other");
    return false;
}

static void does_not_join_twice_at_once(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER ONE_AND_TWO);
    lab.transport.script = end_first;
    lab.transport.script_context = &lab;
    join(&lab, spec, WORKER);
    test_equal(fake_look_file(lab.world, WORKER, "/etc/kubernetes/kubelet.conf"), "of the other");
    assert_null(fake_look_file(lab.world, WORKER, "/var/lib/kubelet/config.yaml"));
    assert_int_equal(commands(&lab, "flock -w 240 /run/kind-join.lock sh -c test -s"), 1);
    fake_lab_close(&lab);
}

/* --- pod ranges --- */

static void chooses_pod_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *name, *rest, *subject, *taken, *want; /* want NULL: the cluster chooses */
        bool no_file;
    } rows[] = {
        {"its place", ONE_AND_TWO, WORKER "2", NULL, "10.244.2.0/24"},
        {"its place is taken", ONE_AND_TWO, WORKER "2", "10.244.2.0/24", "10.244.253.0/24"},
        {"another's place is taken", ONE_AND_TWO, WORKER, "10.244.2.0/24", "10.244.1.0/24"},
        {"not that of the first control plane, which is not marked yet",
         "nodes: [{role: worker}, {role: control-plane}, {role: worker}]\n", WORKER, NULL,
         "10.244.1.0/24"},
        {"nor the same as another",
         "nodes: [{role: worker}, {role: control-plane}, {role: "
         "worker}]\n",
         WORKER "2", NULL, "10.244.2.0/24"},
        {"both families", "networking: {ipFamily: dual}\n" ONE_AND_TWO, WORKER, NULL,
         "10.244.1.0/24"},
        {"no room", "networking: {podSubnet: 10.1.0.0/24}\n" ONE_AND_TWO, WORKER, NULL, NULL},
        {"no CNI of ours", "networking: {disableDefaultCNI: true}\n" ONE_AND_TWO, WORKER, NULL,
         NULL},
        {"an image without the file",
         "nodes: [{role: control-plane}, {role: worker, image: 'example.org/node:v1.20.2'}]\n",
         WORKER, NULL, "10.244.1.0/24", .no_file = true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct fake_lab lab;
        const char *yaml;
        cleanup_free char *text = memory_format(CLUSTER "%s", rows[i].rest);
        yaml = text;
        fake_lab_open(&lab, &settings);
        const struct cluster_spec *spec = fake_lab_spec(&lab, yaml);
        fake_life_until(&lab, spec, ACTION_JOIN);
        ask(&lab, "PATCH " NODES CP,
            rows[i].taken
                ? arena_format(lab.arena, "{\"spec\":{\"podCIDR\":\"%s\"}}", rows[i].taken)
                : "{\"spec\":{\"podCIDR\":null}}");
        join(&lab, spec, rows[i].subject);
        test_equal(of_node(&lab, rows[i].subject, "spec", "podCIDR"), rows[i].want);
        const char *file = fake_look_file(lab.world, rows[i].subject, CONFLIST);
        assert_int_equal(file != NULL, rows[i].want && !rows[i].no_file);
        assert_true(!file || strstr(file, rows[i].want));
        fake_lab_close(&lab);
    }
}

/* With a patch kubelet alone knows how to register: the range is given when it has. */
static void leaves_a_patched_node_to_kubelet(void **state)
{
    (void)state;
    static const char *const patched[] = {
        "kubeadmConfigPatches: ['kind: JoinConfiguration']\n" ONE_AND_TWO,
        "nodes: [{role: control-plane}, {role: worker, kubeadmConfigPatches: ['kind: "
        "JoinConfiguration']}]\n",
    };
    for (size_t i = 0; i < COUNT_OF(patched); i++) {
        test_row(patched[i]);
        cleanup_free char *yaml = memory_format(CLUSTER "%s", patched[i]);
        struct fake_lab lab;
        const struct cluster_spec *spec = open_before(&lab, yaml);
        join(&lab, spec, WORKER);
        assert_int_equal(fake_look_requests(lab.world, "POST " NODES), 0);
        test_equal(of_node(&lab, WORKER, "spec", "podCIDR"), "10.244.1.0/24");
        assert_non_null(strstr(fake_look_file(lab.world, WORKER, CONFLIST), "10.244.1.0/24"));
        fake_lab_close(&lab);
    }
}

/* --- trust --- */

static const char authority[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBgTCCASegAwIBAgIUIrBoOokHTiiOG4omVlfOryVK8oowCgYIKoZIzj0EAwIw\n"
                                "FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjEwNzAwMjVaGA8yMTI2MTAy\n"
                                "ODA3MDAyNVowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG\n"
                                "SM49AwEHA0IABMUpIcQnh+YWSNwKSPGYGRDcrPcO6d/Ef0SYSmLh58TAHL8SOQPl\n"
                                "lkIrGgVutkPvXciqVPH1+/tDq9qQGeKwLQijUzBRMB0GA1UdDgQWBBR27CNc1fBz\n"
                                "SqtaGFrmJwGrujLuKjAfBgNVHSMEGDAWgBR27CNc1fBzSqtaGFrmJwGrujLuKjAP\n"
                                "BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDQJXnyjePT9S6CvS9g\n"
                                "sNrFCtd2XfbfIJCNUp6Fq0uEgQIgSVbfq+LPymJ1tpjTJB5Bvw+AR/6bcYA8YUmc\n"
                                "9ViUHBk=\n"
                                "-----END CERTIFICATE-----\n";

/* By openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum */
#define AUTHORITY_HASH "sha256:3712d14596479ab221b025e56e3d22ed8cefe43bf8fbfc15c3cc898eb5779841"

static void knows_the_hash_of_an_authority(void **state)
{
    (void)state;
    static const struct {
        const char *pem, *hash;
    } rows[] = {{authority, AUTHORITY_HASH}, {"", NULL}, {"-----BEGIN CERTIFICATE-----\n", NULL}};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].hash);
        test_equal(kube_ca_hash(arena, rows[i].pem), rows[i].hash);
    }
    arena_free(arena);
}

/* What the node is told to trust is what kubeadm itself tells others. */
static void trusts_what_kubeadm_says(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = open_before(&lab, CLUSTER ONE_AND_TWO);
    join(&lab, spec, WORKER);
    struct fake_client client = {.world = lab.world, .now_ms = lab.transport.now_ms};
    assert_int_equal(fake_exec(&client, CP, "kubeadm token create --print-join-command"), 0);
    const char *said = client.body + FRAME_BYTES, *hash = strstr(said, "sha256:");
    assert_non_null(hash);
    cleanup_free char *wanted = memory_format("- %.*s\n", (int)strcspn(hash, " \n"), hash);
    const char *config = fake_look_file(lab.world, WORKER, "/kind/kubeadm.conf");
    assert_non_null(strstr(config, wanted));
    assert_null(strstr(config, "unsafeSkipCAVerification"));
    fake_client_done(&client);
    fake_lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_once),
        cmocka_unit_test(replaces_the_node_of_another_container),
        cmocka_unit_test(restarts_a_forgotten_kubelet),
        cmocka_unit_test(begins_a_half_joined_control_plane_again),
        cmocka_unit_test(asks_a_control_plane_that_runs),
        cmocka_unit_test(waits_for_the_signature_itself),
        cmocka_unit_test(bears_with_the_api),
        cmocka_unit_test(does_not_join_twice_at_once),
        cmocka_unit_test(chooses_pod_ranges),
        cmocka_unit_test(leaves_a_patched_node_to_kubelet),
        cmocka_unit_test(knows_the_hash_of_an_authority),
        cmocka_unit_test(trusts_what_kubeadm_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
