/*
 * load.h - texts of sources to a fleet: parsing, defaults and validation.
 *
 * No I/O: who calls reads the bytes. All problems of all files are collected,
 * each with its place. Upstream reads only the first document of a file; here
 * every document counts, and an empty one (only comments) is skipped. A Fleet
 * among them counts for all fleet.kind clusters, wherever it stands. Files that
 * a cluster names are asked for by a callback.
 */
#ifndef MODEL_LOAD_H
#define MODEL_LOAD_H

#include "base/arena.h"
#include "base/error.h"
#include "model/problem.h"
#include "model/spec.h"
#include <stdbool.h>

struct load_text {
    const char *file; /* as the user wrote it; "-" reads as "<stdin>" in places */
    const char *bytes;
    size_t length;
};

/*
 * Reads a file that another one names, into the arena: `base` is the file that
 * names it, as in places ("<stdin>": the working directory counts). text->file
 * is how to call it in problems.
 */
typedef int load_reader(void *context, struct arena *arena, const char *base, const char *path,
                        struct load_text *text, struct error **err);

struct load_options {
    const char *base_folder;  /* absolute: of relative files, and of v1alpha4's host paths */
    const char *cluster_name; /* --name or KIND_CLUSTER_NAME: replaces the file's; NULL: none */
    const char *image;        /* --image: replaces every node's; NULL: none */
    bool no_host_folder;      /* host paths must be absolute: the texts come from elsewhere */
    bool allow_empty;         /* a text without any document is fine: it wants no cluster */
    load_reader *read_file;   /* NULL: a file that names another one is refused */
    void *read_context;
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
