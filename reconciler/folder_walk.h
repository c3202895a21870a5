/*
 * folder_walk.h - which folders are to be watched for a path: the ways to it, and the tree below
 * it.
 *
 * Each folder is watched before it is read, so that an entry is either met here or told by an
 * event.
 */
#ifndef RECONCILER_FOLDER_WALK_H
#define RECONCILER_FOLDER_WALK_H

#include "reconciler/folder_set.h"

/*
 * Adds to the set what tells of any change at path: every folder on the way to it, every symbolic
 * link on that way, the nearest folder that exists if it does not, and its tree.
 */
void folder_walk_path(struct folder_set *set, const char *path);

/* The same for a folder, found at this depth of a tree. */
void folder_walk_tree(struct folder_set *set, const char *path, unsigned depth);

/* True for names that are nobody's desired state: hidden ones, and those that editors make. */
bool folder_walk_passes_over(const char *name);

#endif
