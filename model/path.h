/*
 * path.h - paths as texts: made absolute, cut, joined. No file is looked at.
 */
#ifndef MODEL_PATH_H
#define MODEL_PATH_H

#include "base/arena.h"

/* path made absolute against base, an absolute one; without ".", ".." and doubled slashes. */
const char *path_absolute(struct arena *arena, const char *base, const char *path);

/* The folder of a file, as it would be written: "lab" of "lab/ci.yaml", "." of "ci.yaml". */
const char *path_folder(struct arena *arena, const char *file);

#endif
