/*
 * load.h - texts of sources to a fleet: parsing, defaults and validation.
 *
 * No I/O: who calls reads the bytes. All problems of all files are collected,
 * each with its place. Upstream reads only the first document of a file; here
 * every document counts, and an empty one (only comments) is skipped.
 */
#ifndef MODEL_LOAD_H
#define MODEL_LOAD_H

#include "base/arena.h"
#include "model/problem.h"
#include "model/spec.h"
#include <stdbool.h>

struct load_text {
    const char *file; /* as the user wrote it; "-" reads as "<stdin>" in places */
    const char *bytes;
    size_t length;
};

struct load_options {
    const char *base_folder;  /* absolute; what relative hostPaths are relative to */
    const char *cluster_name; /* --name or KIND_CLUSTER_NAME: replaces the file's; NULL: none */
    const char *image;        /* --image: replaces every node's; NULL: none */
    bool allow_empty;         /* a text without any document is fine: it wants no cluster */
};

/*
 * Reads all texts into *fleet, in the arena of problems. Returns -1 if there
 * was any error (then *fleet is not to be used), 0 otherwise, warnings or not.
 * A text without any document is an error that says so, unless allow_empty.
 */
int load_fleet(const struct load_text *texts, size_t text_count, const struct load_options *options,
               struct fleet_spec *fleet, struct problem_list *problems);

/* The cluster that upstream makes from no configuration at all: one control plane, defaults. */
int load_default(const struct load_options *options, struct fleet_spec *fleet,
                 struct problem_list *problems);

#endif
