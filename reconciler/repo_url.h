/*
 * repo_url.h - where a repository is, from what a user wrote. Pure.
 */
#ifndef RECONCILER_REPO_URL_H
#define RECONCILER_REPO_URL_H

#include "base/arena.h"
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

enum repo_scheme { REPO_LOCAL, REPO_HTTP, REPO_HTTPS, REPO_SSH };

struct repo_url {
    enum repo_scheme scheme;
    const char *text;  /* for libgit2: a path if local */
    const char *shown; /* for messages: without what could be a secret */
    const char *user;  /* NULL: not given */
    const char *host;  /* "git.lab", "::1"; NULL if local */
    uint16_t port;     /* 0: the scheme's own */
};

/*
 * Reads it into *url, in the arena. Paths are made absolute against folder.
 * ERROR_INVALID says what can be written instead.
 */
int repo_url_read(struct arena *arena, const char *written, const char *folder,
                  struct repo_url *url, struct error **err);

/* Does what is sent there stay on this machine: "localhost", 127.0.0.0/8, ::1? */
bool repo_url_is_loopback(const struct repo_url *url);

#endif
