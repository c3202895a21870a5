#include "reconciler/backoff.h"

enum { FIRST_MS = 1000, LONGEST_MS = 5 * 60 * 1000 };

uint64_t backoff_delay_ms(unsigned failures, struct prng *prng)
{
    uint64_t delay_ms = FIRST_MS;
    for (unsigned i = 1; i < failures && delay_ms < LONGEST_MS; i++)
        delay_ms *= 2;
    if (delay_ms > LONGEST_MS)
        delay_ms = LONGEST_MS;
    return delay_ms - delay_ms / 4 + prng_below(prng, delay_ms / 2 + 1);
}
