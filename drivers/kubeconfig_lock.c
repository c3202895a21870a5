#include "drivers/kubeconfig_lock.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOCK_TIMEOUT_MS = 5000, /* kubectl holds its lock for some milliseconds */
    LOCK_POLL_MS = 50,
    LOCK_STALE_S = 60, /* nobody writes for so long: the one who locked is gone */
};

/* What our lock files begin with. */
static const char mark[] = "held by kind, process ";

static uint64_t now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The lock's age in seconds; 0 if it went away, or the clock was put back. */
static uint64_t lock_age_s(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return 0;
    uint64_t now_s = now_ms(CLOCK_REALTIME) / 1000, then_s = (uint64_t)status.st_mtime;
    return now_s > then_s ? now_s - then_s : 0;
}

static int locked_error(const char *path, uint64_t waited_ms, struct error **err)
{
    uint64_t age_s = lock_age_s(path);
    if (age_s < LOCK_STALE_S)
        return error_set(err, ERROR_TIMEOUT, "%s: locked by another program for %.1f s", path,
                         (double)waited_ms / 1000);
    return error_set(err, ERROR_TIMEOUT,
                     "%s: left behind %llu s ago, it seems; if no kubectl or kind is at work, "
                     "remove it: rm '%s'",
                     path, (unsigned long long)age_s, path);
}

/* An open file in the lock's folder that has no name yet; -1 where the file system cannot. */
static int open_nameless(const char *path)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder =
        slash ? memory_string_n(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    return open(folder ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Gives the open file its name; fails where the name is taken. */
static bool appear(int file, const char *path)
{
    char self[64];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", file);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* Advisory lock and mark; on a full disk the mark is missing: a crash then needs a hand. */
static void dress(int file)
{
    (void)flock(file, LOCK_EX | LOCK_NB);
    (void)!dprintf(file, "%s%d\n", mark, (int)getpid());
}

/*
 * The file is whole before it is seen, so that a file with the mark and
 * without the advisory lock is one whose process is dead. Where a file cannot
 * be without a name, there is a moment in which it is not. 0600, not kubectl's
 * 0, so that a later process of the same user can look.
 */
static bool create(const char *path, struct kubeconfig_lock *lock)
{
    int file = open_nameless(path);
    if (file >= 0) {
        dress(file);
        if (appear(file, path)) {
            lock->file = file;
            return true;
        }
        int number = errno;
        close(file);
        errno = number;
        if (number == EEXIST)
            return false;
    }
    file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    dress(file);
    lock->file = file;
    return true;
}

static bool has_mark(int file)
{
    char text[sizeof(mark) - 1];
    return pread(file, text, sizeof(text), 0) == (ssize_t)sizeof(text) &&
           memcmp(text, mark, sizeof(text)) == 0;
}

/* Is the open file still what the path names? */
static bool same_file(int file, const char *path)
{
    struct stat open_status, path_status;
    return fstat(file, &open_status) == 0 && lstat(path, &path_status) == 0 &&
           open_status.st_ino == path_status.st_ino && open_status.st_dev == path_status.st_dev;
}

/*
 * Removes what a killed process of ours left. Only who has the advisory lock
 * of the very file may, so two who find it do not remove each other's.
 */
static void remove_if_dead(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0 && has_mark(file) && same_file(file, path))
        (void)unlink(path);
    close(file);
}

int kubeconfig_lock_take(const char *path, uint32_t timeout_ms, struct kubeconfig_lock *lock,
                         struct error **err)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
    cleanup_free char *lock_path = memory_format("%s.lock", path);
    uint64_t started_ms = now_ms(CLOCK_MONOTONIC);
    uint64_t limit_ms = timeout_ms ? timeout_ms : LOCK_TIMEOUT_MS;
    while (!create(lock_path, lock)) {
        if (errno != EEXIST)
            return error_set(err, ERROR_UNAVAILABLE, "lock with %s: %s", lock_path,
                             strerror(errno));
        remove_if_dead(lock_path);
        uint64_t waited_ms = now_ms(CLOCK_MONOTONIC) - started_ms;
        if (waited_ms >= limit_ms)
            return locked_error(lock_path, waited_ms, err);
        if (access(lock_path, F_OK) == 0)
            (void)nanosleep(&pause, NULL);
    }
    lock->path = TAKE(lock_path);
    return 0;
}

void kubeconfig_lock_drop(struct kubeconfig_lock *lock)
{
    if (!lock->path)
        return;
    (void)unlink(lock->path);
    close(lock->file);
    free(lock->path);
    lock->path = NULL;
}
