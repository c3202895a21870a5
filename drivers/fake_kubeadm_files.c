#include "base/memory.h"
#include "drivers/fake_file.h"
#include "drivers/fake_kubeadm.h"
#include "drivers/fake_network.h"
#include "drivers/fake_node.h"
#include "drivers/fake_peers.h"
#include "drivers/fake_pki.h"
#include "drivers/fake_store.h"

#define PKI "/etc/kubernetes/pki/"

static bool is_wanted(const char *what, const char *name)
{
    return !*what || strcmp(what, "all") == 0 || strcmp(what, name) == 0;
}

static int config_needed(struct fake_kubeadm *kubeadm)
{
    bool joining = kubeadm->word_count > 0 && strcmp(kubeadm->words[0], "join") == 0;
    if (kubeadm->documents || joining)
        return 0;
    return fake_command_fail(kubeadm->command, "the fake kubeadm needs --config");
}

/* --- certificates --- */

static void put_identity(struct fake_container *container, const char *path,
                         const struct fake_identity *identity, const char *public_suffix)
{
    cleanup_free char *public_path = memory_format("%s%s", path, public_suffix);
    cleanup_free char *key_path = memory_format("%s.key", path);
    fake_file_put_text(container, public_path, identity->certificate);
    fake_file_put(container, key_path, identity->key, strlen(identity->key), 0600);
}

static const char *part_text(struct fake_container *container, const char *path, const char *suffix)
{
    cleanup_free char *full = memory_format("%s%s", path, suffix);
    return fake_file_text(container, full);
}

/* What is there and whole is kept, as kubeadm does. */
static bool is_there(struct fake_container *container, const char *path, const char *suffix)
{
    return part_text(container, path, suffix) && part_text(container, path, ".key");
}

static const struct {
    const char *name, *path, *authority, *subject, *organization;
    bool server;
} certificates[] = {
    {"ca", PKI "ca", NULL, "kubernetes", NULL, false},
    {"apiserver", PKI "apiserver", PKI "ca", "kube-apiserver", NULL, true},
    {"apiserver-kubelet-client", PKI "apiserver-kubelet-client", PKI "ca",
     "kube-apiserver-kubelet-client", "system:masters", false},
    {"front-proxy-ca", PKI "front-proxy-ca", NULL, "front-proxy-ca", NULL, false},
    {"front-proxy-client", PKI "front-proxy-client", PKI "front-proxy-ca", "front-proxy-client",
     NULL, false},
    {"etcd-ca", PKI "etcd/ca", NULL, "etcd-ca", NULL, false},
    {"etcd-server", PKI "etcd/server", PKI "etcd/ca", "etcd", NULL, true},
    {"etcd-peer", PKI "etcd/peer", PKI "etcd/ca", "etcd", NULL, true},
    {"etcd-healthcheck-client", PKI "etcd/healthcheck-client", PKI "etcd/ca",
     "kube-etcd-healthcheck-client", "system:masters", false},
    {"apiserver-etcd-client", PKI "apiserver-etcd-client", PKI "etcd/ca",
     "kube-apiserver-etcd-client", "system:masters", false},
};

/* Every name a serving certificate stands for; in the arena. */
static const char *const *server_names(struct fake_kubeadm *kubeadm)
{
    struct arena *arena = kubeadm->command->call->arena;
    struct fake_container *container = kubeadm->container;
    const char *endpoint = fake_kubeadm_endpoint(kubeadm);
    const char *fixed[] = {"localhost",
                           "127.0.0.1",
                           "::1",
                           "kubernetes",
                           "kubernetes.default",
                           "kubernetes.default.svc",
                           "10.96.0.1",
                           container->name,
                           arena_string_n(arena, endpoint, strcspn(endpoint, ":")),
                           container->endpoint_count && container->endpoints[0].ipv4
                               ? arena_string(arena, container->endpoints[0].ipv4)
                               : ""};
    json_t *more = json_object_get(
        json_object_get(fake_kubeadm_document(kubeadm, "ClusterConfiguration"), "apiServer"),
        "certSANs");
    const char **names =
        arena_array(arena, COUNT_OF(fixed) + json_array_size(more) + 1, sizeof(*names));
    memcpy(names, fixed, sizeof(fixed));
    for (size_t i = 0; i < json_array_size(more); i++) {
        const char *name = json_string_value(json_array_get(more, i));
        names[COUNT_OF(fixed) + i] = name ? name : "";
    }
    return names;
}

