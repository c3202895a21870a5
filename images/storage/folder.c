#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * DESIGN
 * Never deeper than one level: a folder in the volume has its files removed and
 * its own folders moved up beside itself, is then empty and goes. So neither
 * depth nor the number of open files matters, every step leaves less to do, and
 * a removal that was cut short goes on where it ended.
 *
 * A round goes once over the top; what is moved up waits for the next one.
 * Every round removes each folder that it finds, so there are as many as
 * levels; the limit is for what somebody makes faster than we remove.
 */
enum {
    ROUNDS_MAX = 100 * 1000,
    MOVE_NAMES_MAX = 1000 * 1000,
    NAME_SIZE = 32,
};

/* Opens a folder right in parent; a link or another file system is refused. */
static int open_within(int parent, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };
    long fd = syscall(SYS_openat2, parent, name, &how, sizeof(how));
    if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
        return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return (int)fd;
}

/* The stream owns fd, also when it cannot be had. */
static DIR *stream_of(int fd)
{
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    int saved = errno;
    if (!stream && fd >= 0)
        close(fd);
    errno = saved;
    return stream;
}

/* The next entry but "." and ".."; NULL at the end. */
static const struct dirent *next_entry(DIR *stream)
{
    const struct dirent *entry;
    do {
        entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe): the stream is this thread's */
    } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry;
}

/* Removes what is no folder, or an empty one. False with errno ENOTEMPTY if it has content. */
static bool remove_plain(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    /* Linux says EISDIR; POSIX would have EPERM. */
    if (errno != EISDIR && errno != EPERM)
        return false;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    if (errno == EEXIST)
        errno = ENOTEMPTY;
    if (errno == ENOTDIR) /* a file, so it was the first call that said why */
        errno = EPERM;
    return false;
}

/* Moves a folder up to the top, under a name that nothing has. */
static int move_up(int from, const char *name, int top, unsigned *counter)
{
    for (unsigned tries = 0; tries < MOVE_NAMES_MAX; tries++) {
        char moved[NAME_SIZE];
        snprintf(moved, sizeof(moved), ".removed-%u", (*counter)++);
        /* Onto an empty folder is as good. */
        if (renameat(from, name, top, moved) == 0)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return -1;
    }
    return -1;
}

/* Removes one entry of the top that has content. */
static int remove_nested(int top, const char *name, unsigned *counter)
{
    DIR *stream = stream_of(open_within(top, name));
    if (!stream)
        return errno == ENOENT ? 0 : -1;
    int failed = 0;
    const struct dirent *entry;
    while ((entry = next_entry(stream)) != NULL) {
        if (remove_plain(dirfd(stream), entry->d_name))
            continue;
        if (errno != ENOTEMPTY || move_up(dirfd(stream), entry->d_name, top, counter) < 0)
            failed = errno;
    }
    closedir(stream);
    if (!failed && unlinkat(top, name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY)
        failed = errno;
    errno = failed;
    return failed ? -1 : 0;
}

/* One round: 1 if something was there, 0 if not, -1 with errno set. */
static int sweep(int folder, unsigned *counter)
{
    DIR *stream = stream_of(open_within(folder, "."));
    if (!stream)
        return -1;
    int found = 0, failed = 0;
    const struct dirent *entry;
    while ((entry = next_entry(stream)) != NULL) {
        found = 1;
        if (remove_plain(folder, entry->d_name))
            continue;
        if (errno != ENOTEMPTY || remove_nested(folder, entry->d_name, counter) < 0)
            failed = errno;
    }
    closedir(stream);
    errno = failed;
    return failed ? -1 : found;
}

static int open_base(const char *base)
{
    return open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int folder_make(const char *base, const char *name)
{
    int parent = open_base(base);
    if (parent < 0)
        return -1;
    int folder = -1;
    if (mkdirat(parent, name, 0777) == 0 || errno == EEXIST)
        folder = open_within(parent, name);
    /* Whoever the pod runs as shall be able to write; the umask had its say in mkdirat. */
    int result = folder < 0 ? -1 : fchmod(folder, 0777);
    int saved = errno;
    if (folder >= 0)
        close(folder);
    close(parent);
    errno = saved;
    return result;
}

int folder_remove(const char *base, const char *name)
{
    int parent = open_base(base);
    if (parent < 0)
        return -1;
    int result = 0, folder = open_within(parent, name);
    if (folder >= 0) {
        unsigned counter = 0;
        int round = 0;
        do {
            result = sweep(folder, &counter);
        } while (result > 0 && ++round < ROUNDS_MAX);
        int saved = errno;
        close(folder);
        errno = saved;
        if (result >= 0)
            result = unlinkat(parent, name, AT_REMOVEDIR);
    } else if (errno != ENOENT) {
        result = -1;
    }
    int saved = errno;
    close(parent);
    errno = saved;
    return result < 0 ? -1 : 0;
}
