#include "drivers/fake_pki.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <assert.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <uthash.h>

void fake_identity_done(struct fake_identity *identity)
{
    free(TAKE(identity->certificate));
    free(TAKE(identity->key));
}

static char *take_text(BIO *bio)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    char *text = memory_string_n(bytes, (size_t)length);
    BIO_free(bio);
    return text;
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return take_text(bio);
}

static char *certificate_text(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return take_text(bio);
}

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static void add_part(X509_NAME *name, const char *part, const char *value)
{
    if (value)
        X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *)value, -1, -1,
                                   0);
}

static X509 *new_certificate(EVP_PKEY *key, const char *name, const char *organization)
{
    X509 *certificate = X509_new();
    unsigned char serial[8];
    RAND_bytes(serial, sizeof(serial));
    serial[0] &= 0x7F;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, 2);
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20991231235959Z");
    X509_set_pubkey(certificate, key);
    add_part(X509_get_subject_name(certificate), "O", organization);
    add_part(X509_get_subject_name(certificate), "CN", name);
    return certificate;
}

/* An authority as OpenSSL has it. */
struct authority {
    char *text; /* its certificate and key */
    X509 *certificate;
    EVP_PKEY *key;
};

enum { AUTHORITIES_KEPT = 4 };

/*
 * Reading and writing keys takes OpenSSL ten times as long as signing, and a
 * control plane is a dozen signatures in a row: the last authorities are kept
 * for the life of the process.
 */
static struct authority authorities[AUTHORITIES_KEPT];
static size_t next_authority;

/* Steals all three; certificate and key may be NULL. */
static const struct authority *keep_authority(char *text, X509 *certificate, EVP_PKEY *key)
{
    struct authority *authority = &authorities[next_authority++ % AUTHORITIES_KEPT];
    free(authority->text);
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    *authority = (struct authority){text, certificate, key};
    return authority;
}

static const struct authority *read_authority(const char *certificate, const char *key)
{
    char *text = memory_format("%s%s", certificate, key);
    for (size_t i = 0; i < AUTHORITIES_KEPT; i++) {
        if (authorities[i].text && strcmp(authorities[i].text, text) == 0) {
            free(text);
            return &authorities[i];
        }
    }
    BIO *certificate_bio = BIO_new_mem_buf(certificate, -1);
    BIO *key_bio = BIO_new_mem_buf(key, -1);
    const struct authority *authority =
        keep_authority(text, PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL),
                       PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL));
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    return authority;
}

/* --- what is made once --- */

struct made {
    char *words;
    struct fake_identity identity;
    UT_hash_handle hh;
};

enum { MADE_MAX = 4096, ALTERNATIVES = 3 };

static bool repeats;
static struct made *made;
static unsigned turns;

void fake_pki_repeat(void)
{
    repeats = true;
    turns = 0;
}

static struct fake_identity copy_of(const struct fake_identity *identity)
{
    return (struct fake_identity){memory_string(identity->certificate),
                                  memory_string(identity->key)};
}

/* True if it was made before. */
static bool recall(const char *words, struct fake_identity *identity)
{
    struct made *found = NULL;
    if (repeats)
        HASH_FIND_STR(made, words, found);
    if (found)
        *identity = copy_of(&found->identity);
    return found != NULL;
}

static void forget_all(void)
{
    struct made *each, *next;
    HASH_ITER(hh, made, each, next)
    {
        HASH_DEL(made, each);
        fake_identity_done(&each->identity);
        free(each->words);
        free(each);
    }
}

static struct fake_identity remember(const char *words, struct fake_identity identity)
{
    if (!repeats || !identity.certificate)
        return identity;
    if (HASH_COUNT(made) >= MADE_MAX)
        forget_all();
    struct made *entry = memory_new(sizeof(*entry));
    entry->words = memory_string(words);
    entry->identity = copy_of(&identity);
    HASH_ADD_KEYPTR(hh, made, entry->words, strlen(entry->words), entry);
    return identity;
}

static char *alternate(const char *what)
{
    return memory_format("%s %u", what, repeats ? turns++ % ALTERNATIVES : 0);
}

/* --- making --- */

static struct fake_identity make_authority(const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = new_certificate(key, name, NULL);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage,
                  "critical,digitalSignature,keyEncipherment,keyCertSign");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    X509_sign(certificate, key, EVP_sha256());
    struct fake_identity identity = {certificate_text(certificate), key_text(key)};
    keep_authority(memory_format("%s%s", identity.certificate, identity.key), certificate, key);
    return identity;
}

