/* Nodes of the fake world: kubeadm's phases, joining, Ready, quorum, the cluster API. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/archive.h"
#include "drivers/fake_ask.h"
#include <jansson.h>
#include <string.h>

enum { FRAME_BYTES = 8 }; /* before what a command said */

static const char config[] =
    "kind: ClusterConfiguration\nclusterName: c\ncontrolPlaneEndpoint: lb:6443\n"
    "apiServer:\n  certSANs: [localhost, 127.0.0.1]\n"
    "---\n"
    "kind: InitConfiguration\nbootstrapTokens:\n- token: abcdef.0123456789abcdef\n"
    "nodeRegistration:\n  kubeletExtraArgs:\n    node-labels: team=blue,x=\n"
    "---\n"
    "kind: JoinConfiguration\n"
    "discovery:\n  bootstrapToken:\n    apiServerEndpoint: lb:6443\n"
    "    token: abcdef.0123456789abcdef\n";

static const char control_plane_join[] = "controlPlane:\n  localAPIEndpoint: {}\n";

static void put_file(struct fake_client *client, const char *node, const char *path,
                     const char *text)
{
    struct text tar;
    struct error *err = NULL;
    const struct archive_file file = {path, text, strlen(text), 0600};
    cleanup_free char *line = memory_format("PUT /containers/%s/archive?path=/", node);
    text_init(&tar, 0);
    assert_int_equal(archive_pack(&file, 1, &tar, &err), 0);
    fake_ask_bytes(client, line, NULL, tar.data, tar.length);
    assert_int_equal(client->status, 200);
    text_done(&tar);
}

static void make_node(struct fake_client *client, const char *name, const char *alias,
                      const char *more_config)
{
    cleanup_free char *create = memory_format("POST /containers/create?name=%s", name);
    cleanup_free char *start = memory_format("POST /containers/%s/start", name);
    cleanup_free char *body = memory_format(
        "{\"Image\":\"kind.local/node:v1.20.2\",\"Tty\":true,"
        "\"Labels\":{\"io.x-k8s.kind.cluster\":\"c\"},\"HostConfig\":{\"NetworkMode\":\"net\","
        "\"PortBindings\":{\"6443/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"0\"}]}},"
        "\"NetworkingConfig\":{\"EndpointsConfig\":{\"net\":{\"Aliases\":[\"%s\"]}}}}",
        alias);
    cleanup_free char *text = memory_format("%s%s", config, more_config);
    fake_ask(client, create, body);
    fake_ask(client, start, NULL);
    assert_int_equal(client->status, 204);
    put_file(client, name, "kind/kubeadm.conf", text);
}

static struct fake_client new_client(void)
{
    struct fake_client client = {.world = fake_world_new(NULL), .now_ms = 1000};
    fake_ask(&client, "POST /networks/create", "{\"Name\":\"net\"}");
    make_node(&client, "cp1", "lb", "");
    return client;
}

static void done(struct fake_client *client)
{
    fake_client_done(client);
    fake_world_free(client->world);
}

static int phase(struct fake_client *client, const char *node, const char *name)
{
    cleanup_free char *command = memory_format(
        "flock -w 100 /run/lock timeout -k 5 60 kubeadm init phase %s --config /kind/kubeadm.conf",
        name);
    return fake_exec(client, node, command);
}

/* Asks the cluster API of a node; returns the status. */
static int kube(struct fake_client *client, const char *node, const char *line, const char *body)
{
    cleanup_free char *inspect = memory_format("GET /containers/%s/json", node);
    json_t *value = json_loads(fake_ask(client, inspect, NULL), 0, NULL);
    client->api_of = json_string_value(json_object_get(value, "Id"));
    fake_ask_bytes(client, line,
                   strncmp(line, "PATCH", 5) == 0 ? "application/apply-patch+yaml"
                                                  : "application/json",
                   body, body ? strlen(body) : 0);
    client->api_of = NULL;
    json_decref(value);
    return client->status;
}

static const char CNI[] =
    "PATCH /apis/apps/v1/namespaces/kube-system/daemonsets/kindnet?fieldManager=k";

/* As a product would: kubelet first. */
static void init(struct fake_client *client, const char *node)
{
    static const char *const phases[] = {
        "certs ca",        "kubeconfig kubelet", "kubelet-start",        "certs all",
        "kubeconfig all",  "etcd local",         "control-plane all",    "upload-config all",
        "bootstrap-token", "mark-control-plane", "kubelet-finalize all", "addon all"};
    for (size_t i = 0; i < COUNT_OF(phases); i++) {
        test_row(phases[i]);
        if (phase(client, node, phases[i]) != 0)
            fail_msg("%s: %s", phases[i], client->body + FRAME_BYTES);
    }
}

