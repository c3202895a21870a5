/*
 * service_route.c - what is asked of the service, and who may ask.
 */
#include "cli/service_parts.h"

#include "base/base64.h"
#include "base/memory.h"
#include "cli/listen_address.h"
#include "cli/process_usage.h"
#include <strings.h>

#define CLUSTERS_PATH "/api/v1/clusters"

/* --- Replies. --- */

/* Nothing of this is to be guessed at, framed or kept by a browser. */
static const struct {
    const char *name, *value;
} headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

#define CLOSED_POLICY "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"

enum MHD_Result service_reply(struct MHD_Connection *connection, struct asked *asked,
                              unsigned status, const char *content_type,
                              struct MHD_Response *response)
{
    struct service *service = asked->service;
    bool page = strncmp(content_type, "text/html", 9) == 0;
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        MHD_add_response_header(response, headers[i].name, headers[i].value);
    MHD_add_response_header(response, "Content-Security-Policy",
                            page ? service->page.policy : CLOSED_POLICY);
    MHD_add_response_header(response, "Content-Type", content_type);
    asked->peer->state = PEER_ANSWERED;
    asked->peer->since_ms = service_now_ms(service);
    service->counts.requests++;
    service->counts.refused += status >= 400 && status < 500;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_taken(struct MHD_Connection *connection, struct asked *asked,
                                   unsigned status, const char *content_type, char *body)
{
    return service_reply(
        connection, asked, status, content_type,
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE));
}

static struct MHD_Response *line_of(const char *words)
{
    char *line = memory_format("%s\n", words);
    return MHD_create_response_from_buffer(strlen(line), line, MHD_RESPMEM_MUST_FREE);
}

enum MHD_Result service_reply_text(struct MHD_Connection *connection, struct asked *asked,
                                   unsigned status, const char *text)
{
    return service_reply(connection, asked, status, "text/plain; charset=utf-8", line_of(text));
}

static enum MHD_Result reply_json(struct MHD_Connection *connection, struct asked *asked,
                                  json_t *document)
{
    char *body = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    return reply_taken(connection, asked, MHD_HTTP_OK, "application/json",
                       body ? body : memory_string("{}"));
}

/* --- What there is. --- */

static enum MHD_Result health(struct MHD_Connection *connection, struct asked *asked,
                              const char *rest)
{
    (void)rest;
    return service_reply_text(connection, asked, MHD_HTTP_OK, "ok");
}

static const char *unready(const struct service *service)
{
    return service->options.unready ? service->options.unready(service->options.context) : NULL;
}

static enum MHD_Result readiness(struct MHD_Connection *connection, struct asked *asked,
                                 const char *rest)
{
    const char *why = unready(asked->service);
    (void)rest;
    return service_reply_text(connection, asked, why ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
                              why ? why : "ok");
}

static enum MHD_Result metrics(struct MHD_Connection *connection, struct asked *asked,
                               const char *rest)
{
    struct service *service = asked->service;
    const struct status_clock clock = service_clock(service);
    struct metrics_process process;
    cleanup_text struct text text;
    (void)rest;
    text_init(&text, 0);
    process_usage_read(&process);
    service->counts.ready = unready(service) == NULL;
    metrics_add(&text, &clock, service->options.fleet, service->options.status, &service->counts,
                &process);
    return reply_taken(connection, asked, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                       text_take(&text));
}

static enum MHD_Result clusters(struct MHD_Connection *connection, struct asked *asked,
                                const char *rest)
{
    struct service *service = asked->service;
    const struct status_clock clock = service_clock(service);
    if (!*rest)
        return reply_json(
            connection, asked,
            status_json_fleet(&clock, service->options.fleet, service->options.status));
    const struct cluster_status *cluster = fleet_status_find(service->options.status, rest + 1);
    if (!cluster)
        return service_reply_text(connection, asked, MHD_HTTP_NOT_FOUND,
                                  "there is no such cluster; " CLUSTERS_PATH " lists them");
    return reply_json(connection, asked, status_json_cluster(&clock, cluster));
}

static enum MHD_Result events(struct MHD_Connection *connection, struct asked *asked,
                              const char *rest)
{
    (void)rest;
    return service_stream_begin(connection, asked);
}

