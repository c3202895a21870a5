#include "model/kubeadm.h"

#include "base/memory.h"
#include "model/document.h"
#include "model/kubeadm_patch.h"
#include "model/version.h"
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>

/*
 * DESIGN: first all that is derived from the inputs (struct facts), then one
 * function per document, which reads like the document. The documents are
 * values until the very end, so that patches fit in before printing. As
 * upstream's they have a metadata.name, which patches may name, until then.
 * Labels are sorted by key, where upstream has the random order of a Go map.
 */

enum { API_SERVER_PORT = 6443, ROOTLESS_GATES = 1 };

struct facts {
    const struct kubeadm_input *input;
    const struct networking_spec *networking;
    struct kubeadm_traits traits;
    struct version version;
    bool ipv6_only;
    bool argument_lists;    /* v1beta4: extraArgs are lists of name and value */
    struct pair_list gates; /* items owned */
    char *gates_text, *runtime_config, *labels;
    char *addresses;       /* "10.0.0.2" or "10.0.0.2,fc00::2" */
    const char *advertise; /* the first of them */
    char *provider_id;
    char *reserved; /* what of the host is not the node's: "cpu=500m,memory=1024Ki", or "" */
};

static void facts_done(struct facts *facts)
{
    free((void *)(uintptr_t)facts->gates.items);
    free(facts->gates_text);
    free(facts->runtime_config);
    free(facts->labels);
    free(facts->addresses);
    free(facts->provider_id);
    free(facts->reserved);
}
#define cleanup_facts __attribute__((cleanup(facts_done)))

static void read_traits(const struct version *version, struct kubeadm_traits *traits)
{
    bool v1beta2 = version_core_before(version, "1.23.0");
    bool v1beta3 = version_core_before(version, "1.36.0");
    bool old_label = version_before(version, "1.24.0-alpha.1.591");
    *traits = (struct kubeadm_traits){
        .api_version = v1beta2   ? "kubeadm.k8s.io/v1beta2"
                       : v1beta3 ? "kubeadm.k8s.io/v1beta3"
                                 : "kubeadm.k8s.io/v1beta4",
        .skip_phases_by_flag = v1beta2,
        .cgroupfs = version_core_before(version, "1.24.0"),
        .taint_master = version_before(version, "1.25.0-alpha.0.557"),
        .taint_control_plane = !version_before(version, "1.24.0-alpha.1.592"),
        .ready_label =
            old_label ? "node-role.kubernetes.io/master" : "node-role.kubernetes.io/control-plane",
    };
}

int kubeadm_traits(const char *kubernetes_version, struct kubeadm_traits *traits,
                   struct error **err)
{
    struct version version;
    if (version_parse(kubernetes_version, &version, err) < 0)
        return -1;
    read_traits(&version, traits);
    return 0;
}

/* Sets one gate in a list kept sorted by key; there is room for one more. */
static void set_gate(struct pair *gates, size_t *count, const char *key, const char *value)
{
    size_t at = 0;
    while (at < *count && strcmp(gates[at].key, key) < 0)
        at++;
    if (at == *count || strcmp(gates[at].key, key) != 0) {
        memmove(gates + at + 1, gates + at, (*count - at) * sizeof(*gates));
        ++*count;
    }
    gates[at] = (struct pair){key, value};
}

/* What the user asked for, and what a kubelet in a user namespace needs. */
static void collect_gates(struct facts *facts)
{
    const struct pair_list *wanted = &facts->input->spec->feature_gates;
    struct pair *gates = memory_resize(NULL, wanted->count + ROOTLESS_GATES, sizeof(*gates));
    size_t count = 0;
    for (; count < wanted->count; count++)
        gates[count] = wanted->items[count];
    if (facts->input->rootless)
        set_gate(gates, &count, "KubeletInUserNamespace", "true");
    facts->gates = (struct pair_list){gates, count};
}

/* "a=1,b=2" */
static char *join_pairs(const struct pair_list *pairs)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < pairs->count; i++)
        text_add_format(&text, "%s%s=%s", i ? "," : "", pairs->items[i].key, pairs->items[i].value);
    return text_take(&text);
}

static int need_address(const struct kubeadm_input *input, const char *address, const char *family,
                        struct error **err)
{
    if (address && *address)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "node %s has no %s address: does the engine's network support %s?",
                     input->node->name, family, family);
}

