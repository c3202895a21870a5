/*
 * spool.h - a long stream on its way through a file without a name, and out of it as a tar.
 *
 * For images: they are gigabytes, too much for memory. What is written comes
 * out as a tar of a folder and one file in it, as the engine's archive API
 * wants it. The file has no name, so that it goes with its descriptor, also
 * when the process dies.
 *
 * All calls are made from the loop. They copy to and from the page cache, in
 * pieces of at most 256 KiB, which takes less than a turn of the loop may;
 * a disk that cannot keep up is felt, but only as slowness.
 */
#ifndef DRIVERS_SPOOL_H
#define DRIVERS_SPOOL_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool {
    bool open;
    int fd;
    const char *folder;     /* where the file is: $TMPDIR, else /var/tmp */
    uint64_t length, limit; /* of what was written */
    uint64_t tar_length;    /* of the tar, once sealed */
    uint64_t read_at;       /* in the tar */
};

/* Opens an empty one. */
int spool_open(struct spool *spool, uint64_t limit_bytes, struct error **err);
void spool_close(struct spool *spool); /* one that is not open is fine */

/*
 * Appends. Fails with ERROR_UNAVAILABLE when the disk is full and says where
 * that is, with ERROR_INVALID past the limit.
 */
int spool_write(struct spool *spool, const char *bytes, size_t length, struct error **err);

/* Ends the writing; the tar will have "folder/" and "folder/file", root's alone. */
int spool_seal(struct spool *spool, const char *folder, const char *file, struct error **err);

/* Ends the writing of what is a tar already, which comes out as it is. */
int spool_seal_tar(struct spool *spool, struct error **err);

/* The next bytes of the tar, at most room; 0 at its end, and when it cannot be read. */
size_t spool_read(struct spool *spool, char *bytes, size_t room);

#endif
