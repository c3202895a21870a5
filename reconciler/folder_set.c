#include "reconciler/folder_set.h"

#include "base/memory.h"
#include "reconciler/folder_watch.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { NAMES_MAX = 32 };

static const uint32_t self_mask = IN_DELETE_SELF | IN_MOVE_SELF;
static const uint32_t entry_mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                   IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
static const uint32_t manner = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

/* A number of /proc/sys, or 0 if it is not to be had. */
static long read_limit(const char *path)
{
    long limit = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    char line[32] = "";
    if (fgets(line, sizeof(line), file))
        limit = strtol(line, NULL, 10);
    fclose(file);
    return limit;
}

int folder_set_open(struct folder_set *set, struct error **err)
{
    *set = (struct folder_set){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (set->fd >= 0)
        return 0;
    if (errno == EMFILE)
        return error_set(err, ERROR_UNAVAILABLE,
                         "watch folders: no inotify instance is left to this user "
                         "(fs.inotify.max_user_instances is %ld), or no file descriptor to this "
                         "process; raise the limit: sysctl -w fs.inotify.max_user_instances=1024",
                         read_limit("/proc/sys/fs/inotify/max_user_instances"));
    return error_set(err, ERROR_UNAVAILABLE, "watch folders: inotify_init1: %s", strerror(errno));
}

static void forget_names(struct folder *folder)
{
    for (size_t i = 0; i < folder->name_count; i++)
        free(folder->names[i]);
    free(folder->names);
    folder->names = NULL;
    folder->name_count = 0;
}

static void folder_done(struct folder *folder)
{
    forget_names(folder);
    free(folder->path);
}

void folder_set_done(struct folder_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        folder_done(&set->items[i]);
    free(set->items);
    error_free(set->problem);
    if (set->fd >= 0)
        close(set->fd);
    *set = (struct folder_set){.fd = -1};
}

void folder_set_begin(struct folder_set *set)
{
    set->look++;
    set->moved = false;
    error_free(set->problem);
    set->problem = NULL;
}

/* Where the watch of this number is, or belongs. */
static size_t place_of(const struct folder_set *set, int wd)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->items[middle].wd < wd)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct folder *folder_set_find(const struct folder_set *set, int wd)
{
    size_t at = place_of(set, wd);
    return at < set->count && set->items[at].wd == wd ? &set->items[at] : NULL;
}

bool folder_has_name(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->name_count; i++)
        if (strcmp(folder->names[i], name) == 0)
            return true;
    return folder->every_name;
}

/* The watch of this number, new if there is none. */
static struct folder *hold(struct folder_set *set, int wd)
{
    size_t at = place_of(set, wd);
    if (at < set->count && set->items[at].wd == wd)
        return &set->items[at];
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 16;
        set->items = memory_resize(set->items, set->capacity, sizeof(*set->items));
    }
    memmove(&set->items[at + 1], &set->items[at], (set->count - at) * sizeof(*set->items));
    set->count++;
    set->items[at] = (struct folder){.wd = wd};
    return &set->items[at];
}

/* Keeps the first problem of a look: those that follow from it would hide it. */
static enum folder_added refuse(struct folder_set *set, const char *path, int reason)
{
    if (set->problem)
        return FOLDER_REFUSED;
    if (reason == ENOSPC)
        error_set(&set->problem, ERROR_UNAVAILABLE,
                  "%s: not watched: this user's inotify watches are used up "
                  "(fs.inotify.max_user_watches is %ld); raise the limit: sysctl -w "
                  "fs.inotify.max_user_watches=524288",
                  path, read_limit("/proc/sys/fs/inotify/max_user_watches"));
    else if (reason == E2BIG)
        error_set(&set->problem, ERROR_UNAVAILABLE,
                  "%s: not watched: more than %d folders; name fewer", path,
                  FOLDER_WATCH_FOLDERS_MAX);
    else
        error_set(&set->problem, ERROR_UNAVAILABLE, "%s: not watched: %s", path, strerror(reason));
    return FOLDER_REFUSED;
}

static void add_name(struct folder *folder, const char *name)
{
    if (folder_has_name(folder, name))
        return;
    if (folder->name_count == NAMES_MAX) {
        forget_names(folder);
        folder->every_name = true;
        return;
    }
    folder->names = memory_resize(folder->names, folder->name_count + 1, sizeof(*folder->names));
    folder->names[folder->name_count++] = memory_string(name);
}

/* Makes it one of this look, held for nothing yet. */
static void renew(struct folder_set *set, struct folder *folder, const char *path)
{
    if (folder->look == set->look)
        return;
    forget_names(folder);
    free(folder->path);
    folder->path = memory_string(path);
    folder->look = set->look;
    folder->wanted = 0;
    folder->entries = folder->every_name = false;
}

enum folder_added folder_set_add(struct folder_set *set, const char *path,
                                 enum folder_interest interest, const char *name, unsigned depth)
{
    const uint32_t mask = interest == FOLDER_SELF ? self_mask : entry_mask;
    int wd = inotify_add_watch(set->fd, path, mask | manner | IN_MASK_ADD);
    if (wd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP))
        return FOLDER_MISSING;
    if (wd < 0)
        return refuse(set, path, errno);
    if (set->count >= FOLDER_WATCH_FOLDERS_MAX && !folder_set_find(set, wd)) {
        (void)inotify_rm_watch(set->fd, wd);
        return refuse(set, path, E2BIG);
    }
    struct folder *folder = hold(set, wd);
    renew(set, folder, path);
    folder->asked |= mask;
    folder->wanted |= mask;
    if (interest == FOLDER_NAME)
        add_name(folder, name);
    if (interest != FOLDER_ENTRIES)
        return FOLDER_ADDED;
    if (folder->entries)
        return FOLDER_KNOWN;
    folder->entries = true;
    folder->depth = depth;
    return FOLDER_ADDED;
}

/* The kernel need not tell any more what only earlier looks wanted. */
static void narrow(struct folder_set *set, struct folder *folder)
{
    if (folder->asked == folder->wanted)
        return;
    int wd = inotify_add_watch(set->fd, folder->path, folder->wanted | manner);
    if (wd != folder->wd)
        set->moved = true;
    if (wd >= 0 && wd != folder->wd)
        (void)inotify_rm_watch(set->fd,
                               wd); /* another folder stands there; the next look adds it */
    folder->asked = folder->wanted;
}

void folder_set_end(struct folder_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct folder folder = set->items[i];
        if (folder.look == set->look) {
            narrow(set, &folder);
            set->items[kept++] = folder;
        } else {
            (void)inotify_rm_watch(set->fd, folder.wd); /* gone with its folder, perhaps */
            folder_done(&folder);
        }
    }
    set->count = kept;
}

void folder_set_drop(struct folder_set *set, int wd)
{
    size_t at = place_of(set, wd);
    if (at == set->count || set->items[at].wd != wd)
        return;
    folder_done(&set->items[at]);
    set->count--;
    memmove(&set->items[at], &set->items[at + 1], (set->count - at) * sizeof(*set->items));
}
