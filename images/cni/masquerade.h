/*
 * masquerade.h - keeps the rules in the kernel, by nftables' program `nft`.
 *
 * They are set again every minute, in case somebody flushed them.
 */
#ifndef CNI_MASQUERADE_H
#define CNI_MASQUERADE_H

#include <stdint.h>

#include "../cluster-api/loop.h"

struct masquerade;

/* nft is the program's path, text the rules; both are borrowed. */
struct masquerade *masquerade_new(struct loop *loop, const char *nft, const char *text);
void masquerade_free(struct masquerade *masquerade);

/* Sets the rules when it is time, or at the next turn if asked to hurry. */
uint64_t masquerade_tick(struct masquerade *masquerade, uint64_t now_ms);
void masquerade_hurry(struct masquerade *masquerade);

#endif
