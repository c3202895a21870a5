/*
 * repo_confine.h - what the process that reads a repository gives up before it speaks to anybody.
 *
 * Limits of memory, processor time, file sizes and open files; no core dump, no
 * look into it from outside, no new rights, and an end with its parent. Files:
 * only those that it needs, where the kernel has Landlock (5.19 and later).
 */
#ifndef RECONCILER_REPO_CONFINE_H
#define RECONCILER_REPO_CONFINE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPO_PROCESSOR_S_MAX = 120, REPO_MEMORY_MIB_MAX = 1024 };

/* parent: who must be alive. file_bytes: how large a file it may write. */
int repo_confine_process(int parent, uint64_t file_bytes, struct error **err);

/* Was a file to become larger than that? */
bool repo_confine_met_limit(void);

/*
 * Writing is left below `writable` alone; reading there, in `readable` (count
 * paths, those that are NULL or absent are passed over) and in what names,
 * certificates and programs need.
 */
int repo_confine_files(const char *writable, const char *const *readable, size_t count,
                       struct error **err);

#endif
