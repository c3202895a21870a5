/*
 * marks.h - what is known of a cluster's life by itself, whatever the sources say today.
 *
 * Some wishes must hold when the file that had them is gone (protect, ttl),
 * and some were never in a file (kind stop, kind suspend). They stand in the
 * target of the link beside the record, see facet.h, behind the digest and a
 * plus sign each:
 *
 *   sha256-5f3a...+protect+ttl-259200       none+suspended   (no record yet)
 *   sha256-5f3a...+owner-lab
 *
 * An engine tells a link's target by a mere look, of a stopped container too.
 */
#ifndef MODEL_MARKS_H
#define MODEL_MARKS_H

#include "base/arena.h"
#include "model/spec.h"
#include <stdbool.h>
#include <stdint.h>

enum { MARKS_TARGET_MAX = 512 }; /* bytes of a link's target that are read */

struct marks {
    /* What the source said that was applied last. */
    bool protect, allow_delete;
    uint64_t ttl_s, expires_at_s; /* 0: none */
    /* What was asked for by hand. */
    bool suspended, stopped;
    /*
     * The fleet that adopted the cluster, or NULL: its containers without our
     * owner label, which another tool made, are that fleet's.
     */
    const char *owner;
    /* The first word that is not known, or NULL: of a later version, so nobody may act on it. */
    const char *unknown;
};

/* Those that a source asks for; what was asked for by hand stays as it is in `marks`. */
void marks_take(struct marks *marks, const struct cluster_spec *spec);

/* Does the source ask for what is marked already? */
bool marks_agree(const struct marks *marks, const struct cluster_spec *spec);

/* May a fleet of this name be told as owner? Only of letters, digits, '.', '_' and '-'. */
bool marks_can_name(const char *fleet);

/* The link's target. digest NULL: there is no record. */
const char *marks_print(struct arena *arena, const char *digest, const struct marks *marks);

/*
 * Reads a link's target, which may be any text. Returns the digest, in the
 * arena, or NULL if it has none.
 */
const char *marks_parse(struct arena *arena, const char *target, struct marks *marks);

#endif
