#include "drivers/docker_address.h"

#include "base/memory.h"
#include "drivers/certificate.h"
#include <string.h>

#define PEER_CERTIFICATE "/etc/kubernetes/pki/etcd/peer.crt"
#define KUBELET_FLAGS "/var/lib/kubelet/kubeadm-flags.env"

enum { NODE_ADDRESSES_MAX = 2 };

const char *docker_address_witness(const struct node_state *node)
{
    return docker_is_control_plane(node) ? PEER_CERTIFICATE : KUBELET_FLAGS;
}

/* "… --node-ip=10.1.2.3,fc00::3 …", quoted or not. */
static struct string_list node_ips(struct arena *arena, const char *flags)
{
    static const char flag[] = "--node-ip=", digits[] = "0123456789abcdefABCDEF.:";
    const char **items = arena_array(arena, NODE_ADDRESSES_MAX, sizeof(*items));
    struct string_list list = {.items = items};
    const char *at = strstr(flags, flag);
    at = at ? at + strlen(flag) : "";
    while (list.count < NODE_ADDRESSES_MAX && strspn(at, digits)) {
        size_t length = strspn(at, digits);
        items[list.count++] = arena_string_n(arena, at, length);
        at += length;
        at += *at == ',';
    }
    return list;
}

struct string_list docker_address_told(struct docker_flow *df, const struct node_state *node)
{
    const char *path = docker_address_witness(node);
    const struct archive_file *file = archive_find(&df->files, strrchr(path, '/') + 1);
    if (!file || !file->bytes)
        return (struct string_list){0};
    if (docker_is_control_plane(node))
        return certificate_addresses(df->flow.arena, file->bytes, file->length);
    return node_ips(df->flow.arena, file->bytes);
}

enum seen docker_address_moved(const struct string_list *told, const struct node_state *node)
{
    if (!told->count || (!node->ipv4 && !node->ipv6))
        return SEEN_UNKNOWN;
    if (certificate_names(told, node->ipv4) || certificate_names(told, node->ipv6))
        return SEEN_NO;
    return node->several_networks ? SEEN_UNKNOWN : SEEN_YES;
}

/*
 * An address that was fixed is the same after each start, so nobody looks
 * while all is well. A worker's file is right again once it has booted, by the
 * image's own doing: it is looked at where something is not well.
 */
static bool is_doubtful(const struct cluster_state *state, const struct node_state *node)
{
    if (node->status != CONTAINER_RUNNING || !node->owner || docker_is_balancer(node) ||
        node->moved != SEEN_UNKNOWN)
        return false;
    if (docker_is_control_plane(node))
        return node->loose || state->ready == SEEN_NO;
    return node->loose && (state->ready == SEEN_NO || state->recorded == SEEN_NO);
}

static void take_moved(struct docker_flow *df, size_t index, const struct answer *answer)
{
    struct node_state *nodes = arena_array(df->into, df->state->node_count, sizeof(*nodes));
    memcpy(nodes, df->state->nodes, df->state->node_count * sizeof(*nodes));
    struct error *unreadable = NULL;
    if (!answer->failure && docker_files(&df->flow, answer, &unreadable) == 0) {
        struct string_list told = docker_address_told(df, &nodes[index]);
        nodes[index].moved = docker_address_moved(&told, &nodes[index]);
    }
    error_free(unreadable);
    df->state->nodes = nodes;
}

/* What cannot be read stays unknown. */
enum step_status docker_look_addresses(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (df->state->recorded == SEEN_UNKNOWN)
        return STEP_DONE;
    if (answer)
        take_moved(df, df->next++, answer);
    else
        df->next = 0;
    while (df->next < df->state->node_count && !is_doubtful(df->state, &df->state->nodes[df->next]))
        df->next++;
    if (df->next == df->state->node_count)
        return STEP_DONE;
    const struct node_state *node = &df->state->nodes[df->next];
    docker_read_files(flow, node->id, docker_address_witness(node));
    return STEP_WAITING;
}
