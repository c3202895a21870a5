/*
 * repo_job.h - one fetch, inside the process that carries it out: what is wanted, and how it is
 * told.
 *
 * The files repo_worker.c, repo_mirror.c, repo_remote.c, repo_tree.c and
 * repo_signature.c share it; the parent knows none of them.
 */
#ifndef RECONCILER_REPO_JOB_H
#define RECONCILER_REPO_JOB_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "reconciler/repo_message.h"
#include "reconciler/repo_source.h"
#include "reconciler/repo_url.h"

struct repo_job {
    struct arena *arena;
    struct repo_options options; /* complete: limits filled in */
    struct repo_url url;
    const char *known; /* the commit in force; NULL: none */
    uint64_t patience_ms;
    const char *token; /* NULL: none */
    const char *key;   /* the private key's text; NULL: none */
    int out;
};

/* Writes all of it to the parent, who may take its time. */
void repo_job_send(const struct repo_job *job, const struct text *records);

/* Says what is being done now; the last is told when the fetch had to be killed. */
void repo_job_stage(const struct repo_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
