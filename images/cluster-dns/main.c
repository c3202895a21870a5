/*
 * cluster-dns - the cluster's DNS, in CoreDNS' place and with its command line.
 *
 * DESIGN
 *   clients --> dnsmasq :53 --> the name servers of the node    (all other names)
 *                  |
 *                  +--> resolver 127.0.0.1:10053                (the cluster's names)
 *                           ^ zone, built anew after a change
 *               mirrors of Services and Endpoints (and, for some, Pods) <-- watch -- API
 *
 * Why dnsmasq is not simply given the records: it must be restarted for each
 * new SRV or CNAME record, which loses queries, and its CNAMEs cannot lead out
 * of what it knows, which ExternalName needs. Asked by forwarding, it is never
 * reconfigured, and no file is written.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cluster-api/api.h"
#include "../cluster-api/loop.h"
#include "../cluster-api/memory.h"
#include "../cluster-api/mirror.h"
#include "corefile.h"
#include "dnsmasq.h"
#include "health.h"
#include "resolver.h"
#include "zone.h"

enum {
    COREFILE_SIZE_MAX = 64 * 1024,
    REBUILD_MS = 20,     /* changes come in groups: a Service, then its Endpoints */
    LEAVE_MS = 3 * 1000, /* clients still come until kube-proxy knows */
};

struct server {
    struct loop *loop;
    struct api api;
    char domain[COREFILE_DOMAIN_SIZE];
    struct upstreams upstreams;
    struct mirror *services, *endpoints;
    struct mirror *pods; /* NULL until a service needs them */
    struct zone *zone;   /* NULL until both mirrors are synced */
    struct resolver *resolver;
    struct dnsmasq *dnsmasq;
    struct health *health;
    uint64_t started_at_ms, rebuild_at_ms, leave_at_ms;
    int signals;
    bool ready;
};

struct options {
    const char *corefile, *dnsmasq, *resolv_conf;
    uint16_t port, cluster_port;
};

static void server_changed(void *context)
{
    struct server *server = context;
    if (server->rebuild_at_ms == LOOP_NEVER)
        server->rebuild_at_ms = loop_now_ms() + (server->zone ? REBUILD_MS : 0);
}

/* Without the pods, as long as they have not been seen, rather than not at all. */
static struct zone *server_zone(struct server *server)
{
    struct zone_view view = {
        .services = mirror_objects(server->services),
        .endpoints = mirror_objects(server->endpoints),
        .pods = server->pods ? mirror_objects(server->pods) : NULL,
    };
    if (!server->pods && zone_needs_pods(view.services))
        server->pods =
            mirror_new(&server->api, server->loop, "/api/v1/pods", server_changed, server);
    return zone_new(server->domain, &view);
}

static uint64_t server_tick(struct server *server, uint64_t now_ms)
{
    bool synced = mirror_synced(server->services) && mirror_synced(server->endpoints);
    if (server->rebuild_at_ms <= now_ms && synced) {
        struct zone *old = server->zone;
        server->zone = server_zone(server);
        resolver_use(server->resolver, server->zone);
        zone_free(old);
    }
    if (server->rebuild_at_ms <= now_ms)
        server->rebuild_at_ms = LOOP_NEVER;
    bool ready = server->zone && dnsmasq_answers(server->dnsmasq);
    if (ready && !server->ready)
        loop_log("ready after %llu ms, with %zu records of %s",
                 (unsigned long long)(now_ms - server->started_at_ms), server->zone->count,
                 server->domain);
    if (ready != server->ready)
        health_set_ready(server->health, ready);
    server->ready = ready;
    return server->rebuild_at_ms < server->leave_at_ms ? server->rebuild_at_ms
                                                       : server->leave_at_ms;
}

static void reap_children(struct server *server)
{
    int status, pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        dnsmasq_child_ended(server->dnsmasq, pid, status);
}

static void signal_arrived(void *context, int fd)
{
    struct server *server = context;
    struct signalfd_siginfo signal;
    if (read(fd, &signal, sizeof(signal)) != sizeof(signal))
        return;
    switch (signal.ssi_signo) {
    case SIGCHLD:
        reap_children(server);
        return;
    case SIGUSR1:
        if (server->zone)
            zone_print(server->zone, stderr);
        return;
    case SIGINT:
        server->leave_at_ms = 0;
        return;
    case SIGTERM: /* kubelet */
        loop_log("asked to end: answering for %d ms more", LEAVE_MS);
        if (server->leave_at_ms == LOOP_NEVER)
            server->leave_at_ms = loop_now_ms() + LEAVE_MS;
        return;
    }
}

static void print_metrics(void *context, char *text, size_t size)
{
    const struct server *server = context;
    struct resolver_counts counts = resolver_counts(server->resolver);
    snprintf(text, size,
             "# TYPE cluster_dns_ready gauge\ncluster_dns_ready %d\n"
             "# TYPE cluster_dns_records gauge\ncluster_dns_records %zu\n"
             "# TYPE cluster_dns_answers_total counter\ncluster_dns_answers_total %llu\n"
             "# TYPE cluster_dns_passed_on_total counter\ncluster_dns_passed_on_total %llu\n"
             "# TYPE cluster_dns_timeouts_total counter\ncluster_dns_timeouts_total %llu\n",
             server->ready, server->zone ? server->zone->count : 0,
             (unsigned long long)counts.answered, (unsigned long long)counts.passed_on,
             (unsigned long long)counts.timed_out);
}

