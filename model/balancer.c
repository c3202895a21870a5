#include "model/balancer.h"

#include "base/memory.h"
#include "model/document.h"
#include <assert.h>
#include <jansson.h>

/*
 * DESIGN: haproxy's file is one fixed text with a few words filled in; the
 * numbers' reasons are in docs/decisions/12. Envoy's files are values, printed
 * at the end, with what upstream's templates say.
 */

enum { API_SERVER_PORT = 6443 };

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The backends by name; the caller frees the array, the names are the input's. */
static const char **sorted_backends(const struct balancer_input *input)
{
    const char **names = memory_new((input->backend_count + 1) * sizeof(*names));
    for (size_t i = 0; i < input->backend_count; i++)
        names[i] = input->backends[i];
    qsort(names, input->backend_count, sizeof(*names), name_order);
    return names;
}

/*
 * Everything before the servers. "%s" are the address family to prefer and
 * the listener. hold: a name that is gone takes its server away after a second;
 * a resolver that does not answer changes nothing for half a minute.
 */
static const char haproxy_head[] =
    "# Written by kind, anew whenever the control planes change.\n"
    "global\n"
    "    maxconn 4096\n"
    "    no strict-limits\n"
    "    nbthread 1\n"
    "    hard-stop-after 10m\n"
    "\n"
    "resolvers engine\n"
    "    nameserver dns 127.0.0.11:53\n"
    "    accepted_payload_size 8192\n"
    "    timeout resolve 1s\n"
    "    timeout retry 1s\n"
    "    hold valid 1s\n"
    "    hold nx 1s\n"
    "    hold refused 30s\n"
    "    hold timeout 30s\n"
    "    hold other 30s\n"
    "\n"
    "defaults\n"
    "    mode tcp\n"
    "    balance leastconn\n"
    "    retries 3\n"
    "    option redispatch 1\n"
    "    option clitcpka\n"
    "    option srvtcpka\n"
    "    timeout connect 250ms\n"
    "    timeout client 24h\n"
    "    timeout server 24h\n"
    "    timeout client-fin 30s\n"
    "    timeout server-fin 30s\n"
    "    default-server resolvers engine resolve-prefer %s init-addr none\n"
    "\n"
    "frontend api\n"
    "    bind %s\n"
    "    # Right after a start no name is resolved yet: a new client waits a moment.\n"
    "    tcp-request inspect-delay 200ms\n"
    "    tcp-request content accept if { nbsrv(healthy) gt 0 } or { nbsrv(any) gt 0 }\n"
    "    tcp-request content accept if WAIT_END\n"
    "    use_backend any if { nbsrv(healthy) eq 0 }\n"
    "    default_backend healthy\n";

static const char haproxy_healthy[] =
    "\n"
    "backend healthy\n"
    "    option httpchk GET /healthz\n"
    "    http-check expect status 200\n"
    "    default-server check check-ssl verify none inter 2s fastinter 500ms downinter 500ms\n"
    "    default-server fall 2 rise 1 on-marked-down shutdown-sessions\n";

static const char haproxy_any[] =
    "\n"
    "# Where none is healthy, a slow answer or an error is better than none.\n"
    "backend any\n";

static void add_servers(const char *const *names, size_t count, struct text *text)
{
    for (size_t i = 0; i < count; i++)
        text_add_format(text, "    server %s %s:%d\n", names[i], names[i], API_SERVER_PORT);
}

void balancer_haproxy(const struct balancer_input *input, struct text *text)
{
    cleanup_free const char **names = sorted_backends(input);
    const char *prefer = input->family == IP_FAMILY_IPV6 ? "ipv6" : "ipv4";
    const char *listener = input->family == IP_FAMILY_IPV4 ? "*:6443" : ":::6443 v4v6";
    text_add_format(text, haproxy_head, prefer, listener);
    text_add(text, haproxy_healthy);
    add_servers(names, input->backend_count, text);
    text_add(text, haproxy_any);
    add_servers(names, input->backend_count, text);
}

/* Prints a value and lets it go. It is not NULL: formats and names are good. */
static void print_steal(json_t *value, struct text *text)
{
    assert(value);
    document_print(value, text);
    json_decref(value);
}

static json_t *config_source(const char *path)
{
    return json_pack("{s:s, s:{s:s}}", "resource_api_version", "V3", "path_config_source", "path",
                     path);
}

static json_t *socket_address(const char *address, int port)
{
    return json_pack("{s:{s:s, s:i}}", "socket_address", "address", address, "port_value", port);
}

