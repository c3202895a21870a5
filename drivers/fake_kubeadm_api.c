#include "base/memory.h"
#include "drivers/fake_controller.h"
#include "drivers/fake_file.h"
#include "drivers/fake_kubeadm.h"
#include "drivers/fake_network.h"
#include "drivers/fake_node.h"
#include "drivers/fake_pki.h"
#include "drivers/fake_store.h"

#define CA "/etc/kubernetes/pki/ca.crt"

enum { DISCOVERY_RETRY_MS = 5000 };

/* The cluster behind this node's admin.conf, brought up to date; NULL after complaining. */
static struct fake_cluster *reach(struct fake_kubeadm *kubeadm)
{
    struct fake_call *call = kubeadm->command->call;
    struct fake_cluster *cluster = kubeadm->container->node.cluster;
    if (!fake_file_get(kubeadm->container, "/etc/kubernetes/admin.conf")) {
        fake_command_fail(kubeadm->command,
                          "failed to load admin kubeconfig: open "
                          "/etc/kubernetes/admin.conf: no such file or directory");
        return NULL;
    }
    if (!cluster || !fake_cluster_api(call->world, cluster, call->now_ms)) {
        fake_command_fail(kubeadm->command,
                          "Get \"https://%s/api\": dial tcp: connect: connection refused",
                          fake_kubeadm_endpoint(kubeadm));
        return NULL;
    }
    fake_controller_run(call, cluster);
    fake_controller_sign(call, cluster);
    return cluster;
}

void fake_kubeadm_object(struct fake_kubeadm *kubeadm, const char *group_version,
                         const char *resource, const char *kind, const char *namespace,
                         const char *name, json_t *rest)
{
    struct fake_cluster *cluster = kubeadm->container->node.cluster;
    const struct fake_place place = {group_version, resource, namespace, name, NULL};
    struct fake_object *old = fake_store_get(cluster, &place);
    if (old)
        json_decref(rest);
    else
        fake_store_make(kubeadm->command->call, cluster, &place, kind, rest);
}

static struct fake_object *node_object(struct fake_kubeadm *kubeadm)
{
    const struct fake_place place = {"v1", "nodes", NULL, kubeadm->container->name, NULL};
    return fake_store_get(kubeadm->container->node.cluster, &place);
}

static int no_node(struct fake_kubeadm *kubeadm)
{
    return fake_command_fail(kubeadm->command, "nodes \"%s\" not found", kubeadm->container->name);
}

static struct fake_object *config_map(struct fake_kubeadm *kubeadm, const char *name)
{
    const struct fake_place place = {"v1", "configmaps", "kube-system", name, NULL};
    return fake_store_get(kubeadm->container->node.cluster, &place);
}

static const char *kubelet_config_name(struct fake_kubeadm *kubeadm)
{
    const char *version = kubeadm->container->node.version + 1; /* behind the v */
    size_t major = strcspn(version, ".") + 1;
    return arena_format(kubeadm->command->call->arena, "kubelet-config-%.*s",
                        (int)(major + strcspn(version + major, ".")), version);
}

int fake_phase_upload_config(struct fake_kubeadm *kubeadm, const char *what)
{
    if (!reach(kubeadm))
        return 1;
    bool all = !*what || strcmp(what, "all") == 0;
    if (all || strcmp(what, "kubeadm") == 0) {
        const char *text =
            arena_format(kubeadm->command->call->arena, "clusterName: %s\nkubernetesVersion: %s\n",
                         fake_kubeadm_cluster_name(kubeadm), kubeadm->container->node.version);
        fake_kubeadm_object(kubeadm, "v1", "configmaps", "ConfigMap", "kube-system",
                            "kubeadm-config", json_pack("{s:{}}", "data"));
        json_object_set_new(json_object_get(config_map(kubeadm, "kubeadm-config")->value, "data"),
                            "ClusterConfiguration", json_string(text));
    }
    if (!all && strcmp(what, "kubelet") != 0)
        return 0;
    fake_kubeadm_object(kubeadm, "v1", "configmaps", "ConfigMap", "kube-system",
                        kubelet_config_name(kubeadm),
                        json_pack("{s:{s:s}}", "data", "kubelet", ""));
    return node_object(kubeadm) ? 0 : no_node(kubeadm);
}

