#include "model/kubeadm.h"

#include "model/document.h"
#include "model/kubeadm_facts.h"
#include "model/kubeadm_patch.h"
#include <assert.h>
#include <jansson.h>

/*
 * DESIGN: first all that is derived from the inputs (kubeadm_facts.h), then one
 * function per document, which reads like the document. The documents are
 * values until the very end, so that patches fit in before printing. As
 * upstream's they have a metadata.name, which patches may name, until then.
 * Labels are sorted by key, where upstream has the random order of a Go map.
 */

enum { API_SERVER_PORT = 6443 };

/* Steals value. */
static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    assert(!failed);
}

static void set_text(json_t *object, const char *key, const char *value)
{
    set(object, key, json_string(value));
}

static json_t *new_document(const char *api_version, const char *kind)
{
    json_t *document = json_object();
    set_text(document, "apiVersion", api_version);
    set_text(document, "kind", kind);
    set(document, "metadata", json_pack("{s:s}", "name", "config"));
    return document;
}

static json_t *new_arguments(const struct kubeadm_facts *facts)
{
    return facts->argument_lists ? json_array() : json_object();
}

static void add_argument(json_t *arguments, const char *name, const char *value)
{
    if (json_is_object(arguments)) {
        set_text(arguments, name, value);
        return;
    }
    json_t *argument = json_object();
    set_text(argument, "name", name);
    set_text(argument, "value", value);
    json_array_append_new(arguments, argument);
}

static void add_gates_argument(const struct kubeadm_facts *facts, json_t *arguments)
{
    if (facts->gates.count)
        add_argument(arguments, "feature-gates", facts->gates_text);
}

static json_t *api_server(const struct kubeadm_facts *facts)
{
    json_t *arguments = new_arguments(facts);
    add_argument(arguments, "runtime-config", facts->runtime_config);
    add_gates_argument(facts, arguments);
    json_t *component = json_object();
    set(component, "certSANs",
        json_pack("[s, s]", "localhost", facts->networking->api_server_address));
    set(component, "extraArgs", arguments);
    return component;
}

static json_t *controller_manager(const struct kubeadm_facts *facts)
{
    json_t *arguments = new_arguments(facts);
    add_gates_argument(facts, arguments);
    add_argument(arguments, "enable-hostpath-provisioner", "true");
    if (facts->ipv6_only)
        add_argument(arguments, "bind-address", "::");
    if (facts->input->own_pod_ranges)
        add_argument(arguments, "allocate-node-cidrs", "false");
    return json_pack("{s:o}", "extraArgs", arguments);
}

/* A null where there are no arguments, as upstream's template leaves it. */
static json_t *scheduler(const struct kubeadm_facts *facts)
{
    if (!facts->gates.count && !facts->ipv6_only)
        return json_pack("{s:n}", "extraArgs");
    json_t *arguments = new_arguments(facts);
    add_gates_argument(facts, arguments);
    if (facts->ipv6_only)
        add_argument(arguments, "bind-address", "::1");
    return json_pack("{s:o}", "extraArgs", arguments);
}

static json_t *cluster_configuration(const struct kubeadm_facts *facts)
{
    json_t *document = new_document(facts->traits.api_version, "ClusterConfiguration");
    set_text(document, "kubernetesVersion", facts->input->kubernetes_version);
    set_text(document, "clusterName", facts->input->spec->name);
    set_text(document, "controlPlaneEndpoint", facts->input->endpoint);
    set(document, "apiServer", api_server(facts));
    set(document, "controllerManager", controller_manager(facts));
    set(document, "scheduler", scheduler(facts));
    json_t *networking = json_object();
    set_text(networking, "podSubnet", facts->networking->pod_subnet);
    set_text(networking, "serviceSubnet", facts->networking->service_subnet);
    set(document, "networking", networking);
    /* kubeadm's own gate, known to 1.20 only. */
    if (!version_core_before(&facts->version, "1.20.0") &&
        version_core_before(&facts->version, "1.21.0"))
        set(document, "featureGates", json_pack("{s:b}", "IPv6DualStack", 1));
    return document;
}

