/*
 * archive.h - small files into and out of tar streams, as the engine's archive API wants them.
 *
 * libarchive is used here and nowhere else. Nothing is ever extracted to disk.
 */
#ifndef DRIVERS_ARCHIVE_H
#define DRIVERS_ARCHIVE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include <stddef.h>

struct archive_file {
    const char *path;  /* in the archive, without a leading "/" or "./" */
    const char *bytes; /* NULL for a directory, which must end in '/', and for a link */
    size_t length;
    unsigned mode;    /* 0600 */
    const char *link; /* target of a symbolic link, or NULL */
};

struct archive_files {
    struct archive_file *items; /* sorted by path */
    size_t count;
};

/*
 * Adds a tar (pax restricted) of the files to the text; owner 0:0, time 0, parent
 * folders are not made up. After a failure the text holds a part of it.
 */
int archive_pack(const struct archive_file *files, size_t count, struct text *tar,
                 struct error **err);

/*
 * Regular files, directories and symbolic links of a tar, in the arena; hard
 * links and devices are skipped. Of entries with one path the last counts. Limits: 10,000 entries,
 * file_bytes_max for each file (longer ones are listed with bytes NULL and
 * their length; so are sparse files that hold more than the tar).
 */
int archive_unpack(struct arena *arena, const char *tar, size_t length, size_t file_bytes_max,
                   struct archive_files *files, struct error **err);

/* The file of this path, or NULL. */
const struct archive_file *archive_find(const struct archive_files *files, const char *path);

#endif