/*
 * What joins is made of the version that is kept in the cluster, whose images
 * another node image does not have.
 */
static int check_version(struct fake_kubeadm *kubeadm)
{
    const struct fake_object *map = config_map(kubeadm, "kubeadm-config");
    const char *stored =
        map ? fake_json_string(json_object_get(map->value, "data"), "ClusterConfiguration") : "";
    const char *line = strstr(stored, "kubernetesVersion: ");
    const char *version = kubeadm->container->node.version;
    size_t length = strlen(version);
    line = line ? line + strlen("kubernetesVersion: ") : version;
    if (strncmp(line, version, length) == 0 && (line[length] == '\n' || !line[length]))
        return 0;
    return fake_command_fail(kubeadm->command,
                             "error execution phase control-plane-join/etcd: error creating local "
                             "etcd static pod manifest file: timed out waiting for the condition");
}

static void add_taint(json_t *spec, const char *key)
{
    json_t *taints = json_object_get(spec, "taints"), *taint;
    size_t i;
    if (!taints) {
        taints = json_array();
        json_object_set_new(spec, "taints", taints);
    }
    json_array_foreach(taints, i, taint)
    {
        if (strcmp(fake_json_string(taint, "key"), key) == 0)
            return;
    }
    json_array_append_new(taints, json_pack("{s:s, s:s}", "key", key, "effect", "NoSchedule"));
}

int fake_phase_mark(struct fake_kubeadm *kubeadm, const char *what)
{
    (void)what;
    struct fake_cluster *cluster = reach(kubeadm);
    if (!cluster)
        return 1;
    struct fake_object *object = node_object(kubeadm);
    if (!object)
        return no_node(kubeadm);
    json_t *value = json_deep_copy(object->value);
    json_t *labels = json_object_get(json_object_get(value, "metadata"), "labels");
    json_object_set_new(labels, "node-role.kubernetes.io/master", json_string(""));
    json_object_set_new(labels, "node-role.kubernetes.io/control-plane", json_string(""));
    add_taint(json_object_get(value, "spec"), "node-role.kubernetes.io/master");
    const struct fake_place place = {"v1", "nodes", NULL, kubeadm->container->name, NULL};
    fake_store_put(kubeadm->command->call, cluster, &place, value);
    return 0;
}

/* --- tokens --- */

static void put_token(struct fake_kubeadm *kubeadm, const char *token)
{
    const char *name = arena_format(kubeadm->command->call->arena, "bootstrap-token-%.6s", token);
    fake_kubeadm_object(kubeadm, "v1", "secrets", "Secret", "kube-system", name,
                        json_pack("{s:s, s:{}}", "type", "bootstrap.kubernetes.io/token", "data"));
}

static const char *configured_token(struct fake_kubeadm *kubeadm)
{
    json_t *init = fake_kubeadm_document(kubeadm, "InitConfiguration");
    const char *token =
        fake_json_string(json_array_get(json_object_get(init, "bootstrapTokens"), 0), "token");
    return *token ? token : "abcdef.0123456789abcdef";
}

static int create_token(struct fake_kubeadm *kubeadm)
{
    cleanup_free char *id = fake_new_id(kubeadm->command->call->world);
    const char *token = kubeadm->word_count > 2
                            ? kubeadm->words[2]
                            : arena_format(kubeadm->command->call->arena, "%.6s.%.16s", id, id + 6);
    put_token(kubeadm, token);
    if (!kubeadm->print_join_command) {
        text_add_format(kubeadm->command->out, "%s\n", token);
        return 0;
    }
    text_add_format(kubeadm->command->out,
                    "kubeadm join %s --token %s --discovery-token-ca-cert-hash ",
                    fake_kubeadm_endpoint(kubeadm), token);
    fake_pki_hash(fake_file_text(kubeadm->container, CA), kubeadm->command->out);
    text_add(kubeadm->command->out, " \n");
    return 0;
}