static void read_domain(const char *path, char domain[COREFILE_DOMAIN_SIZE])
{
    cleanup_free char *text = must(calloc(1, COREFILE_SIZE_MAX + 1));
    FILE *file = path ? fopen(path, "re") : NULL;
    if (file) {
        (void)!fread(text, 1, COREFILE_SIZE_MAX, file);
        fclose(file);
    } else if (path) {
        loop_log("%s: %s, taking the usual domain", path, strerror(errno));
    }
    corefile_domain(text, domain);
}

/* CoreDNS' own option has one dash, so getopt_long_only; the others are for tests. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        {"conf", required_argument, NULL, 'c'},
        {"dnsmasq", required_argument, NULL, 'd'},
        {"port", required_argument, NULL, 'p'},
        {"cluster-port", required_argument, NULL, 'k'},
        {"resolv-conf", required_argument, NULL, 'r'},
        {0},
    };
    *options = (struct options){
        .dnsmasq = "/usr/sbin/dnsmasq",
        .resolv_conf = "/etc/resolv.conf",
        .port = 53,
        .cluster_port = 10053,
    };
    int option;
    while ((option = getopt_long_only(argc, argv, "", table, NULL)) != -1) {
        if (option == 'c')
            options->corefile = optarg;
        else if (option == 'd')
            options->dnsmasq = optarg;
        else if (option == 'r')
            options->resolv_conf = optarg;
        else if (option == 'p')
            options->port = (uint16_t)strtoul(optarg, NULL, 10);
        else if (option == 'k')
            options->cluster_port = (uint16_t)strtoul(optarg, NULL, 10);
        else
            return -1;
    }
    return 0;
}

static int server_init(struct server *server, const struct options *options)
{
    *server = (struct server){.leave_at_ms = LOOP_NEVER};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server->started_at_ms = loop_now_ms();
    if (api_init(&server->api) < 0) {
        loop_log("no API to be found: KUBERNETES_SERVICE_HOST is not set");
        return -1;
    }
    read_domain(options->corefile, server->domain);
    upstreams_read(&server->upstreams, options->resolv_conf);
    if (server->upstreams.count == 0)
        loop_log("%s names no server outside: only the cluster's names are known",
                 options->resolv_conf);
    server->loop = loop_new();
    server->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    (void)loop_add(server->loop, server->signals, signal_arrived, server);
    struct resolver_ports ports = {.own = options->cluster_port, .dnsmasq = options->port};
    server->resolver = resolver_new(server->loop, ports, &server->upstreams);
    if (!server->resolver) {
        loop_log("port %u: %s", options->cluster_port, strerror(errno));
        return -1;
    }
    struct dnsmasq_options dnsmasq = {
        .program = options->dnsmasq,
        .domain = server->domain,
        .port = options->port,
        .cluster_port = options->cluster_port,
        .upstreams = &server->upstreams,
    };
    server->dnsmasq = dnsmasq_new(server->loop, &dnsmasq);
    server->health = health_new(server->loop, print_metrics, server);
    server->services =
        mirror_new(&server->api, server->loop, "/api/v1/services", server_changed, server);
    server->endpoints =
        mirror_new(&server->api, server->loop, "/api/v1/endpoints", server_changed, server);
    return 0;
}

static void server_done(struct server *server)
{
    mirror_free(server->services);
    mirror_free(server->endpoints);
    mirror_free(server->pods);
    health_free(server->health);
    dnsmasq_free(server->dnsmasq);
    resolver_free(server->resolver);
    zone_free(server->zone);
    loop_free(server->loop);
    api_done(&server->api);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    static struct server server;
    struct options options;
    if (read_options(argc, argv, &options) < 0) {
        fprintf(stderr, "usage: %s [-conf COREFILE]\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (server_init(&server, &options) < 0)
        return 1;
    uint64_t now_ms;
    while ((now_ms = loop_now_ms()) < server.leave_at_ms) {
        uint64_t next_ms = dnsmasq_tick(server.dnsmasq, now_ms);
        next_ms = earlier(next_ms, mirror_tick(server.services, now_ms));
        next_ms = earlier(next_ms, mirror_tick(server.endpoints, now_ms));
        next_ms = earlier(next_ms, server_tick(&server, now_ms));
        if (server.pods)
            next_ms = earlier(next_ms, mirror_tick(server.pods, now_ms));
        next_ms = earlier(next_ms, resolver_tick(server.resolver, now_ms));
        next_ms = earlier(next_ms, health_tick(server.health, now_ms));
        loop_wait(server.loop, next_ms);
    }
    server_done(&server);
    curl_global_cleanup();
    return 0;
}
