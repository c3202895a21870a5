#include "drivers/http.h"

#include "base/test.h"

#include "base/memory.h"
#include "base/text.h"
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* --- certificates made for this run: an authority, a server, a client --- */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char *key_pem, *certificate_pem;
};

static char *pem_of(BIO *memory)
{
    char *bytes;
    long length = BIO_get_mem_data(memory, &bytes);
    char *pem = memory_string_n(bytes, (size_t)length);
    BIO_free(memory);
    return pem;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate_new(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                             const char *addresses)
{
    X509 *certificate = X509_new();
    static long serial = 1;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    if (!issuer)
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (addresses)
        add_extension(certificate, NID_subject_alt_name, addresses);
    assert_true(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return certificate;
}

static struct identity identity_new(const char *name, const struct identity *issuer,
                                    const char *addresses)
{
    struct identity identity = {.key = EVP_EC_gen("P-256")};
    identity.certificate = certificate_new(name, identity.key, issuer ? issuer->certificate : NULL,
                                           issuer ? issuer->key : NULL, addresses);
    BIO *memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, identity.key, NULL, NULL, 0, NULL, NULL);
    identity.key_pem = pem_of(memory);
    memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, identity.certificate);
    identity.certificate_pem = pem_of(memory);
    return identity;
}

static void identity_done(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    free(identity->key_pem);
    free(identity->certificate_pem);
}

/* --- the server: "hello", or 403 without a client certificate of ours --- */

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    static int begun;
    if (!*state) {
        *state = &begun;
        return MHD_YES;
    }
    const union MHD_ConnectionInfo *session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned verdict = 1;
    bool known = gnutls_certificate_verify_peers2(session->tls_session, &verdict) == 0 && !verdict;
    static char hello[] = "hello";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(hello), hello, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, known ? 200 : 403, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Daemon *server_start(const struct identity *server, const struct identity *ca)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
                            on_request, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                            MHD_OPTION_HTTPS_MEM_KEY, server->key_pem, MHD_OPTION_HTTPS_MEM_CERT,
                            server->certificate_pem, MHD_OPTION_HTTPS_MEM_TRUST,
                            ca->certificate_pem, MHD_OPTION_END);
}

/* --- the client --- */

struct outcome {
    int calls, status;
    struct text body;
    struct error *failure;
};

static void ended(void *context, const struct reply *reply, struct error *failure)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->failure = failure;
    outcome->status = reply ? reply->status : 0;
    if (reply)
        text_add(&outcome->body, reply->body);
}

static struct outcome exchange(uv_loop_t *loop, struct transport *transport, int port,
                               const struct transport_tls *tls)
{
    struct outcome outcome = {0};
    text_init(&outcome.body, 0);
    cleanup_free char *url = memory_format("https://127.0.0.1:%d/readyz", port);
    struct request request = {.method = "GET", .url = url, .tls = tls, .timeout_ms = 5000};
    transport->send(transport, &request, ended, &outcome);
    while (!outcome.calls)
        uv_run(loop, UV_RUN_ONCE);
    return outcome;
}

static void outcome_done(struct outcome *outcome)
{
    text_done(&outcome->body);
    error_free(outcome->failure);
}

enum who { NOBODY, OURS, STRANGER, GARBLED };

static char garbled[] = "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n";

struct people {
    struct identity ca, other_ca, server, client, stranger;
};

/* One server with this certificate, one request. */
static void handshake(const struct people *people, const struct identity *server, enum who ca,
                      enum who client, int status, const char *failure)
{
    const char *const authorities[] = {NULL, people->ca.certificate_pem,
                                       people->other_ca.certificate_pem, garbled};
    const struct identity none = {0}, broken = {.certificate_pem = garbled, .key_pem = garbled};
    const struct identity *const clients[] = {&none, &people->client, &people->stranger, &broken};
    struct transport_tls tls = {authorities[ca], clients[client]->certificate_pem,
                                clients[client]->key_pem};
    struct MHD_Daemon *daemon = server_start(server, &people->ca);
    assert_non_null(daemon);
    int port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct transport *transport = http_open(&loop);
    for (int i = 0; i < 2; i++) { /* the second over the kept connection */
        struct outcome outcome = exchange(&loop, transport, port, ca ? &tls : NULL);
        assert_int_equal(outcome.status, status);
        if (failure)
            assert_int_equal(outcome.failure->kind, ERROR_INVALID);
        if (failure && !strstr(outcome.failure->message, failure))
            test_equal(outcome.failure->message, failure);
        if (status == 200)
            test_equal(outcome.body.data, "hello");
        outcome_done(&outcome);
    }
    uv_run(&loop, UV_RUN_DEFAULT); /* a kept connection does not hold up the loop */
    http_close(transport);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    MHD_stop_daemon(daemon);
}

static void verification(void **state)
{
    (void)state;
    static const struct {
        const char *name, *addresses;
        enum who ca, client;
        int status;
        const char *failure;
    } rows[] = {
        {"both known", "IP:127.0.0.1", OURS, OURS, 200, NULL},
        {"client not known", "IP:127.0.0.1", OURS, STRANGER, 403, NULL},
        {"client says nothing", "IP:127.0.0.1", OURS, NOBODY, 403, NULL},
        {"server of another authority", "IP:127.0.0.1", STRANGER, OURS, 0, "certificate"},
        {"server's authority not of this system", "IP:127.0.0.1", NOBODY, OURS, 0, "certificate"},
        {"server of another address", "IP:127.0.0.2,DNS:localhost", OURS, OURS, 0, "127.0.0.1"},
        {"garbled authority", "IP:127.0.0.1", GARBLED, OURS, 0, "CA certificate is not usable"},
        {"garbled client", "IP:127.0.0.1", OURS, GARBLED, 0, "client certificate or key is not"},
    };
    struct people people = {.ca = identity_new("kubernetes", NULL, NULL),
                            .other_ca = identity_new("other", NULL, NULL)};
    people.client = identity_new("admin", &people.ca, NULL);
    people.stranger = identity_new("stranger", &people.other_ca, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct identity server = identity_new("kube-apiserver", &people.ca, rows[i].addresses);
        handshake(&people, &server, rows[i].ca, rows[i].client, rows[i].status, rows[i].failure);
        identity_done(&server);
    }
    identity_done(&people.ca);
    identity_done(&people.other_ca);
    identity_done(&people.client);
    identity_done(&people.stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verification),
    };
    return cmocka_run_group_tests_name("http over TLS", tests, NULL, NULL);
}