struct fake_identity fake_pki_authority(const char *name)
{
    cleanup_free char *words = alternate(name);
    struct fake_identity identity;
    return recall(words, &identity) ? identity : remember(words, make_authority(name));
}

static bool is_address(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static void add_names(X509 *certificate, X509 *issuer, const char *const *names)
{
    struct text list;
    text_init(&list, 0);
    for (size_t i = 0; names && names[i]; i++)
        if (*names[i])
            text_add_format(&list, "%s%s:%s", list.length ? "," : "",
                            is_address(names[i]) ? "IP" : "DNS", names[i]);
    if (list.length)
        add_extension(certificate, issuer, NID_subject_alt_name, list.data);
    text_done(&list);
}

/* The key of all who are no authorities: they differ by their certificates. */
static EVP_PKEY *common_key(const char **text)
{
    static EVP_PKEY *key;
    static char *pem;
    if (!key) {
        key = EVP_EC_gen("P-256");
        pem = key_text(key);
    }
    *text = pem;
    return key;
}

static struct fake_identity sign(const char *authority_certificate, const char *authority_key,
                                 const struct fake_subject *subject)
{
    const struct authority *authority = read_authority(authority_certificate, authority_key);
    X509 *issuer = authority->certificate;
    struct fake_identity identity = {0};
    if (issuer && authority->key) {
        const char *key;
        X509 *certificate = new_certificate(common_key(&key), subject->name, subject->organization);
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
        add_extension(certificate, issuer, NID_key_usage,
                      "critical,digitalSignature,keyEncipherment");
        add_extension(certificate, issuer, NID_ext_key_usage,
                      subject->server ? "serverAuth" : "clientAuth");
        add_names(certificate, issuer, subject->names);
        X509_sign(certificate, authority->key, EVP_sha256());
        identity = (struct fake_identity){certificate_text(certificate), memory_string(key)};
        X509_free(certificate);
    }
    return identity;
}

struct fake_identity fake_pki_sign(const char *authority_certificate, const char *authority_key,
                                   const struct fake_subject *subject)
{
    cleanup_text struct text words;
    text_init(&words, 0);
    text_add_format(&words, "%s %s %s %d", authority_certificate ? authority_certificate : "",
                    subject->name, subject->organization ? subject->organization : "",
                    subject->server);
    for (size_t i = 0; subject->names && subject->names[i]; i++)
        text_add_format(&words, " %s", subject->names[i]);
    struct fake_identity identity;
    if (recall(words.data, &identity))
        return identity;
    return remember(words.data, sign(authority_certificate, authority_key, subject));
}

static struct fake_identity make_keys(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    struct fake_identity identity = {take_text(bio), key_text(key)};
    EVP_PKEY_free(key);
    return identity;
}

struct fake_identity fake_pki_keys(void)
{
    cleanup_free char *words = alternate("sa");
    struct fake_identity identity;
    return recall(words, &identity) ? identity : remember(words, make_keys());
}

static char *hash_of(const char *certificate)
{
    struct text hash, *out = &hash;
    text_init(out, 0);
    BIO *bio = BIO_new_mem_buf(certificate, -1);
    X509 *parsed = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = X509_get0_pubkey(parsed);
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    int length = i2d_PUBKEY(key, &der);
    assert(length > 0);
    EVP_Digest(der, (size_t)length, digest, &digest_bytes, EVP_sha256(), NULL);
    text_add(out, "sha256:");
    for (unsigned i = 0; i < digest_bytes; i++)
        text_add_format(out, "%02x", digest[i]);
    OPENSSL_free(der);
    X509_free(parsed);
    BIO_free(bio);
    return text_take(out);
}

/* A cluster's nodes all ask for the hash of the same few authorities. */
void fake_pki_hash(const char *certificate, struct text *out)
{
    static char *known, *hash;
    if (!known || strcmp(known, certificate) != 0) {
        free(known);
        free(hash);
        known = memory_string(certificate);
        hash = hash_of(certificate);
    }
    text_add(out, hash);
}

void fake_base64(const char *bytes, size_t length, struct text *out)
{
    cleanup_free char *encoded = memory_new(4 * ((length + 2) / 3) + 1);
    int written =
        EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)bytes, (int)length);
    text_add_bytes(out, encoded, (size_t)written);
}