/* In a dual cluster the family of the first service subnet comes first. */
static int read_addresses(struct facts *facts, struct error **err)
{
    const struct kubeadm_input *input = facts->input;
    enum ip_family family = facts->networking->family;
    if (family != IP_FAMILY_IPV6 && need_address(input, input->ipv4, "IPv4", err) < 0)
        return -1;
    if (family != IP_FAMILY_IPV4 && need_address(input, input->ipv6, "IPv6", err) < 0)
        return -1;
    const char *subnets = facts->networking->service_subnet;
    bool ipv6_first = family == IP_FAMILY_IPV6 ||
                      (family == IP_FAMILY_DUAL && memchr(subnets, ':', strcspn(subnets, ",")));
    const char *first = ipv6_first ? input->ipv6 : input->ipv4;
    const char *second = ipv6_first ? input->ipv4 : input->ipv6;
    facts->advertise = first;
    facts->addresses =
        family == IP_FAMILY_DUAL ? memory_format("%s,%s", first, second) : memory_string(first);
    return 0;
}

/*
 * A kubelet sees the host's processors and memory, whatever its container may
 * have. What is reserved is not offered to pods: the limit is left. Memory is
 * rounded up, so that never more than the limit is offered.
 */
static char *reserve(const struct kubeadm_input *input)
{
    const struct resources_spec *limits = &input->node->resources;
    cleanup_text struct text text;
    text_init(&text, 0);
    if (limits->cpu_milli > 0 && limits->cpu_milli < input->host_cpu_milli)
        text_add_format(&text, "cpu=%" PRId32 "m", input->host_cpu_milli - limits->cpu_milli);
    if (limits->memory_bytes > 0 && limits->memory_bytes < input->host_memory_bytes)
        text_add_format(&text, "%smemory=%" PRId64 "Ki", text.length ? "," : "",
                        (input->host_memory_bytes - limits->memory_bytes - 1) / 1024 + 1);
    return text_take(&text);
}

static int read_facts(const struct kubeadm_input *input, struct facts *facts, struct error **err)
{
    facts->input = input;
    facts->networking = &input->spec->networking;
    facts->ipv6_only = facts->networking->family == IP_FAMILY_IPV6;
    if (version_parse(input->kubernetes_version, &facts->version, err) < 0)
        return -1;
    if (input->rootless && version_core_before(&facts->version, "1.22.0"))
        return error_set(err, ERROR_INVALID,
                         "Kubernetes %s cannot run on a rootless engine; 1.22.0 and later can",
                         input->kubernetes_version);
    if (read_addresses(facts, err) < 0)
        return -1;
    read_traits(&facts->version, &facts->traits);
    facts->argument_lists = !version_core_before(&facts->version, "1.36.0");
    collect_gates(facts);
    facts->gates_text = join_pairs(&facts->gates);
    facts->runtime_config = join_pairs(&input->spec->runtime_config);
    facts->labels = join_pairs(&input->node->labels);
    facts->provider_id =
        memory_format("kind://%s/%s/%s", input->provider, input->spec->name, input->node->name);
    facts->reserved = reserve(input);
    return 0;
}

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

static json_t *new_arguments(const struct facts *facts)
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

static void add_gates_argument(const struct facts *facts, json_t *arguments)
{
    if (facts->gates.count)
        add_argument(arguments, "feature-gates", facts->gates_text);
}

static json_t *api_server(const struct facts *facts)
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

static json_t *controller_manager(const struct facts *facts)
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
static json_t *scheduler(const struct facts *facts)
{
    if (!facts->gates.count && !facts->ipv6_only)
        return json_pack("{s:n}", "extraArgs");
    json_t *arguments = new_arguments(facts);
    add_gates_argument(facts, arguments);
    if (facts->ipv6_only)
        add_argument(arguments, "bind-address", "::1");
    return json_pack("{s:o}", "extraArgs", arguments);
}

static json_t *cluster_configuration(const struct facts *facts)
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

static json_t *local_endpoint(const struct facts *facts)
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
static json_t *registration_taints(const struct facts *facts)
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

static json_t *node_registration(const struct facts *facts)
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

static json_t *init_configuration(const struct facts *facts)
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

static json_t *join_configuration(const struct facts *facts)
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

static void set_gates(const struct facts *facts, json_t *document)
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

static json_t *kubelet_configuration(const struct facts *facts)
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
static json_t *proxy_configuration(const struct facts *facts)
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

static json_t *new_documents(const struct facts *facts)
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
    cleanup_facts struct facts facts = {0};
    if (read_facts(input, &facts, err) < 0)
        return -1;
    json_auto_t *documents = new_documents(&facts);
    if (kubeadm_patch_apply(input->spec, input->node, documents, unmatched, err) < 0)
        return -1;
    print_documents(documents, text);
    return 0;
}
