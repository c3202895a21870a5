/* Rows that let pods run early on the only node: its pod network, its taint, the DNS' probe. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/*
 * The first /24 of the pod subnet, which kube-controller-manager would give to
 * the only node; NULL where it is not that simple. Before it gives anything it
 * waits 10 s (Kubernetes 1.20), and it accepts what a node has already.
 */
static const char *first_pod_range(struct flow *flow, const char *subnet)
{
    char address[INET_ADDRSTRLEN];
    unsigned bits;
    char rest;
    struct in_addr parsed;
    if (sscanf(subnet, "%15[0-9.]/%2u%c", address, &bits, &rest) != 2 || bits < 8 || bits > 24 ||
        inet_pton(AF_INET, address, &parsed) != 1)
        return NULL;
    uint32_t first = ntohl(parsed.s_addr) & ~(UINT32_MAX >> bits);
    return arena_format(flow->arena, "%u.%u.%u.0/24", first >> 24, first >> 16 & 255,
                        first >> 8 & 255);
}

/*
 * Our node image brings a CNI configuration for a node whose pod range is
 * known beforehand: kubelet finds it when it starts, so the node registers as
 * Ready and pods are scheduled at once. The CNI's own program takes over when
 * it runs. Other images have none, which is fine.
 */
enum step_status docker_place_cni(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct networking_spec *networking = &df->input.spec->networking;
    const char *range = first_pod_range(flow, networking->pod_subnet);
    if (!range || networking->disable_default_cni || df->input.spec->node_count > 1)
        return STEP_DONE;
    if (flow->turn == 0) {
        docker_read_files(flow, df->found->id, "/kind/manifests/node-cni.conflist");
        return STEP_WAITING;
    }
    if (flow->turn == 2)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "place the CNI's file", err);
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, "node-cni.conflist");
    if (!file || !file->bytes)
        return STEP_DONE;
    const char *text = docker_fill(flow, file->bytes, "{{ .PodRange }}", range);
    const struct archive_file files[] = {
        {.path = "etc/cni/", .mode = 0755},
        {.path = "etc/cni/net.d/", .mode = 0755},
        {.path = "etc/cni/net.d/10-kind.conflist",
         .bytes = text,
         .length = strlen(text),
         .mode = 0644},
    };
    return docker_write_files(flow, df->found->id, "/", files, COUNT_OF(files), err) ? STEP_FAILED
                                                                                     : STEP_WAITING;
}

/*
 * A lone control plane runs everybody's pods: the taint goes, and the label
 * that keeps it out of load balancers.
 */
static const char *opening_patch(struct flow *flow, const char *range)
{
    const char *ranges =
        range ? arena_format(flow->arena, ",\"podCIDR\":\"%s\",\"podCIDRs\":[\"%s\"]", range, range)
              : "";
    return arena_format(flow->arena,
                        "{\"metadata\":{\"labels\":{"
                        "\"node.kubernetes.io/exclude-from-external-load-balancers\":null}},"
                        "\"spec\":{\"taints\":null%s}}",
                        ranges);
}

enum step_status docker_open_for_pods(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->input.spec->node_count > 1)
        return STEP_DONE;
    const char *path = arena_format(flow->arena, "/api/v1/nodes/%s", df->found->name);
    const char *range = first_pod_range(flow, df->input.spec->networking.pod_subnet);
    if (!answer) {
        kube_send(flow, "PATCH", path, "application/merge-patch+json", opening_patch(flow, range));
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return STEP_DONE;
    if (!answer->failure && answer->status == 422 && flow->turn == 1) {
        /* It has another range already: that stays. */
        kube_send(flow, "PATCH", path, "application/merge-patch+json", opening_patch(flow, NULL));
        return STEP_WAITING;
    }
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || answer->status == 404 || answer->status >= 500)
        return STEP_AGAIN; /* kubelet has not registered its node yet */
    return docker_refused(flow, answer, "remove the taint", err);
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
