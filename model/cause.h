/*
 * cause.h - the catalogue of known causes: from evidence to what it means and what helps.
 *
 * Causes are rows of a table (cause_table.c), the more certain and the more
 * special ones first. A row has patterns; one line of evidence that fits any
 * of them, in a source where the row looks, is a finding.
 */
#ifndef MODEL_CAUSE_H
#define MODEL_CAUSE_H

#include "base/arena.h"
#include "model/evidence.h"
#include <stdbool.h>
#include <stddef.h>

enum { CAUSE_PATTERNS_MAX = 8, FINDINGS_MAX = 3 };

struct cause {
    const char *id; /* "inotify-instances": for machines; never changed */
    unsigned where; /* bits 1 << enum evidence_source */
    bool phase;     /* says only which wait was in vain: of use where nothing better is known */
    const char *patterns[CAUSE_PATTERNS_MAX]; /* '*' is anything; no regard to case */
    const char *except;                       /* a line with this in it is another's; may be NULL */
    const char *words;                        /* "the host's inotify instances are used up" */
    const char *cure; /* a command, or what to change; {node}, {cluster} are filled in */
};

/* The catalogue; ended by a row without an id. */
extern const struct cause causes[];

struct finding {
    const char *id, *words, *cure;
    enum evidence_source source;
    const char *subject; /* where the line is from: node; "" */
    const char *line;    /* of evidence */
};

struct findings {
    struct finding items[FINDINGS_MAX]; /* the first is held to be the cause */
    size_t count;
};

/*
 * What the evidence shows, in the order of the catalogue. node is the action's
 * subject, for the words of cures.
 */
void causes_find(struct arena *arena, const struct evidence *evidence, const char *cluster,
                 const char *node, struct findings *findings);

/* Does the pattern fit somewhere in the line? */
bool cause_fits(const char *pattern, const char *line);

#endif
