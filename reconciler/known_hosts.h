/*
 * known_hosts.h - which keys a host may show, by a file in OpenSSH's form. Pure.
 *
 * Plain and hashed names, patterns with '*', '?' and '!', "[host]:port", and
 * revoked keys are understood; authorities (@cert-authority) are passed over,
 * since the SSH library knows no certificates.
 */
#ifndef RECONCILER_KNOWN_HOSTS_H
#define RECONCILER_KNOWN_HOSTS_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KNOWN_HOSTS_KEYS_MAX = 32 };

struct known_key {
    const char *type;    /* "ssh-ed25519" */
    const char *encoded; /* base64 */
    const char *bytes;
    size_t length;
    bool revoked;
};

struct known_keys {
    struct known_key items[KNOWN_HOSTS_KEYS_MAX];
    size_t count;
};

enum known_verdict {
    KNOWN_GOOD,
    KNOWN_NOT,     /* the file does not name this host */
    KNOWN_CHANGED, /* it has another key of the same type: somebody else may be answering */
    KNOWN_OTHER,   /* it has keys of other types alone */
    KNOWN_REVOKED,
};

/* The keys of host at port (0: 22) in a file of this text. Lines that say nothing are passed over.
 */
void known_hosts_find(struct arena *arena, const char *text, const char *host, uint16_t port,
                      struct known_keys *keys);

/* The key to ask the host for: ed25519, then ecdsa, then any. NULL: there is none. */
const struct known_key *known_hosts_best(const struct known_keys *keys);

/* What is to be thought of a host that shows this key (in SSH's own form). */
enum known_verdict known_hosts_judge(const struct known_keys *keys, const char *key, size_t length);

/* The type that such a key, of `length` bytes, begins with; NULL: it is none. In the arena. */
const char *known_hosts_type(struct arena *arena, const char *key, size_t length);

#endif
