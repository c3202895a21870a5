/*
 * repo_remote.h - the server's side of a fetch: connecting, what the ref names, receiving.
 *
 * Who answers must prove to be who was meant: certificates by the authorities,
 * SSH hosts by known_hosts alone. What libgit2 says went wrong is put into words
 * here.
 */
#ifndef RECONCILER_REPO_REMOTE_H
#define RECONCILER_REPO_REMOTE_H

#include "reconciler/known_hosts.h"
#include "reconciler/repo_mirror.h"

struct repo_remote {
    struct repo_job *job;
    struct repo_mirror *mirror;
    git_remote *remote;
    struct known_keys hosts;
    unsigned attempts;     /* how often credentials were asked for */
    struct error *problem; /* what a callback found: it knows better than libgit2 */
    uint64_t told_at_ms;
};

/* What the ref names there. */
struct repo_tip {
    const char *ref; /* its full name; NULL: a commit that is named by its digits */
    git_oid object;  /* a commit, or a tag that leads to one */
    git_oid commit;  /* the same, or what the server says that the tag leads to */
};

void repo_remote_init(struct repo_remote *remote, struct repo_mirror *mirror,
                      const struct known_keys *hosts);
void repo_remote_done(struct repo_remote *remote);

int repo_remote_connect(struct repo_remote *remote, struct error **err);

/* Asks the server. A commit named by its digits is not asked for. */
int repo_remote_look(struct repo_remote *remote, struct repo_tip *tip, struct error **err);

/* Receives what the mirror lacks of it, and notes it there under refs/mirror/. */
int repo_remote_fetch(struct repo_remote *remote, const struct repo_tip *tip, struct error **err);

/* Is `ref` all the digits of a commit? */
bool repo_is_commit(const char *ref);

/* libgit2's last error in words: "doing: ...". Returns -1. */
int repo_failure(const struct repo_job *job, const char *doing, struct error **err);

/* The same of the mirror alone, which is marked as damaged where it seems to be. */
int repo_mirror_failure(struct repo_mirror *mirror, const char *doing, struct error **err);

#endif