static int make_certificate(struct fake_kubeadm *kubeadm, size_t row)
{
    struct fake_container *container = kubeadm->container;
    const char *path = certificates[row].path, *authority = certificates[row].authority;
    if (is_there(container, path, ".crt"))
        return 0;
    struct fake_identity identity = {0};
    if (!authority) {
        identity = fake_pki_authority(certificates[row].subject);
    } else if (is_there(container, authority, ".crt")) {
        const struct fake_subject subject = {
            certificates[row].subject, certificates[row].organization, certificates[row].server,
            certificates[row].server ? server_names(kubeadm) : NULL};
        identity = fake_pki_sign(part_text(container, authority, ".crt"),
                                 part_text(container, authority, ".key"), &subject);
    }
    if (!identity.certificate)
        return fake_command_fail(kubeadm->command,
                                 "error execution phase certs/%s: couldn't load CA certificate %s",
                                 certificates[row].name, authority);
    put_identity(container, path, &identity, ".crt");
    fake_identity_done(&identity);
    return 0;
}

int fake_phase_certs(struct fake_kubeadm *kubeadm, const char *what)
{
    int code = config_needed(kubeadm);
    bool known = is_wanted(what, "sa");
    for (size_t i = 0; i < COUNT_OF(certificates) && code == 0; i++) {
        if (!is_wanted(what, certificates[i].name))
            continue;
        known = true;
        code = make_certificate(kubeadm, i);
    }
    if (code == 0 && is_wanted(what, "sa") && !is_there(kubeadm->container, PKI "sa", ".pub")) {
        struct fake_identity keys = fake_pki_keys();
        put_identity(kubeadm->container, PKI "sa", &keys, ".pub");
        fake_identity_done(&keys);
    }
    fake_node_settle(kubeadm->command->call->world, kubeadm->container,
                     kubeadm->command->call->now_ms);
    if (!known)
        return fake_command_fail(kubeadm->command, "invalid subcommand \"%s\"", what);
    return code;
}

int fake_phase_check_certs(struct fake_kubeadm *kubeadm, const char *what)
{
    static const char *const needed[] = {PKI "ca.crt",
                                         PKI "ca.key",
                                         PKI "sa.key",
                                         PKI "sa.pub",
                                         PKI "front-proxy-ca.crt",
                                         PKI "front-proxy-ca.key",
                                         PKI "etcd/ca.crt",
                                         PKI "etcd/ca.key"};
    (void)what;
    for (size_t i = 0; i < COUNT_OF(needed); i++)
        if (!fake_file_get(kubeadm->container, needed[i]))
            return fake_command_fail(
                kubeadm->command,
                "error execution phase preflight: failure loading certificate: couldn't load the "
                "certificate file %s: open %s: no such file or directory",
                needed[i], needed[i]);
    return 0;
}

/* --- kubeconfigs --- */

static const struct {
    const char *name, *user, *organization;
} kubeconfigs[] = {
    {"admin", "kubernetes-admin", "system:masters"},
    {"kubelet", "system:node:", "system:nodes"},
    {"controller-manager", "system:kube-controller-manager", NULL},
    {"scheduler", "system:kube-scheduler", NULL},
};

static void add_base64(struct text *text, const char *key, const char *value)
{
    text_add(text, key);
    fake_base64(value, strlen(value), text);
    text_add(text, "\n");
}

