#include "reconciler/known_hosts.h"

#include "base/base64.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { KEY_BYTES_MAX = 16 * 1024, SALT_BYTES_MAX = 64, NAME_BYTES_MAX = 300 };

/* --- names --- */

static bool matches_at(const char *pattern, const char *end, const char *name)
{
    /* The last '*' takes as much as is needed: back to it when what follows does not fit. */
    const char *star = NULL, *mark = name;
    while (*name) {
        if (pattern < end && *pattern == '*') {
            star = pattern++;
            mark = name;
        } else if (pattern < end && (*pattern == '?' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++mark;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

/* "|1|salt|hash": HMAC-SHA1 of the name. */
static bool matches_hash(struct arena *arena, const char *hashed, size_t length, const char *name)
{
    const char *salt = hashed + strlen("|1|");
    const char *bar = memchr(salt, '|', length - strlen("|1|"));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    if (!bar)
        return false;
    cleanup_text struct text key, want;
    text_init(&key, SALT_BYTES_MAX);
    text_init(&want, SALT_BYTES_MAX);
    if (!base64_decode(arena_string_n(arena, salt, (size_t)(bar - salt)), &key) ||
        !base64_decode(arena_string_n(arena, bar + 1, length - (size_t)(bar + 1 - hashed)), &want))
        return false;
    HMAC(EVP_sha1(), key.data, (int)key.length, (const unsigned char *)name, strlen(name), digest,
         &digest_length);
    return want.length == digest_length && memcmp(want.data, digest, digest_length) == 0;
}

/* "a,*.b,!c.b": one that fits, and none with '!' that does. */
static bool matches_list(struct arena *arena, const char *list, size_t length, const char *name)
{
    bool found = false;
    const char *end = list + length;
    if (length > 3 && strncmp(list, "|1|", 3) == 0)
        return matches_hash(arena, list, length, name);
    for (const char *item = list; item < end;) {
        const char *comma = memchr(item, ',', (size_t)(end - item));
        const char *stop = comma ? comma : end;
        bool negated = *item == '!';
        if (matches_at(item + negated, stop, name)) {
            if (negated)
                return false;
            found = true;
        }
        item = stop + 1;
    }
    return found;
}

/* --- lines --- */

static const char *next_word(const char **at, size_t *length)
{
    const char *word = *at + strspn(*at, " \t");
    *length = strcspn(word, " \t");
    *at = word + *length;
    return *length ? word : NULL;
}

static void take_key(struct arena *arena, const char *rest, bool revoked, struct known_keys *keys)
{
    size_t type_length, key_length;
    const char *type = next_word(&rest, &type_length);
    const char *encoded = type ? next_word(&rest, &key_length) : NULL;
    cleanup_text struct text bytes;
    text_init(&bytes, KEY_BYTES_MAX);
    if (!encoded)
        return;
    encoded = arena_string_n(arena, encoded, key_length);
    if (!base64_decode(encoded, &bytes) || !bytes.length || bytes.overflow)
        return;
    keys->items[keys->count++] = (struct known_key){
        .type = arena_string_n(arena, type, type_length),
        .encoded = encoded,
        .bytes = arena_string_n(arena, bytes.data, bytes.length),
        .length = bytes.length,
        .revoked = revoked,
    };
}

static void take_line(struct arena *arena, const char *line, const char *name,
                      struct known_keys *keys)
{
    size_t length;
    const char *rest = line, *word = next_word(&rest, &length);
    bool revoked = word && length == strlen("@revoked") && strncmp(word, "@revoked", length) == 0;
    if (revoked)
        word = next_word(&rest, &length);
    if (!word || *word == '#' || *word == '@')
        return;
    if (matches_list(arena, word, length, name))
        take_key(arena, rest, revoked, keys);
}

void known_hosts_find(struct arena *arena, const char *text, const char *host, uint16_t port,
                      struct known_keys *keys)
{
    const char *name = port == 0 || port == 22 ? host : arena_format(arena, "[%s]:%u", host, port);
    *keys = (struct known_keys){0};
    for (const char *line = text; *line && keys->count < KNOWN_HOSTS_KEYS_MAX;) {
        size_t length = strcspn(line, "\r\n");
        take_line(arena, arena_string_n(arena, line, length), name, keys);
        line += length;
        line += strspn(line, "\r\n");
    }
}

/* --- keys --- */

const struct known_key *known_hosts_best(const struct known_keys *keys)
{
    static const char *const wanted[] = {"ssh-ed25519", "ecdsa-sha2-", ""};
    for (size_t w = 0; w < sizeof(wanted) / sizeof(*wanted); w++)
        for (size_t i = 0; i < keys->count; i++)
            if (!keys->items[i].revoked &&
                strncmp(keys->items[i].type, wanted[w], strlen(wanted[w])) == 0)
                return &keys->items[i];
    return NULL;
}

const char *known_hosts_type(struct arena *arena, const char *key, size_t length)
{
    size_t type_length = 0;
    if (length < 4)
        return NULL;
    for (size_t i = 0; i < 4; i++)
        type_length = type_length << 8 | (unsigned char)key[i];
    if (type_length == 0 || type_length > length - 4 || type_length > NAME_BYTES_MAX)
        return NULL;
    return arena_string_n(arena, key + 4, type_length);
}

/* Two keys are of one type if they begin alike: length and name of the type. */
static bool same_type(const struct known_key *known, const char *key, size_t length)
{
    size_t type_length = 4 + strlen(known->type);
    return known->length >= type_length && length >= type_length &&
           memcmp(known->bytes, key, type_length) == 0;
}

enum known_verdict known_hosts_judge(const struct known_keys *keys, const char *key, size_t length)
{
    bool good = false, changed = false;
    for (size_t i = 0; i < keys->count; i++) {
        const struct known_key *known = &keys->items[i];
        bool equal = known->length == length && memcmp(known->bytes, key, length) == 0;
        if (equal && known->revoked)
            return KNOWN_REVOKED;
        good = good || equal;
        changed = changed || (!known->revoked && same_type(known, key, length));
    }
    return good ? KNOWN_GOOD : changed ? KNOWN_CHANGED : keys->count ? KNOWN_OTHER : KNOWN_NOT;
}
