/*
 * backoff.h - when to try again: 1 s doubling to 5 min, with jitter of a quarter either way. Pure.
 */
#ifndef RECONCILER_BACKOFF_H
#define RECONCILER_BACKOFF_H

#include "base/prng.h"
#include <stdint.h>

/* failures counts from 1. */
uint64_t backoff_delay_ms(unsigned failures, struct prng *prng);

#endif