static void put_kubeconfig(struct fake_kubeadm *kubeadm, const char *name, const char *user,
                           const struct fake_identity *identity)
{
    const char *cluster = fake_kubeadm_cluster_name(kubeadm);
    struct text text;
    text_init(&text, 0);
    text_add(&text, "apiVersion: v1\nclusters:\n- cluster:\n");
    add_base64(&text, "    certificate-authority-data: ",
               fake_file_text(kubeadm->container, PKI "ca.crt"));
    text_add_format(&text, "    server: https://%s\n  name: %s\n", fake_kubeadm_endpoint(kubeadm),
                    cluster);
    text_add_format(&text,
                    "contexts:\n- context:\n    cluster: %s\n    user: %s\n  name: %s@%s\n"
                    "current-context: %s@%s\nkind: Config\npreferences: {}\n"
                    "users:\n- name: %s\n  user:\n",
                    cluster, user, user, cluster, user, cluster, user);
    add_base64(&text, "    client-certificate-data: ", identity->certificate);
    add_base64(&text, "    client-key-data: ", identity->key);
    cleanup_free char *path = memory_format("/etc/kubernetes/%s.conf", name);
    fake_file_put(kubeadm->container, path, text.data, text.length, 0600);
    text_done(&text);
}

/* What "join" writes is all but kubelet.conf, which its own phase brings. */
static bool kubeconfig_wanted(const char *what, const char *name)
{
    return is_wanted(what, name) || (strcmp(what, "join") == 0 && strcmp(name, "kubelet") != 0);
}

static int make_kubeconfig(struct fake_kubeadm *kubeadm, size_t row)
{
    struct fake_container *container = kubeadm->container;
    const char *user = kubeconfigs[row].user;
    cleanup_free char *full =
        memory_format("%s%s", user, user[strlen(user) - 1] == ':' ? container->name : "");
    const char *certificate = fake_file_text(container, PKI "ca.crt");
    const char *key = fake_file_text(container, PKI "ca.key");
    struct fake_identity identity = {0};
    const struct fake_subject subject = {full, kubeconfigs[row].organization, false, NULL};
    if (certificate && key)
        identity = fake_pki_sign(certificate, key, &subject);
    if (!identity.certificate)
        return fake_command_fail(kubeadm->command,
                                 "error execution phase kubeconfig/%s: failure loading ca "
                                 "certificate: couldn't load the certificate file " PKI "ca.crt",
                                 kubeconfigs[row].name);
    put_kubeconfig(kubeadm, kubeconfigs[row].name, full, &identity);
    fake_identity_done(&identity);
    return 0;
}

int fake_phase_kubeconfig(struct fake_kubeadm *kubeadm, const char *what)
{
    int code = config_needed(kubeadm);
    for (size_t i = 0; i < COUNT_OF(kubeconfigs) && code == 0; i++)
        if (kubeconfig_wanted(what, kubeconfigs[i].name))
            code = make_kubeconfig(kubeadm, i);
    return code;
}

/* --- kubelet and static pods --- */

int fake_phase_kubelet_start(struct fake_kubeadm *kubeadm, const char *what)
{
    struct fake_container *container = kubeadm->container;
    int code = config_needed(kubeadm);
    (void)what;
    if (code)
        return code;
    cleanup_free char *flags =
        memory_format("KUBELET_KUBEADM_ARGS=\"--container-runtime=remote --node-ip=%s\"\n",
                      fake_peers_address(container));
    fake_file_put_text(container, "/var/lib/kubelet/kubeadm-flags.env", flags);
    fake_file_put_text(container, "/var/lib/kubelet/config.yaml",
                       "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n");
    fake_node_start_kubelet(kubeadm->command->call->world, container,
                            kubeadm->command->call->now_ms);
    return 0;
}

static void put_manifest(struct fake_kubeadm *kubeadm, const char *name)
{
    struct fake_container *container = kubeadm->container;
    const char *address = container->endpoint_count && container->endpoints[0].ipv4
                              ? container->endpoints[0].ipv4
                              : "";
    cleanup_free char *path = memory_format("/etc/kubernetes/manifests/%s.yaml", name);
    cleanup_free char *text = memory_format(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: kube-system\nspec:\n"
        "  containers:\n  - command:\n    - %s\n    - --advertise-address=%s\n    name: %s\n",
        name, name, address, name);
    fake_file_put(container, path, text, strlen(text), 0600);
    fake_node_settle(kubeadm->command->call->world, container, kubeadm->command->call->now_ms);
}

