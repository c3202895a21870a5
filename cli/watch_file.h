/*
 * watch_file.h - what a running watcher says of itself, in a file beside the fleet's lock.
 *
 * For `kind status`, and nobody decides by it. For this user alone, replaced as
 * a whole whenever something changes. Where it cannot be written there is none.
 * A file of a process that is gone says nothing.
 */
#ifndef CLI_WATCH_FILE_H
#define CLI_WATCH_FILE_H

#include "base/arena.h"
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

/* One source of desired state. */
struct watched_source {
    const char *kind, *where;     /* "folder", "lab/" */
    const char *revision;         /* in force; NULL: none yet */
    const char *author, *subject; /* of that; NULL: not known */
    const char *signer;           /* who signed it, where that was checked; NULL */
    const char *pending;          /* a newer one that is refused; NULL */
    const char *problem;          /* why, or why it cannot be read; NULL: nothing is wrong */
    uint64_t changed_at_s;        /* Unix time: since when the revision is in force; 0: never */
    uint64_t refused_at_s;        /* since when there is that problem; 0: there is none */
    uint64_t revised_at_s;        /* when its author made it; 0: not known */
    uint64_t next_at_s;           /* when it is looked at next by itself; 0: not known */
};

struct watched {
    long pid;
    const char *command; /* as it was typed */
    uint64_t since_s;
    bool engine_there;
    const char *engine_problem; /* NULL where there is none */
    const char *kubeconfigs; /* the folder of its clusters' kubeconfigs; NULL: it uses the user's */
    struct watched_source source;
    struct watched_source policy; /* the file of --policy, told as a source; kind NULL: none */
};

/* 0, or -1 and *err: the caller may say so once, and goes on. */
int watch_file_write(const char *engine, const char *fleet, const struct watched *watched,
                     struct error **err);
void watch_file_remove(const char *engine, const char *fleet);

/* False: nobody watches this fleet, as far as can be seen here. Strings are in the arena. */
bool watch_file_read(struct arena *arena, const char *engine, const char *fleet,
                     struct watched *watched);

#endif
