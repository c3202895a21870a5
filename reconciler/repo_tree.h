/*
 * repo_tree.h - texts out of a commit: read from its tree, never checked out.
 *
 * No work tree means no links that are followed, no filters and no hooks. What
 * a folder source would read is read: *.yaml and *.yml below the path, without
 * hidden ones. Links and submodules below it are errors.
 */
#ifndef RECONCILER_REPO_TREE_H
#define RECONCILER_REPO_TREE_H

#include "reconciler/repo_mirror.h"

struct repo_tree {
    struct repo_mirror *mirror;
    git_commit *commit;
    git_tree *root;
    struct source_texts texts;
    uint64_t total_bytes;
    uint32_t entries;
};

int repo_tree_open(struct repo_tree *tree, struct repo_mirror *mirror, const git_oid *commit,
                   struct error **err);
void repo_tree_close(struct repo_tree *tree);

/* All texts of options.path, into tree->texts. */
int repo_tree_read(struct repo_tree *tree, struct error **err);

/* One file, by its path in the repository. */
int repo_tree_read_file(struct repo_tree *tree, const char *path, struct load_text *text,
                        struct error **err);

#endif
