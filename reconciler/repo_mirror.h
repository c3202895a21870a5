/*
 * repo_mirror.h - the bare copy of a repository in the cache, one a URL.
 *
 * A copy gets its name when it is whole: until then it is NAME.new, which
 * nobody reads and the next fetch throws away. A lock (NAME.lock) is held from
 * opening to closing, and ends with the process. What a killed fetch left in
 * the copy is swept. A damaged copy is set aside as NAME.damaged, the last one
 * alone.
 */
#ifndef RECONCILER_REPO_MIRROR_H
#define RECONCILER_REPO_MIRROR_H

#include "reconciler/repo_job.h"
#include <git2.h>

struct repo_mirror {
    struct repo_job *job;
    char *folder, *fresh; /* whole; being made */
    int lock;             /* -1: none */
    git_repository *repository;
    bool is_fresh; /* repository is the one being made */
    bool damaged;  /* what was read from it makes no sense */
    const char *note;
};

/* The folder that holds all copies and what belongs to them: made, and checked to be ours. */
int repo_mirror_prepare(struct repo_mirror *mirror, struct repo_job *job, struct error **err);

/* Takes the lock, and opens the copy or begins one. */
int repo_mirror_open(struct repo_mirror *mirror, struct error **err);

/* Begins one anew; the damaged one is set aside. Not twice. */
int repo_mirror_renew(struct repo_mirror *mirror, struct error **err);

/* What was begun is whole, and takes its place. */
int repo_mirror_settle(struct repo_mirror *mirror, struct error **err);

void repo_mirror_close(struct repo_mirror *mirror);

/* The folder of all copies, in the arena: $XDG_CACHE_HOME/kind/git and so on. */
const char *repo_mirror_cache(struct arena *arena, const char *given, struct error **err);

#endif
