/*
 * prng.h - a small seeded generator (splitmix64), for jitter and tests.
 *
 * Same seed, same numbers, on every machine. Not for secrets.
 */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state;
};

static inline uint64_t prng_next(struct prng *prng)
{
    uint64_t z = (prng->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* A number in [0, bound); bound 0 gives 0. */
static inline uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    return bound ? prng_next(prng) % bound : 0;
}

#endif
