/*
 * wish.h - what stop, start, suspend and resume share: one thing asked for by hand of some
 * clusters.
 */
#ifndef CLI_WISH_H
#define CLI_WISH_H

#include "cli/converge.h"

/* The options of such a command. */
struct wish_options {
    uint64_t wait_ms; /* 0: no deadline over all */
};

#define WISH_READY "is Ready"

/*
 * Carries the wish out on every cluster that the arguments name, of the fleet
 * alone, and says of each what it is then: "ci is stopped".
 */
int wish_run(const struct invocation *invocation, enum diff_wish wish, const char *what,
             struct error **err);

#endif
