/*
 * folder_set.h - the inotify watches of a folder watch, and what each is held for.
 *
 * A set is built by looks: folder_set_begin, folder_set_add for all that is to be watched, and
 * folder_set_end, which gives up what this look did not ask for. The kernel knows a folder by its
 * inode and gives the same number for one that is watched already, so that a look costs a call a
 * folder, and nothing that happens between two looks is lost.
 *
 * Paths are absolute and without symbolic links but for what happens meanwhile, which is seen at
 * the next look: `moved` asks for one.
 */
#ifndef RECONCILER_FOLDER_SET_H
#define RECONCILER_FOLDER_SET_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wanted to be known of a folder. */
enum folder_interest {
    FOLDER_SELF,    /* that it is moved, deleted, unmounted: a folder on the way to a path */
    FOLDER_NAME,    /* what happens to one entry, by name */
    FOLDER_ENTRIES, /* what happens to all that is not passed over */
};

enum folder_added {
    FOLDER_ADDED,   /* from now on, events tell */
    FOLDER_KNOWN,   /* this look has asked for it already */
    FOLDER_MISSING, /* not a folder, or not to be read */
    FOLDER_REFUSED, /* a limit; `problem` says which */
};

/* One watched folder. Valid until something is added or dropped. */
struct folder {
    int wd;                   /* the kernel's number, never used twice */
    uint32_t asked, wanted;   /* masks: of the kernel, and of this look */
    unsigned look, depth;     /* of the last look that wanted it; how deep in its tree */
    bool entries, every_name; /* every_name: too many to list */
    char **names;             /* of FOLDER_NAME */
    size_t name_count;
    char *path;
};

struct folder_set {
    int fd;               /* inotify's; not blocking */
    struct folder *items; /* sorted by wd */
    size_t count, capacity;
    unsigned look;
    bool moved;            /* a folder was another one a moment later: look again */
    struct error *problem; /* of this look, the first; owned */
};

int folder_set_open(struct folder_set *set, struct error **err);
void folder_set_done(struct folder_set *set); /* also closes fd */

void folder_set_begin(struct folder_set *set);
void folder_set_end(struct folder_set *set);

/* name: of FOLDER_NAME. depth: of FOLDER_ENTRIES. */
enum folder_added folder_set_add(struct folder_set *set, const char *path,
                                 enum folder_interest interest, const char *name, unsigned depth);

const struct folder *folder_set_find(const struct folder_set *set, int wd);
bool folder_has_name(const struct folder *folder, const char *name);

/* The kernel has given it up (IN_IGNORED). */
void folder_set_drop(struct folder_set *set, int wd);

#endif
