#include "model/kubeadm_facts.h"

#include "base/memory.h"
#include <inttypes.h>

enum { ROOTLESS_GATES = 1 };

void kubeadm_facts_done(struct kubeadm_facts *facts)
{
    free((void *)(uintptr_t)facts->gates.items);
    free(facts->gates_text);
    free(facts->runtime_config);
    free(facts->labels);
    free(facts->addresses);
    free(facts->provider_id);
    free(facts->reserved);
}

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
static void collect_gates(struct kubeadm_facts *facts)
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
static int read_addresses(struct kubeadm_facts *facts, struct error **err)
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

int kubeadm_facts_read(const struct kubeadm_input *input, struct kubeadm_facts *facts,
                       struct error **err)
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
