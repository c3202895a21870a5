/*
 * version.h - Kubernetes versions: "v1.20.2", "1.25.0-alpha.0.557+38d5a5cd".
 *
 * Ordered as semantic versions: a pre-release comes before its release, its
 * parts compare as numbers where both are numbers, build metadata ("+...")
 * does not count. Some of upstream's thresholds look at the three numbers
 * alone; both orders are here, told apart by name.
 */
#ifndef MODEL_VERSION_H
#define MODEL_VERSION_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct version {
    unsigned major, minor, patch;
    const char *prerelease; /* inside the parsed text; not NUL-ended */
    size_t prerelease_length;
};

/* Reads three numbers with or without a leading "v". *version borrows from text. */
int version_parse(const char *text, struct version *version, struct error **err);

/* Below 0, 0, above 0, as strcmp. */
int version_compare(const struct version *a, const struct version *b);

/* Whether version is older than limit, a text that is known to be good. */
bool version_before(const struct version *version, const char *limit);

/* The same for the three numbers alone: v1.23.0-rc.1 is not before v1.23.0. */
bool version_core_before(const struct version *version, const char *limit);

#endif
