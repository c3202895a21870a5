/*
 * repo_secret.h - tokens and private keys, read from files that nobody else can read.
 */
#ifndef RECONCILER_REPO_SECRET_H
#define RECONCILER_REPO_SECRET_H

#include "base/arena.h"
#include "base/error.h"

enum { REPO_SECRET_BYTES_MAX = 16 * 1024 };

/* One line, without what stands around it, in the arena. what: "--git-token-file", for errors. */
int repo_secret_read_token(struct arena *arena, const char *what, const char *file,
                           const char **token, struct error **err);

/*
 * A private key that can be used here. RSA keys are refused: the SSH library
 * signs with them in a way that servers do not take any more. So are those
 * behind a passphrase, for which nobody is there.
 */
int repo_secret_read_key(struct arena *arena, const char *what, const char *file, const char **key,
                         struct error **err);

/* Why a private key of this text cannot be used, or NULL. Pure. */
const char *repo_secret_judge_key(struct arena *arena, const char *text);

/* A file that need not be secret, of at most limit bytes, in the arena. */
int repo_secret_read_public(struct arena *arena, const char *what, const char *file, size_t limit,
                            const char **text, struct error **err);

#endif