#define ETCD_DATA "/var/lib/etcd/member/snap/db"

/* The cluster whose data lies in the container, as when somebody has carried it there; or NULL. */
static struct fake_cluster *cluster_of_data(struct fake_world *world,
                                            struct fake_container *container)
{
    const char *data = fake_file_text(container, ETCD_DATA);
    unsigned long serial = data ? strtoul(data, NULL, 10) : 0;
    for (struct fake_cluster *cluster = world->clusters; cluster; cluster = cluster->next)
        if (cluster->serial == serial)
            return cluster;
    return NULL;
}

/* An API does not read what a newer one has written. */
static int open_data(struct fake_kubeadm *kubeadm, struct fake_cluster *cluster)
{
    struct fake_container *container = kubeadm->container;
    if (strverscmp(container->node.version, cluster->kubernetes_version) < 0)
        return fake_command_fail(kubeadm->command, "the data was written by %s, this is %s",
                                 cluster->kubernetes_version, container->node.version);
    free(cluster->kubernetes_version);
    cluster->kubernetes_version = memory_string(container->node.version);
    fake_etcd_add(container, cluster);
    return 0;
}

static int start_etcd(struct fake_kubeadm *kubeadm)
{
    struct fake_container *container = kubeadm->container;
    struct fake_world *world = kubeadm->command->call->world;
    struct fake_cluster *cluster = cluster_of_data(world, container);
    if (cluster)
        return open_data(kubeadm, cluster);
    cluster = fake_cluster_new(world, fake_kubeadm_cluster_name(kubeadm));
    cluster->kubernetes_version = memory_string(container->node.version);
    fake_etcd_add(container, cluster);
    cleanup_free char *data = memory_format("%u\n", cluster->serial);
    fake_file_put(container, ETCD_DATA, data, strlen(data), 0600);
    return 0;
}

int fake_phase_etcd(struct fake_kubeadm *kubeadm, const char *what)
{
    struct fake_container *container = kubeadm->container;
    int code = config_needed(kubeadm);
    (void)what;
    if (code == 0 && !container->node.etcd)
        code = start_etcd(kubeadm);
    if (code)
        return code;
    put_manifest(kubeadm, "etcd");
    return 0;
}

int fake_phase_control_plane(struct fake_kubeadm *kubeadm, const char *what)
{
    static const struct {
        const char *what, *manifest;
    } rows[] = {{"apiserver", "kube-apiserver"},
                {"controller-manager", "kube-controller-manager"},
                {"scheduler", "kube-scheduler"}};
    int code = config_needed(kubeadm);
    for (size_t i = 0; i < COUNT_OF(rows) && code == 0; i++)
        if (is_wanted(what, rows[i].what))
            put_manifest(kubeadm, rows[i].manifest);
    return code;
}

int fake_phase_kubelet_finalize(struct fake_kubeadm *kubeadm, const char *what)
{
    (void)what;
    if (fake_file_get(kubeadm->container, "/etc/kubernetes/kubelet.conf"))
        return 0;
    return fake_command_fail(kubeadm->command,
                             "error execution phase kubelet-finalize: open "
                             "/etc/kubernetes/kubelet.conf: no such file or directory");
}

int fake_phase_reset(struct fake_kubeadm *kubeadm, const char *what)
{
    struct fake_container *container = kubeadm->container;
    struct fake_world *world = kubeadm->command->call->world;
    (void)what;
    fake_node_stop_kubelet(container, kubeadm->command->call->now_ms);
    if (container->node.cluster && container->node.etcd &&
        fake_cluster_api(world, container->node.cluster, kubeadm->command->call->now_ms))
        fake_etcd_remove(container->node.cluster, container->name);
    fake_file_remove(container, "/etc/kubernetes");
    fake_file_remove(container, "/var/lib/kubelet");
    fake_node_forget(world, container);
    fake_node_settle(world, container, kubeadm->command->call->now_ms);
    return 0;
}
