#include "reconciler/repo_mirror.h"

#include "base/memory.h"
#include "reconciler/repo_remote.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* libgit2 never packs anew: past so many packs a whole new copy is cheaper. */
enum { PACKS_MAX = 50, NAME_BYTES_MAX = 60, OPEN_FOLDERS_MAX = 16, LOCK_POLL_MS = 50 };
enum { FOLDER_MODE = 0700 };

/* --- where it is --- */

const char *repo_mirror_cache(struct arena *arena, const char *given, struct error **err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given)
        return arena_format(arena, "%s/git", given);
    if (cache && *cache == '/')
        return arena_format(arena, "%s/kind/git", cache);
    if (geteuid() == 0)
        return "/var/cache/kind/git";
    if (home && *home == '/')
        return arena_format(arena, "%s/.cache/kind/git", home);
    error_set(err, ERROR_INVALID, "no place to keep a copy of the repository; set XDG_CACHE_HOME");
    return NULL;
}

static int make_folder(const char *folder, struct error **err)
{
    cleanup_free char *path = memory_string(folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, FOLDER_MODE);
        *slash = '/';
    }
    struct stat is;
    if (mkdir(path, FOLDER_MODE) && errno != EEXIST)
        return error_set(err, errno == ENOSPC ? ERROR_UNAVAILABLE : ERROR_INVALID,
                         "make %s for copies of repositories: %s", folder, strerror(errno));
    /* What somebody else may write to could be made to hold anything. */
    if (lstat(path, &is) || !S_ISDIR(is.st_mode) || is.st_uid != geteuid() ||
        is.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, ERROR_INVALID,
                         "%s, for copies of repositories, must be a folder that its owner alone "
                         "can write to; remove it, or set XDG_CACHE_HOME",
                         folder);
    return 0;
}

/* "git.lab-clusters-1a2b3c4d": for people, and one for each URL. */
static char *mirror_name(const struct repo_url *url)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(url->text, strlen(url->text), digest, NULL, EVP_sha256(), NULL);
    const char *shown = strstr(url->shown, "://");
    shown = shown ? shown + strlen("://") : url->shown;
    size_t length = strlen(shown);
    shown += length > NAME_BYTES_MAX ? length - NAME_BYTES_MAX : 0;
    char *name =
        memory_format("%s-%02x%02x%02x%02x", shown, digest[0], digest[1], digest[2], digest[3]);
    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.", *c))
            *c = '-';
    while (*name == '-' || *name == '.')
        memmove(name, name + 1, strlen(name));
    return name;
}

int repo_mirror_prepare(struct repo_mirror *mirror, struct repo_job *job, struct error **err)
{
    const char *cache = job->options.cache;
    *mirror = (struct repo_mirror){.job = job, .lock = -1};
    if (make_folder(cache, err))
        return -1;
    cleanup_free char *name = mirror_name(&job->url);
    mirror->folder = memory_format("%s/%s", cache, name);
    mirror->fresh = memory_format("%s.new", mirror->folder);
    return 0;
}

/* --- one process at a time --- */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int take_lock(struct repo_mirror *mirror, struct error **err)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
    uint64_t until_ms = now_ms() + mirror->job->patience_ms;
    cleanup_free char *path = memory_format("%s.lock", mirror->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, errno == ENOSPC ? ERROR_UNAVAILABLE : ERROR_INVALID, "open %s: %s",
                         path, strerror(errno));
    mirror->lock = fd;
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set(err, ERROR_INVALID, "lock %s: %s", path, strerror(errno));
        if (now_ms() > until_ms)
            return error_set(err, ERROR_TIMEOUT,
                             "another process has been fetching the same repository for %llu s",
                             (unsigned long long)(mirror->job->patience_ms / 1000));
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* --- tidying --- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static int remove_all(const char *folder)
{
    struct stat info;
    if (lstat(folder, &info))
        return 0;
    return nftw(folder, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
}

/* Locks and half-written files of a process that was killed: we have the lock, so nobody else's. */
static int sweep_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    const char *name = path + at->base, *dot = strrchr(name, '.');
    bool left = (dot && strcmp(dot, ".lock") == 0) || strstr(name, "_git2_");
    if (kind == FTW_F && left)
        (void)unlink(path);
    return 0;
}

static size_t count_packs(const char *folder)
{
    cleanup_free char *path = memory_format("%s/objects/pack", folder);
    DIR *packs = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; packs && (entry = readdir(packs));) {
        const char *dot = strrchr(entry->d_name, '.');
        count += dot && strcmp(dot, ".pack") == 0;
    }
    if (packs)
        closedir(packs);
    return count;
}

/* --- opening --- */

static void close_repository(struct repo_mirror *mirror)
{
    git_repository_free(mirror->repository);
    mirror->repository = NULL;
}

static int begin_fresh(struct repo_mirror *mirror, struct error **err)
{
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags =
        GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_DOTGIT_DIR | GIT_REPOSITORY_INIT_MKDIR;
    options.mode = FOLDER_MODE;
    close_repository(mirror);
    if (remove_all(mirror->fresh))
        return error_set(err, ERROR_UNAVAILABLE, "remove %s: %s", mirror->fresh, strerror(errno));
    if (git_repository_init_ext(&mirror->repository, mirror->fresh, &options))
        return repo_failure(mirror->job, "begin a copy of the repository", err);
    mirror->is_fresh = true;
    return 0;
}

int repo_mirror_open(struct repo_mirror *mirror, struct error **err)
{
    if (take_lock(mirror, err))
        return -1;
    struct stat info;
    bool there = lstat(mirror->folder, &info) == 0;
    if (!there || count_packs(mirror->folder) > PACKS_MAX)
        return begin_fresh(mirror, err);
    (void)nftw(mirror->folder, sweep_entry, OPEN_FOLDERS_MAX, FTW_PHYS);
    if (git_repository_open_ext(&mirror->repository, mirror->folder,
                                GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, NULL))
        return repo_mirror_renew(mirror, err);
    return 0;
}

int repo_mirror_renew(struct repo_mirror *mirror, struct error **err)
{
    cleanup_free char *aside = memory_format("%s.damaged", mirror->folder);
    close_repository(mirror);
    if (remove_all(aside) || rename(mirror->folder, aside))
        return error_set(err, ERROR_UNAVAILABLE, "set the damaged %s aside: %s", mirror->folder,
                         strerror(errno));
    mirror->note = arena_format(mirror->job->arena,
                                "the copy of the repository was damaged; it is set aside as %s, "
                                "and was fetched anew",
                                aside);
    return begin_fresh(mirror, err);
}

int repo_mirror_settle(struct repo_mirror *mirror, struct error **err)
{
    if (!mirror->is_fresh)
        return 0;
    if (remove_all(mirror->folder) || rename(mirror->fresh, mirror->folder))
        return error_set(err, ERROR_UNAVAILABLE, "put %s in its place: %s", mirror->folder,
                         strerror(errno));
    mirror->is_fresh = false;
    /* libgit2 knows it by its path. */
    close_repository(mirror);
    if (git_repository_open_ext(&mirror->repository, mirror->folder,
                                GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, NULL))
        return repo_failure(mirror->job, "open the copy of the repository", err);
    return 0;
}

void repo_mirror_close(struct repo_mirror *mirror)
{
    close_repository(mirror);
    if (mirror->lock >= 0)
        close(mirror->lock);
    free(mirror->folder);
    free(mirror->fresh);
    *mirror = (struct repo_mirror){.lock = -1};
}
