/*
 * Any bytes as a file of known hosts, for a host and a key that the input names, too: no crash, no
 * key that was revoked is good, and each that is named is judged as what it is.
 */
#include "reconciler/known_hosts.h"

#include "base/memory.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_revoked(const struct known_keys *keys, const char *key, size_t length)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].revoked && keys->items[i].length == length &&
            memcmp(keys->items[i].bytes, key, length) == 0)
            return true;
    return false;
}

static void check_keys(const struct known_keys *keys)
{
    const struct known_key *best = known_hosts_best(keys);
    assert(keys->count <= KNOWN_HOSTS_KEYS_MAX);
    assert(!best || !best->revoked);
    for (size_t i = 0; i < keys->count; i++) {
        const struct known_key *key = &keys->items[i];
        enum known_verdict verdict = known_hosts_judge(keys, key->bytes, key->length);
        assert(key->length > 0 && *key->type && *key->encoded);
        assert(verdict == (is_revoked(keys, key->bytes, key->length) ? KNOWN_REVOKED : KNOWN_GOOD));
    }
}

/* "HOST\nKEY\nFILE": a host, what it shows, and what is known. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_arena struct arena *arena = arena_new();
    const char *text = arena_string_n(arena, size ? (const char *)data : "", size);
    size_t host_length = strcspn(text, "\n");
    const char *host = arena_string_n(arena, text, host_length);
    const char *shown = text + host_length + (text[host_length] == '\n');
    size_t shown_length = strcspn(shown, "\n");
    const char *file = shown + shown_length + (shown[shown_length] == '\n');
    static const uint16_t ports[] = {0, 22, 2222};
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        struct known_keys keys;
        known_hosts_find(arena, file, host, ports[i], &keys);
        check_keys(&keys);
        enum known_verdict verdict = known_hosts_judge(&keys, shown, shown_length);
        assert((verdict == KNOWN_NOT) == (keys.count == 0));
        const char *type = known_hosts_type(arena, shown, shown_length);
        assert(!type || strlen(type) <= shown_length);
    }
    return 0;
}
