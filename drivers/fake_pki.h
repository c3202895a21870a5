/*
 * fake_pki.h - real keys and certificates (P-256), so that TLS is verified for real.
 */
#ifndef DRIVERS_FAKE_PKI_H
#define DRIVERS_FAKE_PKI_H

#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

/* PEM texts, owned. */
struct fake_identity {
    char *certificate, *key;
};

struct fake_subject {
    const char *name, *organization; /* organization may be NULL */
    bool server;                     /* else for clients */
    const char *const *names;        /* DNS names and addresses, ended by NULL; or NULL */
};

void fake_identity_done(struct fake_identity *identity);

/* A self-signed authority. */
struct fake_identity fake_pki_authority(const char *name);
/* A certificate signed by the authority; both members NULL if that is no PEM pair. */
struct fake_identity fake_pki_sign(const char *authority_certificate, const char *authority_key,
                                   const struct fake_subject *subject);
/* A key pair without certificate: the public key stands in `certificate`. */
struct fake_identity fake_pki_keys(void);

/*
 * From here on nothing is made twice: what was asked for before, by the same words, is handed out
 * again, also for another world; only authorities of one name alternate between a few. For
 * simulators, which would spend most of their time with signing. Called again, they alternate from
 * the beginning.
 */
void fake_pki_repeat(void);

/* Appends "sha256:..." of the certificate's public key, as kubeadm knows an authority by. */
void fake_pki_hash(const char *certificate, struct text *out);

/* Appends bytes in base64, without line ends. */
void fake_base64(const char *bytes, size_t length, struct text *out);

#endif
