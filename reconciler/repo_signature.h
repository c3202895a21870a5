/*
 * repo_signature.h - is a commit signed by one of those whom the host's owner trusts?
 *
 * By OpenSSH's allowed signers (ssh-keygen -Y) or an OpenPGP keyring (gpgv), as
 * the file is. Who runs them is the confined process.
 */
#ifndef RECONCILER_REPO_SIGNATURE_H
#define RECONCILER_REPO_SIGNATURE_H

#include "reconciler/repo_mirror.h"

/*
 * ERROR_INVALID: unsigned, or signed by nobody who is trusted. *signer, in the
 * job's arena, is who it was: a principal, or the name on the key.
 */
int repo_signature_check(struct repo_mirror *mirror, const git_oid *commit, const char **signer,
                         struct error **err);

#endif