static void phases_in_order(void **state)
{
    (void)state;
    struct fake_client client = new_client();
    init(&client, "cp1");
    init(&client, "cp1");
    assert_int_equal(kube(&client, "cp1", "GET /readyz", NULL), 200);
    assert_int_equal(kube(&client, "cp1", "GET /api/v1/nodes/cp1", NULL), 200);
    assert_non_null(strstr(client.body, "\"team\":\"blue\""));
    assert_non_null(strstr(client.body, "node-role.kubernetes.io/master"));
    assert_non_null(strstr(client.body, "node.kubernetes.io/not-ready"));
    assert_int_equal(kube(&client, "cp1", CNI, "spec:\n  template: {}\n"), 201);
    client.now_ms += 100;
    kube(&client, "cp1", "GET /api/v1/nodes/cp1", NULL);
    assert_null(strstr(client.body, "not-ready"));
    kube(&client, "cp1", "GET /apis/apps/v1/namespaces/kube-system/deployments/coredns", NULL);
    assert_non_null(strstr(client.body, "\"availableReplicas\":2"));
    done(&client);
}

static void preconditions(void **state)
{
    static const struct {
        const char *phase, *complaint;
    } rows[] = {
        {"certs apiserver", "couldn't load CA certificate"},
        {"kubeconfig admin", "failure loading ca certificate"},
        {"upload-config all", "admin.conf: no such file"},
        {"mark-control-plane", "admin.conf: no such file"},
        {"addon all", "admin.conf: no such file"},
        {"kubelet-finalize all", "kubelet.conf: no such file"},
        {"nonsense", "invalid subcommand"},
    };
    (void)state;
    struct fake_client client = new_client();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].phase);
        assert_int_equal(phase(&client, "cp1", rows[i].phase), 1);
        if (!strstr(client.body + FRAME_BYTES, rows[i].complaint))
            fail_msg("%s: %s", rows[i].phase, client.body + FRAME_BYTES);
    }
    assert_int_equal(fake_exec(&client, "cp1", "kubeadm init phase certs all --config /none"), 1);
    assert_int_equal(fake_exec(&client, "cp1", "nonsense"), 127);
    assert_int_equal(kube(&client, "cp1", "GET /healthz", NULL), 0);
    done(&client);
}

static void commands(void **state)
{
    static const struct {
        const char *command;
        int code;
        const char *output;
    } rows[] = {
        {"cat /kind/version", 0, "v1.20.2\n"},
        {"env A=b nice -n 5 cat /kind/version", 0, "v1.20.2\n"},
        {"cat /none", 1, "cat: /none: No such file or directory\n"},
        {"systemctl is-active containerd", 0, "active\n"},
        {"systemctl is-active kubelet", 3, "inactive\n"},
        {"mkdir -p /etc/kubernetes/pki", 0, ""},
        {"test -d /etc/kubernetes/pki", 0, ""},
        {"test -e /none", 1, ""},
        {"sh -c true", 0, ""},
        {"kubeadm version", 0, "v1.20.2\n"},
    };
    (void)state;
    struct fake_client client = new_client();
    client.now_ms += 100;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].command);
        assert_int_equal(fake_exec(&client, "cp1", rows[i].command), rows[i].code);
        test_equal(*rows[i].output ? client.body + FRAME_BYTES : client.body, rows[i].output);
    }
    fake_ask(&client, "GET /_fake/state", NULL);
    assert_non_null(strstr(client.body, "\"script\":\"true\""));
    done(&client);
}

static void joining(void **state)
{
    (void)state;
    struct fake_client client = new_client();
    static const char join[] = "kubeadm join --config /kind/kubeadm.conf";
    make_node(&client, "w1", "w", "");
    assert_int_equal(fake_exec(&client, "w1", join), 1);
    init(&client, "cp1");
    assert_int_equal(fake_exec(&client, "w1", join), 0);
    kube(&client, "cp1", CNI, "spec: {}");
    client.now_ms += 100;
    assert_int_equal(kube(&client, "cp1", "GET /api/v1/nodes/w1", NULL), 200);
    assert_non_null(strstr(client.body, "\"type\":\"Ready\",\"status\":\"True\""));
    assert_int_equal(fake_exec(&client, "w1", join), 1);
    fake_ask(&client, "POST /containers/w1/stop", NULL);
    client.now_ms += 40001;
    kube(&client, "cp1", "GET /api/v1/nodes/w1", NULL);
    assert_non_null(strstr(client.body, "\"type\":\"Ready\",\"status\":\"Unknown\""));
    fake_ask(&client, "POST /containers/w1/start", NULL);
    client.now_ms += 100;
    kube(&client, "cp1", "GET /api/v1/nodes/w1", NULL);
    assert_non_null(strstr(client.body, "\"type\":\"Ready\",\"status\":\"True\""));
    done(&client);
}

static void copy_keys(struct fake_client *client, const char *from, const char *to)
{
    cleanup_free char *get =
        memory_format("GET /containers/%s/archive?path=/etc/kubernetes/pki", from);
    cleanup_free char *put = memory_format("PUT /containers/%s/archive?path=/etc/kubernetes", to);
    fake_ask(client, get, NULL);
    size_t length = client->length;
    char *tar = TAKE(client->body);
    fake_ask_bytes(client, put, NULL, tar, length);
    free(tar);
    assert_int_equal(client->status, 200);
}

