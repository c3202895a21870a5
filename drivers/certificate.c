#include "drivers/certificate.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { IPV4_BYTES = 4, IPV6_BYTES = 16 };

/* NULL: it is of this very machine, or no address at all. */
static const char *address_text(struct arena *arena, const ASN1_OCTET_STRING *bytes)
{
    static const unsigned char loopback6[IPV6_BYTES] = {[IPV6_BYTES - 1] = 1};
    const unsigned char *data = ASN1_STRING_get0_data(bytes);
    int length = ASN1_STRING_length(bytes);
    char text[INET6_ADDRSTRLEN];
    if (length == IPV4_BYTES && data[0] != 127)
        return arena_string(arena, inet_ntop(AF_INET, data, text, sizeof(text)));
    if (length == IPV6_BYTES && memcmp(data, loopback6, IPV6_BYTES) != 0)
        return arena_string(arena, inet_ntop(AF_INET6, data, text, sizeof(text)));
    return NULL;
}

static struct string_list addresses_of(struct arena *arena, const GENERAL_NAMES *names)
{
    const char **items = arena_array(arena, CERTIFICATE_ADDRESSES_MAX, sizeof(*items));
    struct string_list list = {.items = items};
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && list.count < CERTIFICATE_ADDRESSES_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const char *text = name->type == GEN_IPADD ? address_text(arena, name->d.iPAddress) : NULL;
        if (text)
            items[list.count++] = text;
    }
    return list;
}

struct string_list certificate_addresses(struct arena *arena, const char *pem, size_t length)
{
    struct string_list list = {0};
    BIO *bio = pem && length <= INT_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    GENERAL_NAMES *names =
        certificate ? X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL) : NULL;
    if (names)
        list = addresses_of(arena, names);
    GENERAL_NAMES_free(names);
    X509_free(certificate);
    BIO_free(bio);
    return list;
}

bool certificate_names(const struct string_list *addresses, const char *address)
{
    for (size_t i = 0; address && i < addresses->count; i++)
        if (strcmp(addresses->items[i], address) == 0)
            return true;
    return false;
}