void balancer_envoy_bootstrap(const struct balancer_input *input, struct text *text)
{
    json_t *node = json_pack("{s:s, s:s}", "cluster", input->cluster, "id", input->name);
    json_t *resources = json_pack("{s:o, s:o}", "cds_config", config_source(BALANCER_ENVOY_CDS),
                                  "lds_config", config_source(BALANCER_ENVOY_LDS));
    json_t *admin = json_pack("{s:s, s:o}", "access_log_path", "/dev/stdout", "address",
                              socket_address("0.0.0.0", 10000));
    print_steal(
        json_pack("{s:o, s:o, s:o}", "node", node, "dynamic_resources", resources, "admin", admin),
        text);
}

static json_t *health_check(void)
{
    json_t *check = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "timeout", "3s", "interval", "2s",
                              "no_traffic_interval", "3s", "initial_jitter", "0s",
                              "unhealthy_threshold", 2, "healthy_threshold", 1);
    json_t *rest =
        json_pack("{s:s, s:{s:s}, s:{s:s}}", "event_log_path", "/dev/stdout", "http_health_check",
                  "path", "/healthz", "transport_socket_match_criteria", "tls_mode", "true");
    int failed = json_object_update_new(check, rest);
    assert(!failed);
    return check;
}

/* Health checks speak TLS, what is passed on stays as it is. */
static json_t *health_check_socket(void)
{
    json_t *context = json_pack(
        "{s:s, s:{s:{s:s}}}", "@type",
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context", "validation_context", "trust_chain_verification", "ACCEPT_UNTRUSTED");
    return json_pack("{s:s, s:{s:s}, s:{s:s, s:o}}", "name", "health_check_tls", "match",
                     "tls_mode", "true", "transport_socket", "name", "envoy.transport_sockets.tls",
                     "typed_config", context);
}

static json_t *endpoints(const struct balancer_input *input)
{
    cleanup_free const char **names = sorted_backends(input);
    json_t *list = json_array();
    for (size_t i = 0; i < input->backend_count; i++)
        json_array_append_new(list, json_pack("{s:{s:o}}", "endpoint", "address",
                                              socket_address(names[i], API_SERVER_PORT)));
    return list;
}

void balancer_envoy_cds(const struct balancer_input *input, struct text *text)
{
    const char *lookup = input->family == IP_FAMILY_IPV6 ? "AUTO" : "V4_PREFERRED";
    json_t *cluster = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "@type",
                                "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name",
                                "kube_apiservers", "connect_timeout", "0.25s", "type", "STRICT_DNS",
                                "lb_policy", "ROUND_ROBIN", "dns_lookup_family", lookup);
    json_t *rest =
        json_pack("{s:[o], s:[o], s:{s:s, s:[{s:o}]}}", "health_checks", health_check(),
                  "transport_socket_matches", health_check_socket(), "load_assignment",
                  "cluster_name", "kube_apiservers", "endpoints", "lb_endpoints", endpoints(input));
    int failed = json_object_update_new(cluster, rest);
    assert(!failed);
    print_steal(json_pack("{s:[o]}", "resources", cluster), text);
}

void balancer_envoy_lds(const struct balancer_input *input, struct text *text)
{
    const char *address = input->family == IP_FAMILY_IPV6 ? "::" : "0.0.0.0";
    json_t *proxy =
        json_pack("{s:s, s:s, s:s}", "@type",
                  "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                  "stat_prefix", "ingress_tcp", "cluster", "kube_apiservers");
    json_t *filter =
        json_pack("{s:s, s:o}", "name", "envoy.filters.network.tcp_proxy", "typed_config", proxy);
    json_t *listener = json_pack(
        "{s:s, s:s, s:o, s:[{s:[o]}]}", "@type",
        "type.googleapis.com/envoy.config.listener.v3.Listener", "name", "listener_apiserver",
        "address", socket_address(address, API_SERVER_PORT), "filter_chains", "filters", filter);
    print_steal(json_pack("{s:[o]}", "resources", listener), text);
}

/* A restarted container keeps the clusters and listeners that it was given before. */
void balancer_envoy_script(const struct balancer_input *input, struct text *text)
{
    text_add(text, "mkdir -p " BALANCER_ENVOY_FOLDER "\n"
                   "cd " BALANCER_ENVOY_FOLDER "\n"
                   "cat >envoy.yaml <<'END'\n");
    balancer_envoy_bootstrap(input, text);
    text_add(text, "END\n"
                   "for file in cds.yaml lds.yaml; do\n"
                   "    [ -e $file ] || echo 'resources: []' >$file\n"
                   "done\n"
                   "until envoy -c " BALANCER_ENVOY_FOLDER "/envoy.yaml; do sleep 1; done\n");
}

/* Clusters first: a listener must not name one that is not there. */
const char balancer_envoy_activation[] =
    "chmod 666 " BALANCER_ENVOY_CDS ".tmp " BALANCER_ENVOY_LDS ".tmp && "
    "mv " BALANCER_ENVOY_CDS ".tmp " BALANCER_ENVOY_CDS " && "
    "mv " BALANCER_ENVOY_LDS ".tmp " BALANCER_ENVOY_LDS;