static enum MHD_Result page(struct MHD_Connection *connection, struct asked *asked,
                            const char *rest)
{
    const struct page *own = &asked->service->page;
    (void)rest;
    return service_reply(
        connection, asked, MHD_HTTP_OK, "text/html; charset=utf-8",
        MHD_create_response_from_buffer(own->html.length, own->html.data, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result hook(struct MHD_Connection *connection, struct asked *asked,
                            const char *rest)
{
    (void)rest;
    return service_hook_begin(connection, asked);
}

struct route {
    const char *path;
    bool below; /* also "path/NAME" */
    bool open;  /* no token is needed: it tells nothing, or has its own secret */
    bool post;
    enum MHD_Result (*answer)(struct MHD_Connection *connection, struct asked *asked,
                              const char *rest);
};

static const struct route routes[] = {
    {"/", false, false, false, page},
    {"/healthz", false, true, false, health},
    {"/readyz", false, true, false, readiness},
    {"/metrics", false, false, false, metrics},
    {CLUSTERS_PATH, true, false, false, clusters},
    {"/api/v1/events", false, false, false, events},
    {"/hook", false, true, true, hook},
};

/* *rest: what comes behind the path, with its slash. */
static const struct route *find_route(const char *url, const char **rest)
{
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        size_t length = strlen(routes[i].path);
        if (strncmp(url, routes[i].path, length) != 0)
            continue;
        *rest = url + length;
        if (!**rest || (routes[i].below && **rest == '/'))
            return &routes[i];
    }
    return NULL;
}

/* --- Who may. --- */

static bool is_token(struct service *service, const char *token)
{
    return secret_equal(token, strlen(token), service->token.bytes, service->token.length);
}

/* "Bearer TOKEN", or "Basic ..." with the token as the password. */
static bool is_allowed(struct service *service, struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (!secret_file_fresh(&service->token, service_now_ms(service)) || !value)
        return false;
    if (strncasecmp(value, "Bearer ", 7) == 0)
        return is_token(service, value + 7);
    if (strncasecmp(value, "Basic ", 6) != 0)
        return false;
    cleanup_text struct text pair;
    text_init(&pair, SECRET_BYTES_MAX + 256);
    const char *colon = base64_decode(value + 6, &pair) ? strchr(pair.data, ':') : NULL;
    return colon && is_token(service, colon + 1);
}

static enum MHD_Result ask_for_token(struct MHD_Connection *connection, struct asked *asked)
{
    struct MHD_Response *response =
        line_of("a token is needed: as a bearer's, or as a password with any name");
    MHD_add_response_header(response, "WWW-Authenticate",
                            "Basic realm=\"kind\", charset=\"UTF-8\"");
    return service_reply(connection, asked, MHD_HTTP_UNAUTHORIZED, "text/plain; charset=utf-8",
                         response);
}

/*
 * With a token nothing is told to a page that has its own name pointed here:
 * it has no token. Nor can it sign a hook.
 */
static bool host_counts(const struct service *service, const struct route *route)
{
    return !service->options.token_file && !route->post;
}

static enum MHD_Result refuse_method(struct MHD_Connection *connection, struct asked *asked,
                                     const struct route *route)
{
    struct MHD_Response *response =
        line_of(route->post ? "only POST is answered here" : "only GET and HEAD are answered here");
    MHD_add_response_header(response, "Allow", route->post ? "POST" : "GET, HEAD");
    return service_reply(connection, asked, MHD_HTTP_METHOD_NOT_ALLOWED,
                         "text/plain; charset=utf-8", response);
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct asked *asked,
                              const char *url, const char *method)
{
    struct service *service = asked->service;
    const char *rest = "";
    const struct route *route = find_route(url, &rest);
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (!route)
        return service_reply_text(connection, asked, MHD_HTTP_NOT_FOUND,
                                  "there is nothing here; see /, /metrics, " CLUSTERS_PATH
                                  " and /api/v1/events");
    if (host_counts(service, route) && (!host || !listen_address_is_own_host(host)))
        return service_reply_text(connection, asked, MHD_HTTP_MISDIRECTED_REQUEST,
                                  "this address is asked for by a name that is not this machine's; "
                                  "use localhost, or give a token (--listen-token)");
    if (route->post ? strcmp(method, "POST") != 0 : !get)
        return refuse_method(connection, asked, route);
    if (!route->open && service->options.token_file && !is_allowed(service, connection))
        return ask_for_token(connection, asked);
    return route->answer(connection, asked, rest);
}

/* --- A request. --- */

void service_asked_free(struct asked *asked)
{
    EVP_MAC_CTX_free(asked->mac);
    free(asked->proof);
    free(asked);
}

enum MHD_Result service_handle(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *body,
                               size_t *body_bytes, void **slot)
{
    struct asked *asked = *slot;
    (void)version;
    if (!asked) {
        asked = *slot = memory_new(sizeof(*asked));
        asked->service = context;
        asked->peer =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        return answer(connection, asked, url, method);
    }
    /* Only the hook goes on after its head. */
    if (*body_bytes) {
        service_hook_body(asked, body, *body_bytes);
        *body_bytes = 0;
        return MHD_YES;
    }
    return service_hook_end(connection, asked);
}
