/*
 * Bootstrap tokens: by one a new node's kubelet gets its credentials. Each
 * join has its own, which is deleted when the node has joined, and which ends
 * by itself soon if that is never reached.
 */
#include "drivers/docker_flow.h"

#include "base/hex.h"
#include "base/memory.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

enum { TOKEN_LIFE_S = 15 * 60, ID_LENGTH = 6, HASH_BYTES = 32 };

static const char secrets[] = "/api/v1/namespaces/kube-system/secrets";

static const char *token_id(struct arena *arena, const char *token)
{
    return arena_string_n(arena, token, ID_LENGTH);
}

void kube_drop_token(struct flow *flow, const char *text)
{
    const char *path =
        arena_format(flow->arena, "%s/bootstrap-token-%s", secrets, token_id(flow->arena, text));
    kube_send(flow, "DELETE", path, NULL, NULL);
}

/* The cluster ends it by this time itself, whatever becomes of us. */
static const char *ends_at(struct arena *arena)
{
    time_t end = time(NULL) + TOKEN_LIFE_S;
    struct tm parts;
    char text[32];
    gmtime_r(&end, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return arena_string(arena, text);
}

static char *secret_body(struct flow *flow, const char *token)
{
    const char *id = token_id(flow->arena, token);
    json_t *secret = json_pack(
        "{s:s,s:s,s:{s:s,s:s},s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s}}", "apiVersion", "v1", "kind",
        "Secret", "metadata", "name", arena_format(flow->arena, "bootstrap-token-%s", id),
        "namespace", "kube-system", "type", "bootstrap.kubernetes.io/token", "stringData",
        "token-id", id, "token-secret", token + ID_LENGTH + 1, "expiration", ends_at(flow->arena),
        "usage-bootstrap-authentication", "true", "usage-bootstrap-signing", "true",
        "auth-extra-groups", "system:bootstrappers:kubeadm:default-node-token");
    char *text = json_dumps(secret, JSON_COMPACT);
    json_decref(secret);
    return text;
}

enum step_status kube_add_token(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->joined)
        return STEP_DONE;
    if (!answer) {
        if (!df->token && !(df->token = docker_new_token(flow, err)))
            return STEP_FAILED;
        char *body = secret_body(flow, df->token);
        kube_send(flow, "POST", secrets, "application/json", body);
        free(body);
        return STEP_WAITING;
    }
    if (!answer->failure && (answer->status == 201 || answer->status == 409))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

/* Without the signature kubeadm does not trust what it is told, and asks again only after 5 s. */
enum step_status kube_await_token(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (df->joined)
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "GET", "/api/v1/namespaces/kube-public/configmaps/cluster-info", NULL,
                  NULL);
        return STEP_WAITING;
    }
    json_t *info = json_loadb(answer->body, answer->length, 0, NULL);
    const char *key =
        arena_format(flow->arena, "jws-kubeconfig-%s", token_id(flow->arena, df->token));
    bool is_signed = json_object_get(json_object_get(info, "data"), key) != NULL;
    json_decref(info);
    flow->waiting_for = answer->failure || answer->status != 200
                            ? docker_message(flow, answer)
                            : "kube-controller-manager has not signed the token yet";
    return is_signed ? STEP_DONE : STEP_AGAIN;
}

enum step_status kube_remove_token(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (df->joined)
        return STEP_DONE;
    if (!answer) {
        kube_drop_token(flow, df->token);
        return STEP_WAITING;
    }
    if (!answer->failure && (answer->status == 200 || answer->status == 404))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

const char *kube_ca_hash(struct arena *arena, const char *ca_pem)
{
    BIO *bio = BIO_new_mem_buf(ca_pem, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    unsigned char *key = NULL, digest[EVP_MAX_MD_SIZE];
    int length = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key) : -1;
    const char *hash = NULL;
    if (length > 0 && EVP_Digest(key, (size_t)length, digest, NULL, EVP_sha256(), NULL) == 1) {
        char hex[2 * HASH_BYTES + 1];
        hex_write(hex, digest, HASH_BYTES);
        hash = arena_format(arena, "sha256:%s", hex);
    }
    OPENSSL_free(key);
    X509_free(certificate);
    BIO_free(bio);
    return hash;
}
