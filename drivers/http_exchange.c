#include "drivers/http_exchange.h"

#include "base/memory.h"
#include "drivers/endpoint.h"
#include <assert.h>
#include <strings.h>

enum {
    REPLY_BYTES_MAX = 8 * 1024 * 1024,
    CONNECT_TIMEOUT_MS = 10000, /* also for streams, whose exchange has no deadline */
    UPLOAD_PIECE_BYTES = 256 * 1024,
};

/* --- what curl calls while it runs; none of these may call the multi interface --- */

static void hear(struct exchange *exchange)
{
    exchange->heard_at_ms = uv_now(exchange->idle_timer.loop);
    exchange->suspected = false;
}

/* Keeps the value of a "Name: value\r\n" line if the name is the wanted one. */
static void keep_header(char **slot, const char *name, const char *line, size_t length)
{
    size_t skip = strlen(name);
    if (length <= skip || line[skip] != ':' || strncasecmp(line, name, skip) != 0)
        return;
    for (skip++; skip < length && line[skip] == ' '; skip++)
        ;
    while (length > skip && strchr("\r\n ", line[length - 1]))
        length--;
    free(*slot);
    *slot = memory_string_n(line + skip, length - skip);
}

static int status_of(const struct exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static void tell_head(struct exchange *exchange)
{
    void (*on_head)(void *context) = exchange->on_head;
    if (!exchange->head_complete || status_of(exchange) / 100 != 2 || !on_head)
        return;
    exchange->on_head = NULL;
    if (exchange->state != EXCHANGE_OVER)
        on_head(exchange->context);
}

/* Called for each whole line; an empty one ends the head. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    hear(exchange);
    if (strncmp(line, "HTTP/", 5) == 0)
        exchange->head_complete = false;
    else if (line[0] == '\r' || line[0] == '\n')
        exchange->head_complete = true;
    keep_header(&exchange->api_version, "Api-Version", line, size * count);
    keep_header(&exchange->server, "Server", line, size * count);
    keep_header(&exchange->path_stat, "X-Docker-Container-Path-Stat", line, size * count);
    tell_head(exchange);
    return exchange->state == EXCHANGE_OVER ? 0 : size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    hear(exchange);
    if (exchange->state == EXCHANGE_OVER)
        return CURL_WRITEFUNC_ERROR;
    int status = status_of(exchange);
    if (exchange->on_data && (status / 100 == 2 || status == 101)) {
        exchange->stopped = !exchange->on_data(exchange->context, bytes, length);
        return exchange->stopped ? CURL_WRITEFUNC_ERROR : length;
    }
    text_add_bytes(&exchange->received, bytes, length);
    return exchange->received.overflow ? CURL_WRITEFUNC_ERROR : length;
}

/* Called for more of a body that is read as it goes; curl is told its length beforehand. */
static size_t on_read(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t room = size * count < exchange->unread ? size * count : exchange->unread;
    if (exchange->state == EXCHANGE_OVER)
        return CURL_READFUNC_ABORT;
    if (room == 0)
        return 0;
    size_t length = exchange->read_body(exchange->context, bytes, room);
    assert(length <= room);
    exchange->unread -= length;
    exchange->unreadable = length == 0;
    return exchange->unreadable ? CURL_READFUNC_ABORT : length;
}

/* An upload that moves is not idle, though nothing comes back yet. */
static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct exchange *exchange = context;
    (void)down_total, (void)down, (void)up_total;
    if (up != exchange->sent)
        hear(exchange);
    exchange->sent = up;
    return exchange->state == EXCHANGE_OVER;
}

/*
 * curl sends a request again by itself, whatever its method, when a reused
 * connection ended before a byte came back. It asks here before each attempt,
 * which is where that is limited to once, and to requests that change nothing.
 */
