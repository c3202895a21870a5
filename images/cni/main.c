/*
 * netd - a node's pod network: one process a node, in the node's own network.
 *
 * DESIGN
 *   Nodes --watch--> own pod networks  --> conflist    pods get addresses
 *                    others' networks  --> routes      pods reach other nodes
 *   POD_SUBNET ----------------------->    masquerade  pods reach the world
 *
 * Each of the three compares what ought to be with what is there, and may be
 * run at any time. Ended, or without an API, it leaves all in place: pods go on
 * speaking to each other.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../cluster-api/api.h"
#include "../cluster-api/loop.h"
#include "../cluster-api/memory.h"
#include "../cluster-api/mirror.h"
#include "conflist.h"
#include "masquerade.h"
#include "node.h"
#include "routes.h"
#include "rules.h"

enum {
    GROUP_MS = 50,        /* nodes report in bursts while a cluster starts */
    CHECK_MS = 60 * 1000, /* somebody may have changed routes or files */
    RETRY_MS = 1000,
    POD_SUBNETS_MAX = 8,
};

struct netd {
    const char *node_name, *conf_dir;
    struct loop *loop;
    struct api api;
    struct mirror *nodes;
    struct masquerade *masquerade;
    struct routes wanted;
    char rules[RULES_TEXT_SIZE];
    char complaint[256]; /* the last one logged, so that it is logged once */
    uint64_t started_at_ms, check_at_ms;
    int signals;
    bool connected; /* the conflist has been in place */
    bool stopped;
};

static void complain(struct netd *netd, const char *complaint)
{
    if (strcmp(netd->complaint, complaint) == 0)
        return;
    snprintf(netd->complaint, sizeof(netd->complaint), "%s", complaint);
    if (*complaint)
        loop_log("%s", complaint);
}

static int check_conflist(struct netd *netd, char *why, size_t why_size)
{
    const json_t *node = json_object_get(mirror_objects(netd->nodes), netd->node_name);
    struct network networks[POD_NETWORKS_MAX];
    size_t count = node_pod_networks(node, networks);
    if (!count) {
        snprintf(why, why_size, "node %s has no pod network yet%s", netd->node_name,
                 node ? "" : " (it is not known)");
        return -1;
    }
    cleanup_free char *text = conflist_text(networks, count, routes_default_mtu());
    int written = conflist_write(netd->conf_dir, text);
    if (written < 0) {
        snprintf(why, why_size, "write to %s: %s", netd->conf_dir, strerror(errno));
        return -1;
    }
    if (written > 0)
        loop_log("network configuration written");
    if (!netd->connected) {
        loop_log("node %s is connected, %llu ms after start", netd->node_name,
                 (unsigned long long)(loop_now_ms() - netd->started_at_ms));
        masquerade_hurry(netd->masquerade);
    }
    netd->connected = true;
    return 0;
}

static int check_routes(struct netd *netd, char *why, size_t why_size)
{
    routes_wanted(&netd->wanted, mirror_objects(netd->nodes), netd->node_name);
    int changed = routes_apply(&netd->wanted, why, why_size);
    if (changed > 0)
        loop_log("%d route(s) changed, %zu in all", changed, netd->wanted.count);
    return changed < 0 ? -1 : 0;
}

static uint64_t netd_tick(struct netd *netd, uint64_t now_ms)
{
    /* Without a full list nothing is known to be gone. */
    if (now_ms < netd->check_at_ms || !mirror_synced(netd->nodes))
        return netd->check_at_ms > now_ms ? netd->check_at_ms : LOOP_NEVER;
    char why[256] = "";
    int conflist = check_conflist(netd, why, sizeof(why));
    int routes = check_routes(netd, why, sizeof(why));
    complain(netd, why);
    netd->check_at_ms = now_ms + (conflist < 0 || routes < 0 ? RETRY_MS : CHECK_MS);
    return netd->check_at_ms;
}

