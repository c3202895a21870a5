#include "model/facet_value.h"

#include "base/hex.h"
#include <jansson.h>
#include <openssl/evp.h>

enum {
    PLAIN_BYTES_MAX = 160, /* a longer value is shown and stored as its digest */
    DIGEST_DIGITS = 12,
};

void facet_hash(const void *bytes, size_t length, char hex[FACET_HASH_DIGITS + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!EVP_Digest(bytes, length, sum, &size, EVP_sha256(), NULL) || size * 2 != FACET_HASH_DIGITS)
        abort();
    hex_write(hex, sum, size);
}

bool facet_value_is_plain(const char *value)
{
    bool ascii = true;
    size_t length = 0;
    for (const char *c = value; *c; c++, length++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
        ascii = ascii && (unsigned char)*c < 0x80;
    }
    if (ascii)
        return length <= PLAIN_BYTES_MAX;
    json_t *string = json_string(value); /* NULL unless it is UTF-8 */
    json_decref(string);
    return string && length <= PLAIN_BYTES_MAX;
}

const char *facet_value_digest(struct arena *arena, const char *value)
{
    char hex[FACET_HASH_DIGITS + 1];
    facet_hash(value, strlen(value), hex);
    return arena_format(arena, "sha256:%.*s", DIGEST_DIGITS, hex);
}

void facet_value_add_part(struct text *text, const char *part)
{
    if (text->length)
        text_add_char(text, ':', 1);
    for (; *part; part++) {
        if (strchr("\\:,", *part))
            text_add_char(text, '\\', 1);
        text_add_char(text, *part, 1);
    }
}