static json_t *local_endpoint(const struct kubeadm_facts *facts)
{
    json_t *endpoint = json_object();
    set_text(endpoint, "advertiseAddress", facts->advertise);
    set(endpoint, "bindPort", json_integer(API_SERVER_PORT));
    return endpoint;
}

static void add_taint(json_t *taints, const char *key, const char *value, const char *effect)
{
    json_t *taint = json_object();
    set_text(taint, "key", key);
    if (*value)
        set_text(taint, "value", value);
    set_text(taint, "effect", effect);
    json_array_append_new(taints, taint);
}

/*
 * Taints that are given replace those that kubeadm gives a control plane by
 * itself. These stay beside them, but on a lone node, which has to bear all.
 */
static json_t *registration_taints(const struct kubeadm_facts *facts)
{
    const struct node_spec *node = facts->input->node;
    json_t *taints = json_array();
    if (node->role == NODE_CONTROL_PLANE && facts->input->spec->node_count > 1) {
        if (facts->traits.taint_master)
            add_taint(taints, "node-role.kubernetes.io/master", "", "NoSchedule");
        if (facts->traits.taint_control_plane)
            add_taint(taints, "node-role.kubernetes.io/control-plane", "", "NoSchedule");
    }
    for (size_t i = 0; i < node->taint_count; i++) {
        const struct taint_spec *taint = &node->taints[i];
        add_taint(taints, taint->key, taint->value, taint->effect);
    }
    return taints;
}

static json_t *node_registration(const struct kubeadm_facts *facts)
{
    json_t *arguments = new_arguments(facts);
    add_argument(arguments, "node-ip", facts->addresses);
    add_argument(arguments, "provider-id", facts->provider_id);
    add_argument(arguments, "node-labels", facts->labels);
    if (*facts->reserved)
        add_argument(arguments, "system-reserved", facts->reserved);
    json_t *registration = json_object();
    set_text(registration, "criSocket", "unix:///run/containerd/containerd.sock");
    set(registration, "kubeletExtraArgs", arguments);
    if (facts->input->node->taint_count)
        set(registration, "taints", registration_taints(facts));
    return registration;
}

static json_t *init_configuration(const struct kubeadm_facts *facts)
{
    json_t *document = new_document(facts->traits.api_version, "InitConfiguration");
    set(document, "bootstrapTokens", json_pack("[{s:s}]", "token", facts->input->token));
    set(document, "localAPIEndpoint", local_endpoint(facts));
    set(document, "nodeRegistration", node_registration(facts));
    if (facts->traits.skip_phases_by_flag)
        return document;
    json_t *phases = json_pack("[s]", "preflight");
    if (facts->networking->proxy_mode == PROXY_NONE)
        json_array_append_new(phases, json_string("addon/kube-proxy"));
    set(document, "skipPhases", phases);
    return document;
}

static json_t *join_configuration(const struct kubeadm_facts *facts)
{
    json_t *document = new_document(facts->traits.api_version, "JoinConfiguration");
    if (facts->input->node->role == NODE_CONTROL_PLANE)
        set(document, "controlPlane",
            json_pack("{s:o}", "localAPIEndpoint", local_endpoint(facts)));
    set(document, "nodeRegistration", node_registration(facts));
    json_t *bootstrap = json_object();
    set_text(bootstrap, "apiServerEndpoint", facts->input->endpoint);
    set_text(bootstrap, "token", facts->input->token);
    if (facts->input->ca_hash)
        set(bootstrap, "caCertHashes", json_pack("[s]", facts->input->ca_hash));
    else
        set(bootstrap, "unsafeSkipCAVerification", json_true());
    set(document, "discovery", json_pack("{s:o}", "bootstrapToken", bootstrap));
    if (!facts->traits.skip_phases_by_flag)
        set(document, "skipPhases", json_pack("[s]", "preflight"));
    return document;
}

