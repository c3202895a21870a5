/* Rows that let pods run early: a node's pod network, its taint, the DNS' probe. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    SIZE_TRIES_MAX = 100,
    RANGE4_BITS = 24,
    RANGE6_BITS = 64
}; /* of a node, as kubeadm has it */

/* The range of this number in an IPv4 subnet; NULL if there is none. */
static const char *range4(struct arena *arena, const char *subnet, unsigned number)
{
    char address[INET_ADDRSTRLEN];
    unsigned bits;
    char rest;
    struct in_addr parsed;
    if (sscanf(subnet, "%15[0-9.]/%2u%c", address, &bits, &rest) != 2 || bits < 8 ||
        bits > RANGE4_BITS || inet_pton(AF_INET, address, &parsed) != 1 ||
        number >= 1u << (RANGE4_BITS - bits))
        return NULL;
    uint32_t first =
        (ntohl(parsed.s_addr) & ~(UINT32_MAX >> bits)) + (number << (32 - RANGE4_BITS));
    return arena_format(arena, "%u.%u.%u.0/%d", first >> 24, first >> 16 & 255, first >> 8 & 255,
                        RANGE4_BITS);
}

static const char *range6(struct arena *arena, const char *subnet, unsigned number)
{
    char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN];
    unsigned bits;
    char rest;
    struct in6_addr parsed;
    if (sscanf(subnet, "%45[0-9a-fA-F:.]/%3u%c", address, &bits, &rest) != 2 || bits < 32 ||
        bits > RANGE6_BITS || inet_pton(AF_INET6, address, &parsed) != 1 ||
        number >= UINT64_C(1) << (RANGE6_BITS - bits))
        return NULL;
    uint64_t high = 0;
    for (size_t i = 0; i < 8; i++)
        high = high << 8 | parsed.s6_addr[i];
    high = (high & ~(bits < 64 ? UINT64_MAX >> bits : 0)) + number;
    for (size_t i = 0; i < 8; i++) {
        parsed.s6_addr[i] = (uint8_t)(high >> (56 - 8 * i));
        parsed.s6_addr[8 + i] = 0;
    }
    inet_ntop(AF_INET6, &parsed, text, sizeof(text));
    return arena_format(arena, "%s/%d", text, RANGE6_BITS);
}

struct pod_ranges docker_pod_ranges(struct flow *flow, unsigned number)
{
    const struct networking_spec *networking = &docker_flow_of(flow)->input.spec->networking;
    struct pod_ranges ranges = {.count = 0};
    if (networking->disable_default_cni)
        return ranges;
    const char *end;
    for (const char *from = networking->pod_subnet; from; from = *end ? end + 1 : NULL) {
        end = strchrnul(from, ',');
        const char *subnet = arena_string_n(flow->arena, from, (size_t)(end - from));
        const char *range = strchr(subnet, ':') ? range6(flow->arena, subnet, number)
                                                : range4(flow->arena, subnet, number);
        if (!range || ranges.count == COUNT_OF(ranges.items))
            return (struct pod_ranges){.count = 0};
        ranges.items[ranges.count++] = range;
    }
    return ranges;
}

/* "[[{"subnet":"10.244.1.0/24"}]]" and "[{"dst":"0.0.0.0/0"}]": one of each a family. */
static const char *fill_cni(struct flow *flow, const char *template,
                            const struct pod_ranges *ranges)
{
    const char *sets = "", *routes = "";
    for (size_t i = 0; i < ranges->count; i++) {
        const char *comma = i ? ", " : "", *range = ranges->items[i];
        sets = arena_format(flow->arena, "%s%s[{\"subnet\": \"%s\"}]", sets, comma, range);
        routes = arena_format(flow->arena, "%s%s{\"dst\": \"%s\"}", routes, comma,
                              strchr(range, ':') ? "::/0" : "0.0.0.0/0");
    }
    const char *half =
        docker_fill(flow, template, "{{ .Ranges }}", arena_format(flow->arena, "[%s]", sets));
    return docker_fill(flow, half, "{{ .Routes }}", arena_format(flow->arena, "[%s]", routes));
}

int docker_put_cni(struct flow *flow, const struct archive_file *template,
                   const struct pod_ranges *ranges, struct error **err)
{
    const char *text = fill_cni(flow, template->bytes, ranges);
    const struct archive_file files[] = {
        {.path = "etc/cni/", .mode = 0755},
        {.path = "etc/cni/net.d/", .mode = 0755},
        {.path = "etc/cni/net.d/10-kind.conflist",
         .bytes = text,
         .length = strlen(text),
         .mode = 0644},
    };
    return docker_write_files(flow, docker_flow_of(flow)->found->id, "/", files, COUNT_OF(files),
                              err);
}

