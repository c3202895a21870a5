/*
 * service_hook.c - "something was pushed": signed by the secret, answered by a look at the sources.
 *
 * GitHub, Gitea and everybody else sign the body with the secret; GitLab sends
 * the secret itself. The body is not kept: it is signed as it comes in and
 * means nothing. So a call that is sent again does no more than a look, and a
 * thousand calls a second lead to one.
 */
#include "cli/service_parts.h"

#include "base/hex.h"
#include "base/memory.h"
#include <openssl/core_names.h>
#include <strings.h>

enum { MAC_BYTES = 32, MAC_HEX = 64 };

struct hook_scheme {
    const char *header, *prefix; /* prefix: before the signature */
    bool plain;                  /* the secret itself stands there */
};

/* The first whose header is there counts. */
static const struct hook_scheme schemes[] = {
    {"X-Hub-Signature-256", "sha256=", false}, /* GitHub */
    {"X-Gitea-Signature", "", false},          /* Gitea, Forgejo */
    {"X-Gitlab-Token", "", true},              /* GitLab */
    {"X-Signature", "sha256=", false},         /* everybody else */
};

static EVP_MAC_CTX *mac_new(const struct secret_file *secret)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (!context || EVP_MAC_init(context, (const unsigned char *)secret->bytes, secret->length,
                                 parameters) != 1)
        abort(); /* no memory */
    return context;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, struct asked *asked,
                              unsigned status, const char *words)
{
    asked->service->counts.hooks[HOOK_REFUSED]++;
    return service_reply_text(connection, asked, status, words);
}

static const struct hook_scheme *scheme_of(struct MHD_Connection *connection, const char **proof)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        *proof = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, schemes[i].header);
        if (*proof)
            return &schemes[i];
    }
    return NULL;
}

static bool too_long(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > SERVICE_BODY_BYTES_MAX;
}

enum MHD_Result service_hook_begin(struct MHD_Connection *connection, struct asked *asked)
{
    struct service *service = asked->service;
    const char *proof;
    if (!service->options.hook_secret_file) {
        service->counts.hooks[HOOK_OFF]++;
        return service_reply_text(connection, asked, MHD_HTTP_NOT_FOUND,
                                  "the hook is off: start `kind watch` with --hook-secret");
    }
    if (!secret_file_fresh(&service->hook, service_now_ms(service)))
        return refuse(connection, asked, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "the file of the hook's secret cannot be read any more, or others can");
    asked->hooked = scheme_of(connection, &proof);
    if (!asked->hooked)
        return refuse(connection, asked, MHD_HTTP_UNAUTHORIZED,
                      "no signature: send X-Hub-Signature-256, X-Gitea-Signature, X-Gitlab-Token "
                      "or X-Signature: sha256=HEX of HMAC-SHA256 over the body");
    if (too_long(connection))
        return refuse(connection, asked, MHD_HTTP_CONTENT_TOO_LARGE,
                      "the body is longer than 1 MiB");
    asked->proof = memory_string(proof);
    if (!asked->hooked->plain)
        asked->mac = mac_new(&service->hook);
    return MHD_YES;
}

void service_hook_body(struct asked *asked, const char *bytes, size_t length)
{
    asked->body_bytes += length;
    if (asked->mac && asked->body_bytes <= SERVICE_BODY_BYTES_MAX)
        EVP_MAC_update(asked->mac, (const unsigned char *)bytes, length);
}

static bool is_right(struct asked *asked)
{
    const struct hook_scheme *scheme = asked->hooked;
    const struct secret_file *secret = &asked->service->hook;
    size_t skipped = strlen(scheme->prefix);
    if (scheme->plain)
        return secret_equal(asked->proof, strlen(asked->proof), secret->bytes, secret->length);
    unsigned char mac[MAC_BYTES];
    char hex[MAC_HEX + 1];
    size_t length = 0;
    if (EVP_MAC_final(asked->mac, mac, &length, sizeof(mac)) != 1 || length != MAC_BYTES)
        return false;
    hex_write(hex, mac, MAC_BYTES);
    if (strncasecmp(asked->proof, scheme->prefix, skipped) != 0)
        return false;
    for (char *digit = asked->proof + skipped; *digit; digit++)
        if (*digit >= 'A' && *digit <= 'F')
            *digit = (char)(*digit - 'A' + 'a');
    return secret_equal(asked->proof + skipped, strlen(asked->proof + skipped), hex, MAC_HEX);
}

enum MHD_Result service_hook_end(struct MHD_Connection *connection, struct asked *asked)
{
    if (asked->body_bytes > SERVICE_BODY_BYTES_MAX)
        return refuse(connection, asked, MHD_HTTP_CONTENT_TOO_LARGE,
                      "the body is longer than 1 MiB");
    if (!is_right(asked))
        return refuse(connection, asked, MHD_HTTP_FORBIDDEN,
                      "the signature does not fit the body and the secret");
    asked->service->counts.hooks[HOOK_ACCEPTED]++;
    asked->service->poll_wanted = true;
    return service_reply_text(connection, asked, MHD_HTTP_ACCEPTED, "looking at the sources");
}

void service_poll_if_due(struct service *service)
{
    uint64_t now_ms = service_now_ms(service);
    if (!service->poll_wanted ||
        (service->polled && now_ms < service->polled_at_ms + SERVICE_POLL_MS))
        return;
    service->poll_wanted = false;
    service->polled = true;
    service->polled_at_ms = now_ms;
    service->counts.polls_by_hook++;
    if (service->options.poll_now)
        service->options.poll_now(service->options.context);
}
