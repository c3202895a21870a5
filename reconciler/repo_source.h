/*
 * repo_source.h - desired state from a git repository, at a ref and a path.
 *
 * One fetch is one child process: libgit2 knows no time-outs and parses what
 * strangers send, so it only ever runs where it can be killed and can do
 * little harm (repo_worker.h). It keeps a bare mirror in the cache, asks the
 * server what the ref names, fetches on change, and reads blobs from the
 * tree: nothing is ever checked out. A commit that cannot be used, or is not
 * signed as it should be, is told with the reason; the caller keeps what it
 * has.
 */
#ifndef RECONCILER_REPO_SOURCE_H
#define RECONCILER_REPO_SOURCE_H

#include "base/arena.h"
#include "base/error.h"
#include "reconciler/source.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* What one fetch may cost; 0 means what stands here. */
struct repo_limits {
    uint64_t transfer_bytes; /* received from the server: 256 MiB */
    uint64_t total_bytes;    /* of all texts: 32 MiB */
    uint32_t entries;        /* looked at in trees: 20000 */
    uint32_t stall_ms;       /* without any progress: 30 s */
};

/* Strings are the caller's until the fetch has ended. NULL: not given. */
struct repo_options {
    const char
        *url; /* file:///srv/lab.git, /srv/lab.git, https://, http://, ssh://, git@host:path */
    const char
        *ref; /* branch, tag, full ref, or all 40 digits of a commit; NULL: the server's HEAD */
    const char *path; /* folder or file inside; NULL: all of it */
    const char
        *cache; /* absolute; NULL: $XDG_CACHE_HOME/kind, ~/.cache/kind, /var/cache/kind of root */
    const char *ca_file;     /* certificates to trust instead of the system's */
    const char *token_file;  /* sent as password over http; readable by its owner alone */
    const char *ssh_key;     /* NULL: ~/.ssh/id_ed25519 */
    const char *known_hosts; /* NULL: ~/.ssh/known_hosts */
    const char *verify_keys; /* OpenSSH's allowed signers, or an OpenPGP keyring */
    bool allow_empty;        /* a path without any YAML file is fine */
    struct repo_limits limits;
};

struct repo_revision {
    const char *commit;           /* 40 digits */
    const char *author, *subject; /* one printable line each */
    int64_t committed_at;         /* seconds since 1970; as its author says */
    bool verified;                /* signed by one of verify_keys */
    const char *signer;           /* who; NULL unless verified */
};

/* A file that one of the texts names, or why it cannot be had. */
struct repo_file {
    struct load_text text; /* .file is its path in the repository */
    const char *problem;   /* NULL: it was read */
};

struct repo_result {
    struct repo_revision revision;
    bool unchanged;            /* it is known_commit; there are no texts */
    bool rewritten;            /* known_commit is not among its ancestors: history was replaced */
    const char *note;          /* worth saying once, or NULL: "the mirror was damaged; ..." */
    struct source_texts texts; /* .file is the path in the repository: "lab/ci.yaml" */
    struct repo_file *files;   /* for repo_read_beside */
    size_t file_count;
};

/*
 * Called once, from the loop, never before repo_fetch_begin has returned.
 * failure (the callee's to free) NULL: result holds all that was asked for, in
 * the arena. With a failure, result is NULL, or tells which revision it is
 * that cannot be used: its revision alone counts then.
 */
typedef void repo_ended(void *context, const struct repo_result *result, struct error *failure);

struct repo_fetch;

/*
 * Begins a fetch; whatever happens, it ends within deadline_ms (and a moment).
 * With known_commit, a ref that still names it ends as unchanged and costs one
 * question to the server.
 */
struct repo_fetch *repo_fetch_begin(uv_loop_t *loop, const struct repo_options *options,
                                    const char *known_commit, uint32_t deadline_ms,
                                    struct arena *arena, repo_ended *ended, void *context);

/* Kills it; it ends with ERROR_CANCELED. Not after it has ended. */
void repo_fetch_cancel(struct repo_fetch *fetch);

/*
 * A load_reader (model/load.h) whose context is a const struct repo_result *:
 * files of the same commit, which no path leaves.
 */
int repo_read_beside(void *context, struct arena *arena, const char *base, const char *path,
                     struct load_text *text, struct error **err);

/* Where `path`, named by the file `base` of a repository, is in it; NULL: outside. In the arena. */
const char *repo_path_beside(struct arena *arena, const char *base, const char *path);

#endif
