/*
 * source.h - where desired state is read from: files, folders, standard input.
 *
 * A folder stands for all its *.yaml and *.yml files, below it too, sorted by
 * path, without hidden ones. All I/O of sources is here; what the texts mean
 * is model/load.h's, which asks for the files that they name. A file that is named twice is read
 * once. A source that cannot be read whole is an error for the whole set: nothing is pruned because
 * of half a folder.
 */
#ifndef RECONCILER_SOURCE_H
#define RECONCILER_SOURCE_H

#include "base/arena.h"
#include "base/error.h"
#include "model/load.h"
#include <stdbool.h>
#include <stddef.h>

enum {
    SOURCE_FILE_BYTES_MAX = 1024 * 1024,
    SOURCE_FILES_MAX = 10000,
    SOURCE_DEPTH_MAX = 32,
};

struct source_texts {
    struct load_text *items; /* in the arena, with their bytes */
    size_t count;
};

/*
 * Reads all of paths ("-" is standard input) into texts, in arena. An error
 * (ERROR_INVALID) names the path and what to do. A folder without any YAML
 * file is an error unless allow_empty.
 */
int source_read(struct arena *arena, const char *const *paths, size_t path_count, bool allow_empty,
                struct source_texts *texts, struct error **err);

/*
 * A load_reader (model/load.h): one regular file, at most SOURCE_FILE_BYTES_MAX,
 * relative to the folder of the file that names it. The context is not used.
 */
int source_read_beside(void *context, struct arena *arena, const char *base, const char *path,
                       struct load_text *text, struct error **err);

#endif