int fake_phase_token(struct fake_kubeadm *kubeadm, const char *what)
{
    if (strcmp(what, "generate") == 0) {
        cleanup_free char *id = fake_new_id(kubeadm->command->call->world);
        text_add_format(kubeadm->command->out, "%.6s.%.16s\n", id, id + 6);
        return 0;
    }
    if (!reach(kubeadm))
        return 1;
    if (strcmp(what, "create") == 0)
        return create_token(kubeadm);
    put_token(kubeadm, configured_token(kubeadm));
    fake_kubeadm_object(kubeadm, "v1", "configmaps", "ConfigMap", "kube-public", "cluster-info",
                        json_pack("{s:{}}", "data"));
    return 0;
}

int fake_phase_addon(struct fake_kubeadm *kubeadm, const char *what)
{
    if (!reach(kubeadm))
        return 1;
    bool all = !*what || strcmp(what, "all") == 0;
    if (all || strcmp(what, "kube-proxy") == 0)
        fake_kubeadm_object(kubeadm, "apps/v1", "daemonsets", "DaemonSet", "kube-system",
                            "kube-proxy",
                            json_pack("{s:{s:{s:{s:s}}, s:{}}}", "spec", "selector", "matchLabels",
                                      "k8s-app", "kube-proxy", "template"));
    if (all || strcmp(what, "coredns") == 0) {
        fake_kubeadm_object(
            kubeadm, "apps/v1", "deployments", "Deployment", "kube-system", "coredns",
            json_pack("{s:{s:i, s:{s:{s:s}}, s:{}}}", "spec", "replicas", 2, "selector",
                      "matchLabels", "k8s-app", "kube-dns", "template"));
        fake_kubeadm_object(kubeadm, "v1", "services", "Service", "kube-system", "kube-dns",
                            json_pack("{s:{s:s}}", "spec", "clusterIP", "10.96.0.10"));
    }
    return 0;
}

/* --- joining --- */

static const char *join_endpoint(struct fake_kubeadm *kubeadm, const char **token)
{
    json_t *discovery =
        json_object_get(fake_kubeadm_document(kubeadm, "JoinConfiguration"), "discovery");
    json_t *bootstrap = json_object_get(discovery, "bootstrapToken");
    const char *endpoint = fake_json_string(bootstrap, "apiServerEndpoint");
    *token = kubeadm->token ? kubeadm->token : fake_json_string(bootstrap, "token");
    if (kubeadm->word_count > 1 && strchr(kubeadm->words[1], ':'))
        return kubeadm->words[1];
    return endpoint;
}

static bool token_holds(struct fake_kubeadm *kubeadm, struct fake_cluster *cluster,
                        const char *token)
{
    const char *name = arena_format(kubeadm->command->call->arena, "bootstrap-token-%.6s", token);
    const struct fake_place place = {"v1", "secrets", "kube-system", name, NULL};
    return strlen(token) == 23 && fake_store_get(cluster, &place) != NULL;
}

/* The signer's word in cluster-info, without which kubeadm asks again, and only after a while. */
static bool is_signed(struct fake_kubeadm *kubeadm, struct fake_cluster *cluster, const char *token)
{
    const struct fake_place place = {"v1", "configmaps", "kube-public", "cluster-info", NULL};
    const struct fake_object *info = fake_store_get(cluster, &place);
    const char *key = arena_format(kubeadm->command->call->arena, "jws-kubeconfig-%.6s", token);
    return info && json_object_get(json_object_get(info->value, "data"), key);
}

/* Without hashes whoever answers is trusted. */
static bool is_pinned(struct fake_kubeadm *kubeadm, struct fake_container *server,
                      struct text *hash)
{
    json_t *discovery =
        json_object_get(fake_kubeadm_document(kubeadm, "JoinConfiguration"), "discovery");
    json_t *hashes = json_object_get(json_object_get(discovery, "bootstrapToken"), "caCertHashes");
    size_t i;
    json_t *pinned;
    fake_pki_hash(fake_file_text(server, CA), hash);
    json_array_foreach(hashes, i, pinned)
    {
        if (strcmp(json_string_value(pinned), hash->data) == 0)
            return true;
    }
    return json_array_size(hashes) == 0;
}

