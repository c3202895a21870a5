/*
 * real_path.h - where a path of this host leads.
 *
 * Looks at the file system: what it says is true only for now, and is to be asked again right
 * before it counts.
 */
#ifndef BASE_REAL_PATH_H
#define BASE_REAL_PATH_H

#include "base/arena.h"

/*
 * An absolute path with all its symbolic links followed, in the arena. What is not there yet stays
 * as it is written, below the nearest folder that is. NULL: it cannot be told, since a link leads
 * nowhere or in a circle, or a folder on the way may not be entered.
 */
const char *real_path(struct arena *arena, const char *path);

#endif
