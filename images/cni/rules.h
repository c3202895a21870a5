/*
 * rules.h - the nftables rules by which pods speak to the world outside.
 *
 * Pure. One table of our own a family, "kind-masq", that replaces the old one
 * in one step. Why not chains of iptables: there is no shared table to lock,
 * nothing of kube-proxy's to read through, no state half-way, and it works
 * beside either of iptables' two backends.
 */
#ifndef CNI_RULES_H
#define CNI_RULES_H

#include <stddef.h>

#include "node.h"

enum { RULES_TEXT_SIZE = 4096 };

/* Traffic from these networks to anywhere else gets its node's address. */
void rules_text(const struct network *pods, size_t count, char text[RULES_TEXT_SIZE]);

#endif
