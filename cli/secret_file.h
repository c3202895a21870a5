/*
 * secret_file.h - a secret that stands in a file: a token, the key of a hook.
 *
 * The file is read anew when it is asked for and was not read for a second,
 * so that it can be replaced while the program runs. It must be a regular
 * file of root or of this user, which no other user can read: root's group
 * may (systemd gives credentials so). White space at its end does not count.
 * Secrets are compared in a time that does not tell how much of them fits.
 */
#ifndef CLI_SECRET_FILE_H
#define CLI_SECRET_FILE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_BYTES_MIN = 8, SECRET_BYTES_MAX = 4096 };

struct secret_file {
    const char *path; /* outlives it; NULL: there is no secret */
    char bytes[SECRET_BYTES_MAX + 1];
    size_t length; /* 0: it could not be read */
    uint64_t read_at_ms;
};

/* ERROR_INVALID says what is wrong with the file, and what to do. */
int secret_file_open(struct secret_file *secret, const char *path, uint64_t now_ms,
                     struct error **err);

/* Forgets the secret. */
void secret_file_close(struct secret_file *secret);

/* Reads it anew if that is due. False: there is none any more, so nothing fits. */
bool secret_file_fresh(struct secret_file *secret, uint64_t now_ms);

bool secret_equal(const void *a, size_t a_length, const void *b, size_t b_length);

#endif