static void write_kubelet_files(struct fake_kubeadm *kubeadm, struct fake_container *server)
{
    struct fake_container *container = kubeadm->container;
    const char *authority = fake_file_text(server, CA);
    fake_file_put_text(container, CA, authority ? authority : "");
    fake_file_put_text(container, "/etc/kubernetes/kubelet.conf", "apiVersion: v1\nkind: Config\n");
}

int fake_phase_discover(struct fake_kubeadm *kubeadm, const char *what)
{
    struct fake_call *call = kubeadm->command->call;
    struct fake_container *container = kubeadm->container;
    const char *token, *endpoint = join_endpoint(kubeadm, &token);
    const char *host = arena_string_n(call->arena, endpoint, strcspn(endpoint, ":"));
    struct fake_container *peer = fake_network_resolve(call->world, container, host);
    (void)what;
    if (!peer)
        return fake_command_fail(kubeadm->command,
                                 "error execution phase preflight: couldn't validate the identity "
                                 "of the API Server: dial tcp: lookup %s: no such host",
                                 host);
    struct fake_container *server = fake_node_behind(call->world, peer, call->now_ms);
    if (!server)
        return fake_command_fail(kubeadm->command,
                                 "error execution phase preflight: couldn't validate the identity "
                                 "of the API Server: dial tcp %s: connect: connection refused",
                                 endpoint);
    if (!token_holds(kubeadm, server->node.cluster, token))
        return fake_command_fail(kubeadm->command,
                                 "error execution phase preflight: couldn't validate the identity "
                                 "of the API Server: could not find a JWS signature in the "
                                 "cluster-info ConfigMap for token ID \"%.6s\"",
                                 token);
    if (!is_signed(kubeadm, server->node.cluster, token))
        kubeadm->command->more_ms += DISCOVERY_RETRY_MS;
    cleanup_text struct text hash;
    text_init(&hash, 0);
    if (!is_pinned(kubeadm, server, &hash))
        return fake_command_fail(kubeadm->command,
                                 "error execution phase preflight: couldn't validate the identity "
                                 "of the API Server: cluster CA found in cluster-info ConfigMap is "
                                 "invalid: none of the public keys \"%s\" are pinned",
                                 hash.data);
    if (fake_controller_node_ready(server->node.cluster, container->name))
        return fake_command_fail(kubeadm->command,
                                 "error execution phase kubelet-start: a Node with name \"%s\" and "
                                 "status \"Ready\" already exists in the cluster",
                                 container->name);
    container->node.cluster = server->node.cluster;
    if (!config_map(kubeadm, kubelet_config_name(kubeadm)))
        return fake_command_fail(kubeadm->command,
                                 "error execution phase kubelet-start: configmaps \"%s\" not found",
                                 kubelet_config_name(kubeadm));
    write_kubelet_files(kubeadm, server);
    return 0;
}

int fake_phase_join_etcd(struct fake_kubeadm *kubeadm, const char *what)
{
    struct fake_cluster *cluster = reach(kubeadm);
    (void)what;
    if (!cluster || check_version(kubeadm))
        return 1;
    size_t i;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member);
        if (strcmp(name, kubeadm->container->name) == 0 && !kubeadm->container->node.etcd)
            return fake_command_fail(kubeadm->command,
                                     "error execution phase control-plane-join/etcd: error "
                                     "creating local etcd static pod manifest file: etcdserver: "
                                     "Peer URLs already exists");
        if (!fake_etcd_runs(kubeadm->command->call->world, name))
            return fake_command_fail(kubeadm->command,
                                     "error execution phase check-etcd: etcd cluster is not "
                                     "healthy: failed to dial endpoint of %s: context deadline "
                                     "exceeded",
                                     name);
    }
    if (!kubeadm->container->node.etcd)
        fake_etcd_add(kubeadm->container, cluster);
    if (strverscmp(kubeadm->container->node.version, cluster->kubernetes_version) > 0) {
        free(cluster->kubernetes_version);
        cluster->kubernetes_version = memory_string(kubeadm->container->node.version);
    }
    return fake_phase_etcd(kubeadm, "local");
}