/* A second control plane needs the first one's keys; then etcd needs both. */
static void quorum(void **state)
{
    static const char join[] = "kubeadm join --config /kind/kubeadm.conf";
    (void)state;
    struct fake_client client = new_client();
    init(&client, "cp1");
    make_node(&client, "cp2", "cp2", control_plane_join);
    assert_int_equal(fake_exec(&client, "cp2", join), 1);
    assert_non_null(strstr(client.body + FRAME_BYTES, "pki/ca.crt"));
    copy_keys(&client, "cp1", "cp2");
    assert_int_equal(fake_exec(&client, "cp2", join), 0);
    assert_int_equal(kube(&client, "cp2", "GET /api/v1/nodes/cp2", NULL), 200);
    assert_non_null(strstr(client.body, "node-role.kubernetes.io/master"));
    fake_ask(&client, "POST /containers/cp1/stop", NULL);
    assert_int_equal(kube(&client, "cp2", "GET /healthz", NULL), 0);
    fake_ask(&client, "POST /containers/cp1/start", NULL);
    client.now_ms += 100;
    assert_int_equal(kube(&client, "cp2", "GET /healthz", NULL), 200);
    assert_int_equal(kube(&client, "cp1", "GET /healthz", NULL), 200);
    assert_int_equal(fake_exec(&client, "cp1", "etcdctl member list"), 0);
    assert_non_null(strstr(client.body + FRAME_BYTES, ", started, cp2, "));
    cleanup_free char *removal =
        memory_format("etcdctl member remove %.16s", client.body + FRAME_BYTES);
    assert_int_equal(fake_exec(&client, "cp1", removal), 0);
    fake_ask(&client, "DELETE /containers/cp1?force=1", NULL);
    assert_int_equal(kube(&client, "cp2", "GET /healthz", NULL), 200);
    done(&client);
}

static void objects(void **state)
{
    static const struct {
        const char *line, *body;
        int status;
        const char *contains;
    } rows[] = {
        {"GET /version", NULL, 200, "\"minor\":\"20\""},
        {"GET /api", NULL, 200, "APIVersions"},
        {"GET /apis/apps/v1", NULL, 200, "\"kind\":\"DaemonSet\""},
        {"GET /apis/nope/v1", NULL, 404, NULL},
        {"POST /api/v1/namespaces/none/configmaps", "{\"metadata\":{\"name\":\"m\"}}", 404,
         "namespaces \\\"none\\\" not found"},
        {"POST /api/v1/namespaces/default/configmaps",
         "{\"metadata\":{\"name\":\"m\",\"labels\":{\"l\":\"1\"}}}", 201, "\"kind\":\"ConfigMap\""},
        {"POST /api/v1/namespaces/default/configmaps", "{\"metadata\":{\"name\":\"m\"}}", 409,
         "AlreadyExists"},
        {"GET /api/v1/configmaps?labelSelector=l%3D1", NULL, 200, "\"name\":\"m\""},
        {"GET /api/v1/configmaps?labelSelector=l!=1&fieldSelector=metadata.name=m", NULL, 200,
         "\"items\":[]"},
        {"PATCH /api/v1/namespaces/default/configmaps/m?fieldManager=k", "data: {a: b}", 200,
         "\"a\":\"b\""},
        {"PATCH /api/v1/namespaces/default/configmaps/n?fieldManager=k&dryRun=All", "data: {}", 201,
         NULL},
        {"GET /api/v1/namespaces/default/configmaps/n", NULL, 404, "NotFound"},
        {"PUT /api/v1/namespaces/default/configmaps/m",
         "{\"metadata\":{\"resourceVersion\":\"1\"}}", 409, "Conflict"},
        {"GET /api/v1/namespaces/default/configmaps?watch=1&resourceVersion=1", NULL, 200,
         "\"type\":\"ADDED\""},
        {"DELETE /api/v1/namespaces/default/configmaps/m", NULL, 200, "Success"},
        {"DELETE /api/v1/namespaces/default/configmaps/m", NULL, 404, "NotFound"},
        {"POST /api/v1/namespaces/default/pods", "{\"metadata\":{\"name\":\"p\"}}", 201, NULL},
        {"POST /api/v1/namespaces/default/pods/p/eviction", "{}", 201, "Success"},
        {"GET /api/v1/namespaces/default/pods/p", NULL, 404, NULL},
    };
    (void)state;
    struct fake_client client = new_client();
    assert_int_equal(fake_exec(&client, "cp1", "kubeadm init --config /kind/kubeadm.conf"), 0);
    client.now_ms += 100;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].line);
        int status = kube(&client, "cp1", rows[i].line, rows[i].body);
        if (status != rows[i].status ||
            (rows[i].contains && !strstr(client.body, rows[i].contains)))
            fail_msg("%s: got %d %s", rows[i].line, status, client.body);
    }
    done(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_in_order), cmocka_unit_test(preconditions),
        cmocka_unit_test(commands),        cmocka_unit_test(joining),
        cmocka_unit_test(quorum),          cmocka_unit_test(objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
