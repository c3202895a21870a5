/*
 * certificate.h - which IP addresses a certificate was made for.
 *
 * kubeadm writes a node's own address into the certificates that it makes, so
 * they tell by which address the node was set up.
 */
#ifndef DRIVERS_CERTIFICATE_H
#define DRIVERS_CERTIFICATE_H

#include "base/arena.h"
#include "model/spec.h"
#include <stdbool.h>
#include <stddef.h>

enum { CERTIFICATE_ADDRESSES_MAX = 16 };

/*
 * The addresses of its subject alternative names, loopback left out, as
 * inet_ntop writes them; in the arena. None if the text is no certificate.
 */
struct string_list certificate_addresses(struct arena *arena, const char *pem, size_t length);

bool certificate_names(const struct string_list *addresses, const char *address);

#endif