const char *docker_ranges_json(struct flow *flow, const struct pod_ranges *ranges)
{
    const char *list = "";
    for (size_t i = 0; i < ranges->count; i++)
        list = arena_format(flow->arena, "%s%s\"%s\"", list, i ? "," : "", ranges->items[i]);
    return ranges->count ? arena_format(flow->arena, "\"podCIDR\":\"%s\",\"podCIDRs\":[%s]",
                                        ranges->items[0], list)
                         : "";
}

enum step_status docker_read_cni(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->has_range || !docker_pod_ranges(flow, 0).count)
        return STEP_DONE;
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/manifests/node-cni.conflist");
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, "node-cni.conflist");
    df->cni_template = file && file->bytes ? file : NULL;
    return STEP_DONE;
}

enum step_status docker_place_cni(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "place the CNI's file", err);
    if (!df->cni_template)
        return STEP_DONE;
    const struct pod_ranges first = docker_pod_ranges(flow, 0);
    return docker_put_cni(flow, df->cni_template, &first, err) ? STEP_FAILED : STEP_WAITING;
}

/*
 * A lone control plane runs everybody's pods: the taint goes, and the label
 * that keeps it out of load balancers. "" if nothing is to be patched.
 */
static const char *opening_patch(struct flow *flow, const char *ranges)
{
    const struct cluster_spec *spec = docker_flow_of(flow)->input.spec;
    if (spec->node_count > 1)
        return *ranges ? arena_format(flow->arena, "{\"spec\":{%s}}", ranges) : "";
    bool tainted = spec->nodes[0].taint_count > 0;
    return arena_format(flow->arena,
                        "{\"metadata\":{\"labels\":{"
                        "\"node.kubernetes.io/exclude-from-external-load-balancers\":null}},"
                        "\"spec\":{%s%s%s}}",
                        tainted ? "" : "\"taints\":null", *ranges && !tainted ? "," : "", ranges);
}

enum step_status docker_open_for_pods(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *path = arena_format(flow->arena, "/api/v1/nodes/%s", df->found->name);
    bool refused = answer && !answer->failure && answer->status == 422 && flow->turn == 1;
    const struct pod_ranges first = docker_pod_ranges(flow, 0);
    const char *patch = opening_patch(flow, refused ? "" : docker_ranges_json(flow, &first));
    if (!*patch)
        return STEP_DONE;
    if (!answer || refused) {
        /* Refused: it has another range already, and that stays. */
        kube_send(flow, "PATCH", path, "application/merge-patch+json", patch);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || answer->status == 404 || answer->status >= 500)
        return STEP_AGAIN; /* kubelet has not registered its node yet */
    return docker_refused(flow, answer, "remove the taint", err);
}

/*
 * The next phase starts kubelet again. One that starts while its Node does not
 * say yet how much storage there is (Kubernetes 1.20 learns it only after it
 * has registered) refuses etcd, which wants some, and ends it for good. Where
 * storage is not counted the Node never says so, hence the end of patience.
 */
enum step_status docker_await_size(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)err;
    if (!answer) {
        const char *name = docker_flow_of(flow)->found->name;
        kube_send(flow, "GET", arena_format(flow->arena, "/api/v1/nodes/%s", name), NULL, NULL);
        return STEP_WAITING;
    }
    json_t *node = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *capacity = json_object_get(json_object_get(node, "status"), "capacity");
    bool known = json_object_get(capacity, "ephemeral-storage") != NULL;
    json_decref(node);
    flow->waiting_for = answer->failure || answer->status != 200
                            ? docker_message(flow, answer)
                            : "kubelet has not reported its storage yet";
    bool patient = answer->failure || answer->status != 200 || flow->tries < SIZE_TRIES_MAX;
    return known || !patient ? STEP_DONE : STEP_AGAIN;
}

/*
 * kubelet asks for the first time at a random moment within the probe's
 * period, 10 s by kubeadm's manifest: DNS would answer long before it counts
 * as ready. Asked every second it counts at once.
 */
enum step_status docker_quicken_dns(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    if (!answer) {
        kube_send(flow, "PATCH", "/apis/apps/v1/namespaces/kube-system/deployments/coredns",
                  "application/strategic-merge-patch+json",
                  "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"coredns\","
                  "\"readinessProbe\":{\"periodSeconds\":1}}]}}}}");
        return STEP_WAITING;
    }
    if (!answer->failure && (answer->status == 200 || answer->status == 404))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || answer->status == 409 || answer->status >= 500)
        return STEP_AGAIN;
    return docker_refused(flow, answer, "set the probe of cluster DNS", err);
}