static int on_attempt(void *context, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
    struct exchange *exchange = context;
    (void)peer_ip, (void)own_ip, (void)peer_port, (void)own_port;
    bool harmless = !strcmp(exchange->method, "GET") || !strcmp(exchange->method, "HEAD");
    exchange->attempts++;
    return exchange->attempts <= (harmless ? 2 : 1) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* --- from a request to a curl handle --- */

static void note(struct exchange *exchange, CURLcode code)
{
    if (exchange->refused == CURLE_OK)
        exchange->refused = code;
}

static void set_number(struct exchange *exchange, CURLoption option, long value)
{
    note(exchange, curl_easy_setopt(exchange->easy, option, value));
}

static void set_pointer(struct exchange *exchange, CURLoption option, const void *value)
{
    note(exchange, curl_easy_setopt(exchange->easy, option, value));
}

static void set_blob(struct exchange *exchange, CURLoption option, const char *pem)
{
    if (!pem)
        return;
    cleanup_free char *copy = memory_string(pem);
    struct curl_blob blob = {.data = copy, .len = strlen(copy), .flags = CURL_BLOB_COPY};
    set_pointer(exchange, option, &blob);
}

static void set_tls(struct exchange *exchange, const struct transport_tls *tls)
{
    set_number(exchange, CURLOPT_SSL_VERIFYPEER, 1);
    set_number(exchange, CURLOPT_SSL_VERIFYHOST, 2);
    set_number(exchange, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (!tls)
        return;
    set_blob(exchange, CURLOPT_CAINFO_BLOB, tls->ca);
    set_blob(exchange, CURLOPT_SSLCERT_BLOB, tls->certificate);
    set_blob(exchange, CURLOPT_SSLKEY_BLOB, tls->key);
}

static void set_peer(struct exchange *exchange, const struct request *request)
{
    set_pointer(exchange, CURLOPT_URL, request->url);
    set_pointer(exchange, CURLOPT_PROTOCOLS_STR, "http,https");
    set_number(exchange, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_number(exchange, CURLOPT_TCP_NODELAY, 1);
    set_number(exchange, CURLOPT_TCP_KEEPALIVE, 1);
    set_number(exchange, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    if (request->unix_path)
        set_pointer(exchange, CURLOPT_UNIX_SOCKET_PATH, request->unix_path);
    if (request->unix_path || endpoint_is_loopback(request->url))
        set_pointer(exchange, CURLOPT_PROXY, "");
    if (request->one_shot) {
        set_number(exchange, CURLOPT_FRESH_CONNECT, 1);
        set_number(exchange, CURLOPT_FORBID_REUSE, 1);
    }
}

static void set_source(struct exchange *exchange, const struct request *request)
{
    assert(request->body_length && !request->body);
    exchange->unread = request->body_length;
    set_number(exchange, CURLOPT_UPLOAD, 1);
    set_number(exchange, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_PIECE_BYTES);
    note(exchange, curl_easy_setopt(exchange->easy, CURLOPT_INFILESIZE_LARGE,
                                    (curl_off_t)request->body_length));
    note(exchange, curl_easy_setopt(exchange->easy, CURLOPT_READFUNCTION, on_read));
    set_pointer(exchange, CURLOPT_READDATA, exchange);
}

static void set_method(struct exchange *exchange, const struct request *request)
{
    bool bodiless = !strcmp(request->method, "GET") || !strcmp(request->method, "DELETE");
    if (!strcmp(request->method, "HEAD")) {
        set_number(exchange, CURLOPT_NOBODY, 1);
        return;
    }
    if (request->read_body) {
        set_source(exchange, request);
    } else if (!bodiless || request->body_length) {
        if (request->body_length) {
            exchange->body = memory_new(request->body_length);
            memcpy(exchange->body, request->body, request->body_length);
        }
        note(exchange, curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                        (curl_off_t)request->body_length));
        set_pointer(exchange, CURLOPT_POSTFIELDS, exchange->body ? exchange->body : "");
    }
    set_pointer(exchange, CURLOPT_CUSTOMREQUEST, request->method);
}

static void add_header(struct exchange *exchange, const char *header)
{
    assert(!strpbrk(header, "\r\n"));
    struct curl_slist *headers = curl_slist_append(exchange->headers, header);
    if (!headers)
        abort();
    exchange->headers = headers;
}

static void set_headers(struct exchange *exchange, const struct request *request)
{
    /* "Name:" keeps curl from sending its own. 100-continue would stall uploads for a second. */
    add_header(exchange, "Expect:");
    const char *type = request->content_type;
    cleanup_free char *line = memory_format("Content-Type:%s%s", type ? " " : "", type ? type : "");
    add_header(exchange, line);
    for (const char *const *header = request->headers; header && *header; header++)
        add_header(exchange, *header);
    set_pointer(exchange, CURLOPT_HTTPHEADER, exchange->headers);
    set_pointer(exchange, CURLOPT_USERAGENT, "kind/" KIND_VERSION);
}

static void set_limits(struct exchange *exchange, const struct request *request)
{
    assert(request->timeout_ms || request->idle_ms);
    set_number(exchange, CURLOPT_NOSIGNAL, 1);
    set_number(exchange, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    set_number(exchange, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    /* A canceled look-up must not hold up the loop until its thread is done. */
    set_number(exchange, CURLOPT_QUICK_EXIT, 1);
}

static void set_callbacks(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    note(exchange, curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    note(exchange, curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
    note(exchange, curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress));
    note(exchange, curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_attempt));
    set_pointer(exchange, CURLOPT_HEADERDATA, exchange);
    set_pointer(exchange, CURLOPT_WRITEDATA, exchange);
    set_pointer(exchange, CURLOPT_XFERINFODATA, exchange);
    set_pointer(exchange, CURLOPT_PREREQDATA, exchange);
    set_pointer(exchange, CURLOPT_PRIVATE, exchange);
    set_pointer(exchange, CURLOPT_ERRORBUFFER, exchange->message);
    set_number(exchange, CURLOPT_NOPROGRESS, 0);
}

/* What messages call the other side: the socket's path, or "host:port". */
static char *name_peer(const struct request *request)
{
    if (request->unix_path)
        return memory_string(request->unix_path);
    const char *host = strstr(request->url, "://");
    host = host ? host + 3 : request->url;
    return memory_string_n(host, strcspn(host, "/?#"));
}

struct exchange *exchange_new(const struct request *request, exchange_ended *ended, void *context)
{
    struct exchange *exchange = memory_new(sizeof(*exchange));
    exchange->state = EXCHANGE_QUEUED;
    exchange->ended = ended;
    exchange->context = context;
    exchange->on_data = request->on_data;
    exchange->on_head = request->on_head;
    exchange->read_body = request->read_body;
    exchange->method = memory_string(request->method);
    exchange->peer = name_peer(request);
    exchange->timeout_ms = request->timeout_ms;
    exchange->idle_ms = request->idle_ms;
    text_init(&exchange->received,
              request->reply_bytes_max ? request->reply_bytes_max : REPLY_BYTES_MAX);
    exchange->easy = curl_easy_init();
    if (!exchange->easy)
        abort();
    set_callbacks(exchange);
    set_limits(exchange, request);
    set_peer(exchange, request);
    set_tls(exchange, request->tls);
    set_method(exchange, request);
    set_headers(exchange, request);
    return exchange;
}

void exchange_done(struct exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    text_done(&exchange->received);
    free(exchange->body);
    free(exchange->method);
    free(exchange->peer);
    free(exchange->api_version);
    free(exchange->server);
    free(exchange->path_stat);
}

/* --- from a result to a reply or a failure --- */

struct reply exchange_reply(struct exchange *exchange)
{
    return (struct reply){
        .status = status_of(exchange),
        .body = exchange->received.data,
        .length = exchange->received.length,
        .api_version = exchange->api_version,
        .server = exchange->server,
        .path_stat = exchange->path_stat,
        .stopped = exchange->stopped,
    };
}

static const struct {
    CURLcode code;
    enum error_kind kind;
    const char *what;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_UNAVAILABLE, "name is not known"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_UNAVAILABLE, "proxy's name is not known"},
    {CURLE_GOT_NOTHING, ERROR_UNAVAILABLE, "connection closed without a reply"},
    {CURLE_PARTIAL_FILE, ERROR_UNAVAILABLE, "connection closed in the middle of a reply"},
    {CURLE_RECV_ERROR, ERROR_UNAVAILABLE, "connection lost while reading"},
    {CURLE_SEND_ERROR, ERROR_UNAVAILABLE, "connection lost while sending"},
    {CURLE_WEIRD_SERVER_REPLY, ERROR_INVALID, "not a reply of HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_INVALID, "not a reply of HTTP"},
    {CURLE_URL_MALFORMAT, ERROR_INVALID, "not a URL of HTTP"},
    {CURLE_OUT_OF_MEMORY, ERROR_INVALID, "head of the reply is too long"}, /* or we are out, too */
    {CURLE_SSL_CERTPROBLEM, ERROR_INVALID, "client certificate or key is not usable"},
    {CURLE_PEER_FAILED_VERIFICATION, ERROR_INVALID, "its certificate is not of the expected CA"},
    {CURLE_SSL_CACERT_BADFILE, ERROR_INVALID, "CA certificate is not usable"},
};

static int connect_failure(struct exchange *exchange, struct error **err)
{
    long number = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    const char *why = number ? uv_strerror(uv_translate_sys_error((int)number)) : exchange->message;
    return error_set(err, ERROR_UNAVAILABLE, "connect %s: %s", exchange->peer, why);
}

static int timeout_failure(struct exchange *exchange, struct error **err)
{
    if (exchange->attempts == 0)
        return error_set(err, ERROR_TIMEOUT, "connect %s: no answer in time", exchange->peer);
    return error_set(err, ERROR_TIMEOUT, "%s: no complete reply to %s within %u ms", exchange->peer,
                     exchange->method, exchange->timeout_ms);
}

static int other_failure(struct exchange *exchange, CURLcode code, struct error **err)
{
    /* Of the URL, if nothing was sent yet; else of what came back. */
    if (code == CURLE_UNSUPPORTED_PROTOCOL && exchange->attempts == 0)
        code = CURLE_URL_MALFORMAT;
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (failures[i].code == code)
            return error_set(err, failures[i].kind, "%s: %s", exchange->peer, failures[i].what);
    const char *why = exchange->message[0] ? exchange->message : curl_easy_strerror(code);
    return error_set(err, ERROR_UNAVAILABLE, "%s: %s", exchange->peer, why);
}

int exchange_result(struct exchange *exchange, CURLcode code, struct error **err)
{
    /* A head that is cut off, or only an interim one, is a good reply to curl. */
    int status = status_of(exchange);
    if (code == CURLE_OK && (!exchange->head_complete || (status < 200 && status != 101)))
        code = CURLE_PARTIAL_FILE;
    if (code == CURLE_OK || exchange->stopped)
        return 0;
    if (exchange->unreadable)
        return error_set(err, ERROR_UNAVAILABLE, "%s: the rest of the request cannot be read",
                         exchange->peer);
    if (exchange->received.overflow)
        return error_set(err, ERROR_INVALID, "%s: reply is longer than %zu bytes", exchange->peer,
                         exchange->received.limit);
    if (code == CURLE_COULDNT_CONNECT)
        return connect_failure(exchange, err);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return timeout_failure(exchange, err);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, ERROR_UNAVAILABLE,
                         "%s: connection closed without a reply; it is not known whether the %s "
                         "took effect",
                         exchange->peer, exchange->method);
    return other_failure(exchange, code, err);
}