static void set_gates(const struct kubeadm_facts *facts, json_t *document)
{
    if (!facts->gates.count)
        return;
    json_t *gates = json_object();
    for (size_t i = 0; i < facts->gates.count; i++) {
        const struct pair *gate = &facts->gates.items[i];
        set(gates, gate->key, json_boolean(strcmp(gate->value, "true") == 0));
    }
    set(document, "featureGates", gates);
}

/* The disk belongs to the host: the kubelet is not to make room on it. */
static json_t *eviction_thresholds(void)
{
    json_t *thresholds = json_object();
    set_text(thresholds, "nodefs.available", "0%");
    set_text(thresholds, "nodefs.inodesFree", "0%");
    set_text(thresholds, "imagefs.available", "0%");
    return thresholds;
}

static json_t *kubelet_configuration(const struct kubeadm_facts *facts)
{
    json_t *document = new_document("kubelet.config.k8s.io/v1beta1", "KubeletConfiguration");
    set_text(document, "cgroupDriver", facts->traits.cgroupfs ? "cgroupfs" : "systemd");
    set_text(document, "cgroupRoot", "/kubelet");
    set(document, "failSwapOn", json_false());
    set(document, "imageGCHighThresholdPercent", json_integer(100));
    set(document, "evictionHard", eviction_thresholds());
    set_gates(facts, document);
    if (facts->ipv6_only) {
        set_text(document, "address", "::");
        set_text(document, "healthzBindAddress", "::");
    }
    if (facts->input->fast_status)
        set_text(document, "nodeStatusUpdateFrequency", "1s");
    return document;
}

/* Conntrack belongs to the host, too: 0 leaves its limits as they are. */
static json_t *proxy_configuration(const struct kubeadm_facts *facts)
{
    enum proxy_mode mode = facts->networking->proxy_mode;
    json_t *document = new_document("kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration");
    set_text(document, "mode", proxy_mode_name(mode));
    set_gates(facts, document);
    set(document, "iptables", json_pack("{s:s}", "minSyncPeriod", "1s"));
    json_t *conntrack = json_pack("{s:i}", "maxPerCore", 0);
    if (facts->input->rootless) {
        set_text(conntrack, "tcpEstablishedTimeout", "0s");
        set_text(conntrack, "tcpCloseWaitTimeout", "0s");
    } else if (mode == PROXY_NFTABLES) {
        set(conntrack, "tcpBeLiberal", json_true());
    }
    set(document, "conntrack", conntrack);
    return document;
}

static json_t *new_documents(const struct kubeadm_facts *facts)
{
    json_t *documents = json_array();
    json_array_append_new(documents, cluster_configuration(facts));
    json_array_append_new(documents, init_configuration(facts));
    json_array_append_new(documents, join_configuration(facts));
    json_array_append_new(documents, kubelet_configuration(facts));
    if (facts->networking->proxy_mode != PROXY_NONE)
        json_array_append_new(documents, proxy_configuration(facts));
    return documents;
}

/* kubeadm's types have no metadata; patches often have it, a habit from when they had to. */
static void strip_name(json_t *document)
{
    json_t *metadata = json_object_get(document, "metadata");
    json_object_del(metadata, "name");
    if (json_object_size(metadata) == 0)
        json_object_del(document, "metadata");
}

static void print_documents(const json_t *documents, struct text *text)
{
    for (size_t i = 0; i < json_array_size(documents); i++) {
        json_t *document = json_array_get(documents, i);
        strip_name(document);
        text_add(text, i ? "---\n" : "");
        document_print(document, text);
    }
}

int kubeadm_config(const struct kubeadm_input *input, struct text *text, struct text *unmatched,
                   struct error **err)
{
    cleanup_kubeadm_facts struct kubeadm_facts facts = {0};
    if (kubeadm_facts_read(input, &facts, err) < 0)
        return -1;
    json_auto_t *documents = new_documents(&facts);
    if (kubeadm_patch_apply(input->spec, input->node, documents, unmatched, err) < 0)
        return -1;
    print_documents(documents, text);
    return 0;
}
