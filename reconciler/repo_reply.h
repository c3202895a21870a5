/*
 * repo_reply.h - what the process that reads a repository has found out, out of its records. Pure.
 *
 * It is foreign input: who made it had to do with strangers. All of it must be
 * as we would have sent it, or none of it counts; what is to be printed is
 * made printable.
 */
#ifndef RECONCILER_REPO_REPLY_H
#define RECONCILER_REPO_REPLY_H

#include "reconciler/repo_source.h"

/*
 * Reads a reply that has come whole, into *result, in the arena, or into
 * *failure (the caller frees), or both: which commit cannot be used. False: it
 * makes no sense, and neither counts (*failure may be set all the same).
 */
bool repo_reply_read(struct arena *arena, const char *bytes, size_t length, size_t limit,
                     struct repo_result *result, struct error **failure);

#endif