static void nodes_changed(void *context)
{
    struct netd *netd = context;
    uint64_t at_ms = loop_now_ms() + (netd->connected ? GROUP_MS : 0);
    if (at_ms < netd->check_at_ms)
        netd->check_at_ms = at_ms;
}

static void signal_arrived(void *context, int fd)
{
    struct netd *netd = context;
    struct signalfd_siginfo signal;
    if (read(fd, &signal, sizeof(signal)) == sizeof(signal))
        netd->stopped = true;
}

/* "10.244.0.0/16,fd00:10:244::/56" to rules; -1 if one of them is no network. */
static int read_pod_subnets(const char *list, char rules[RULES_TEXT_SIZE])
{
    struct network pods[POD_SUBNETS_MAX];
    size_t count = 0;
    while (list && *list) {
        char text[NETWORK_TEXT_SIZE];
        size_t length = strcspn(list, ",");
        snprintf(text, sizeof(text), "%.*s", (int)length, list);
        if (count == POD_SUBNETS_MAX || network_parse(&pods[count++], text) < 0)
            return -1;
        list += length + (list[length] == ',');
    }
    rules_text(pods, count, rules);
    return 0;
}

static int netd_init(struct netd *netd, const char *conf_dir, const char *nft)
{
    *netd = (struct netd){.conf_dir = conf_dir, .node_name = getenv("NODE_NAME")};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    /* nft may end before it has read its rules. */
    signal(SIGPIPE, SIG_IGN);
    if (!netd->node_name || !*netd->node_name) {
        loop_log("NODE_NAME is not set");
        return -1;
    }
    if (read_pod_subnets(getenv("POD_SUBNET"), netd->rules) < 0) {
        loop_log("POD_SUBNET is not a list of networks: %s", getenv("POD_SUBNET"));
        return -1;
    }
    if (api_init(&netd->api) < 0) {
        loop_log("no API to be found: KUBERNETES_SERVICE_HOST is not set");
        return -1;
    }
    netd->started_at_ms = loop_now_ms();
    netd->loop = loop_new();
    netd->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    (void)loop_add(netd->loop, netd->signals, signal_arrived, netd);
    netd->masquerade = masquerade_new(netd->loop, nft, netd->rules);
    netd->nodes = mirror_new(&netd->api, netd->loop, "/api/v1/nodes", nodes_changed, netd);
    return 0;
}

static void netd_done(struct netd *netd)
{
    mirror_free(netd->nodes);
    masquerade_free(netd->masquerade);
    loop_free(netd->loop);
    api_done(&netd->api);
}

/* Both options are for tests. */
static int read_options(int argc, char **argv, const char **conf_dir, const char **nft)
{
    static const struct option table[] = {
        {"conf-dir", required_argument, NULL, 'c'}, {"nft", required_argument, NULL, 'n'}, {0}};
    int option;
    *conf_dir = "/etc/cni/net.d";
    *nft = "/usr/sbin/nft";
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == 'c')
            *conf_dir = optarg;
        else if (option == 'n')
            *nft = optarg;
        else
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct netd netd;
    const char *conf_dir, *nft;
    if (read_options(argc, argv, &conf_dir, &nft) < 0) {
        fprintf(stderr, "usage: %s [--conf-dir FOLDER] [--nft PROGRAM]\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (netd_init(&netd, conf_dir, nft) < 0)
        return 1;
    while (!netd.stopped) {
        uint64_t now_ms = loop_now_ms();
        uint64_t next_ms = mirror_tick(netd.nodes, now_ms);
        uint64_t other_ms = netd_tick(&netd, now_ms);
        next_ms = other_ms < next_ms ? other_ms : next_ms;
        other_ms = masquerade_tick(netd.masquerade, now_ms);
        next_ms = other_ms < next_ms ? other_ms : next_ms;
        loop_wait(netd.loop, next_ms);
    }
    netd_done(&netd);
    curl_global_cleanup();
    return 0;
}
