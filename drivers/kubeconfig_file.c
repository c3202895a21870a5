#include "drivers/kubeconfig_file.h"

#include "base/memory.h"
#include "drivers/kubeconfig_lock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * DESIGN: one change is lock, read, think (model/kubeconfig), write a new file
 * beside the old one, rename it into place, unlock. Whatever fails on the way,
 * the old file is whole. The lock lies beside the path as given, not beside
 * what a link leads to, because that is where client-go looks for it.
 */

enum {
    FILE_BYTES_MAX = 16 * 1024 * 1024,
    LINKS_MAX = 40, /* as the kernel's own limit */
    FRESH_S = 2,
};

static int system_error(struct error **err, const char *verb, const char *path)
{
    int number = errno;
    return error_set(err, ERROR_UNAVAILABLE, "%s %s: %s", verb, path, strerror(number));
}

static void close_file(const int *file)
{
    if (*file >= 0)
        close(*file);
}
#define cleanup_close __attribute__((cleanup(close_file)))

/* Paths. */

static bool has_path(const struct kubeconfig_paths *paths, const char *path, size_t length)
{
    for (size_t i = 0; i < paths->count; i++)
        if (strlen(paths->items[i]) == length && memcmp(paths->items[i], path, length) == 0)
            return true;
    return false;
}

static void add_path(struct kubeconfig_paths *paths, const char *path, size_t length)
{
    if (length == 0 || has_path(paths, path, length))
        return;
    paths->items = memory_resize(paths->items, paths->count + 1, sizeof(*paths->items));
    paths->items[paths->count++] = memory_string_n(path, length);
}

static void add_path_list(struct kubeconfig_paths *paths, const char *list)
{
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, ":");
        add_path(paths, at, length);
        at += length + (at[length] == ':');
    }
}

int kubeconfig_paths_find(const char *flag, struct kubeconfig_paths *paths, struct error **err)
{
    struct kubeconfig_paths found = {0};
    const char *home = getenv("HOME");
    if (flag)
        add_path(&found, flag, strlen(flag));
    if (!found.count)
        add_path_list(&found, getenv("KUBECONFIG"));
    if (!found.count && home && *home) {
        cleanup_free char *path = memory_format("%s/.kube/config", home);
        add_path(&found, path, strlen(path));
    }
    if (!found.count)
        return error_set(err, ERROR_INVALID,
                         "no kubeconfig file to use: HOME is not set; give --kubeconfig FILE");
    *paths = found;
    return 0;
}

void kubeconfig_paths_in(const char *folder, struct kubeconfig_paths *paths)
{
    *paths = (struct kubeconfig_paths){.folder = memory_string(folder)};
}

/* The file of this one cluster in a service's folder (the caller frees), or NULL. */
static char *own_file(const struct kubeconfig_paths *paths, const char *cluster, struct error **err)
{
    if (!strchr(cluster, '/') && *cluster != '.')
        return memory_format("%s/%s.kubeconfig", paths->folder, cluster);
    error_set(err, ERROR_INVALID, "'%s' is no name of a cluster", cluster);
    return NULL;
}

void kubeconfig_paths_done(struct kubeconfig_paths *paths)
{
    free(paths->folder);
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
    *paths = (struct kubeconfig_paths){0};
}

const char *kubeconfig_paths_target(const struct kubeconfig_paths *paths)
{
    struct stat status;
    for (size_t i = 0; i < paths->count; i++)
        if (stat(paths->items[i], &status) == 0 && !S_ISDIR(status.st_mode))
            return paths->items[i];
    return paths->items[paths->count - 1];
}

/* "a/b" to "a", "b" to ".", "/b" to "/". */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return memory_string(".");
    return memory_string_n(path, slash == path ? 1 : (size_t)(slash - path));
}

/* mkdir -p, with upstream's mode. */
static int make_folders(const char *folder, struct error **err)
{
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return 0;
    if (errno != ENOENT)
        return system_error(err, "make folder", folder);
    cleanup_free char *parent = folder_of(folder);
    if (strcmp(parent, folder) == 0 || make_folders(parent, err) < 0)
        return *err ? -1 : system_error(err, "make folder", folder);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return system_error(err, "make folder", folder);
    return 0;
}

/* Where the link leads, if path is one; *target stays NULL if it is none. */
static int read_link(const char *path, char **target, struct error **err)
{
    char link[PATH_MAX];
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    if (length < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : system_error(err, "read link", path);
    link[length] = '\0';
    cleanup_free char *folder = folder_of(path);
    *target = link[0] == '/' ? memory_string(link) : memory_format("%s/%s", folder, link);
    return 0;
}

/* The file behind all links, which need not exist. */
static char *follow_links(const char *path, struct error **err)
{
    cleanup_free char *current = memory_string(path);
    for (int links = 0; links < LINKS_MAX; links++) {
        cleanup_free char *next = NULL;
        if (read_link(current, &next, err) < 0)
            return NULL;
        if (!next)
            return TAKE(current);
        free(current);
        current = TAKE(next);
    }
    error_set(err, ERROR_INVALID, "%s: too many links follow each other", path);
    return NULL;
}

/* Reading. */

static int read_bytes(int file, const char *path, struct text *text, struct error **err)
{
    char buffer[16 * 1024];
    for (;;) {
        ssize_t length = read(file, buffer, sizeof(buffer));
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return system_error(err, "read", path);
        if (length == 0)
            break;
        text_add_bytes(text, buffer, (size_t)length);
        if (text->overflow)
            return error_set(err, ERROR_INVALID, "%s: larger than %d MiB", path,
                             FILE_BYTES_MAX / 1024 / 1024);
    }
    if (memchr(text->data, '\0', text->length))
        return error_set(err, ERROR_INVALID, "%s: holds a NUL byte: not a kubeconfig", path);
    return 0;
}

/* The whole file; nothing, and *exists false, where there is none. */
static int read_file(const char *path, struct text *text, struct stat *status, bool *exists,
                     struct error **err)
{
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *exists = file >= 0;
    if (!*exists)
        return errno == ENOENT || errno == ENOTDIR ? 0 : system_error(err, "read", path);
    if (fstat(file, status) < 0)
        return system_error(err, "read", path);
    if (!S_ISREG(status->st_mode))
        return error_set(err, ERROR_INVALID, "%s: not a regular file", path);
    return read_bytes(file, path, text, err);
}

/* Writing. */

static int write_bytes(int file, const struct text *text)
{
    for (size_t written = 0; written < text->length;) {
        ssize_t length = write(file, text->data + written, text->length - written);
        if (length < 0 && errno != EINTR)
            return -1;
        written += length > 0 ? (size_t)length : 0;
    }
    return 0;
}

/* Mode and owner as the old file has them (NULL: none); open gave 0600. */
static int set_attributes(int file, const struct stat *old)
{
    if (!old)
        return 0;
    if ((old->st_uid != geteuid() || old->st_gid != getegid()) &&
        fchown(file, old->st_uid, old->st_gid) < 0)
        return -1;
    return fchmod(file, old->st_mode & 07777);
}

static int write_temporary(int file, const struct text *text, const struct stat *old)
{
    if (set_attributes(file, old) < 0 || write_bytes(file, text) < 0)
        return -1;
    return fsync(file);
}

/* Without it the rename itself might not outlive a power cut. */
static void sync_folder(const char *path)
{
    cleanup_free char *folder = folder_of(path);
    cleanup_close int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0)
        (void)fsync(file);
}

static int replace_file(const char *path, const struct text *text, const struct stat *old,
                        struct error **err)
{
    /* One name, not a random one: what a killed process left is taken over under the lock. */
    cleanup_free char *temporary = memory_format("%s.kind-new", path);
    (void)unlink(temporary);
    cleanup_close int file = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        return system_error(err, "write beside", path);
    if (write_temporary(file, text, old) < 0 || rename(temporary, path) < 0) {
        (void)system_error(err, "write", path);
        (void)unlink(temporary);
        return -1;
    }
    sync_folder(path);
    return 0;
}

/* The three uses. */

static int put_in(const char *path, uint32_t timeout_ms, const char *cluster, const char *addition,
                  enum kubeconfig_context context, struct error **err)
{
    cleanup_free char *folder = folder_of(path);
    cleanup_kubeconfig_lock struct kubeconfig_lock lock = {0};
    if (make_folders(folder, err) < 0 || kubeconfig_lock_take(path, timeout_ms, &lock, err) < 0)
        return -1;
    cleanup_free char *target = follow_links(path, err);
    cleanup_text struct text old, new;
    text_init(&old, FILE_BYTES_MAX);
    text_init(&new, 0);
    struct stat status;
    bool exists;
    if (!target || read_file(target, &old, &status, &exists, err) < 0 ||
        kubeconfig_merge(path, old.data, cluster, addition, context, &new, err) < 0)
        return -1;
    if (exists && strcmp(old.data, new.data) == 0)
        return 0;
    return replace_file(target, &new, exists ? &status : NULL, err);
}

static int put_own(const struct kubeconfig_paths *paths, const char *cluster, const char *addition,
                   struct error **err)
{
    cleanup_free char *file = own_file(paths, cluster, err);
    return file ? put_in(file, paths->lock_timeout_ms, cluster, addition, KUBECONFIG_SET_CONTEXT,
                         err)
                : -1;
}

int kubeconfig_file_put(const struct kubeconfig_paths *paths, const char *cluster,
                        const char *addition, enum kubeconfig_context context, struct error **err)
{
    if (paths->folder)
        return put_own(paths, cluster, addition, err);
    return put_in(kubeconfig_paths_target(paths), paths->lock_timeout_ms, cluster, addition,
                  context, err);
}

static int remove_from(const char *path, uint32_t timeout_ms, const char *cluster, bool *changed,
                       struct error **err)
{
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    cleanup_kubeconfig_lock struct kubeconfig_lock lock = {0};
    if (kubeconfig_lock_take(path, timeout_ms, &lock, err) < 0)
        return -1;
    cleanup_free char *target = follow_links(path, err);
    cleanup_text struct text old, new;
    text_init(&old, FILE_BYTES_MAX);
    text_init(&new, 0);
    struct stat status;
    bool exists, removed;
    if (!target || read_file(target, &old, &status, &exists, err) < 0 ||
        kubeconfig_remove(path, old.data, cluster, &new, &removed, err) < 0)
        return -1;
    if (!removed)
        return 0;
    *changed = true;
    return replace_file(target, &new, exists ? &status : NULL, err);
}

/* Its own file goes as a whole. */
static int remove_own(const struct kubeconfig_paths *paths, const char *cluster, bool *changed,
                      struct error **err)
{
    cleanup_free char *file = own_file(paths, cluster, err);
    if (!file)
        return -1;
    *changed = unlink(file) == 0;
    return *changed || errno == ENOENT || errno == ENOTDIR ? 0 : system_error(err, "remove", file);
}

int kubeconfig_file_remove(const struct kubeconfig_paths *paths, const char *cluster, bool *changed,
                           struct error **err)
{
    if (paths->folder)
        return remove_own(paths, cluster, changed, err);
    bool any = false;
    for (size_t i = 0; i < paths->count; i++)
        if (remove_from(paths->items[i], paths->lock_timeout_ms, cluster, &any, err) < 0)
            return -1;
    *changed = any;
    return 0;
}

/* --- Reading for many clusters. --- */

/* What was read of one file, and which file that was. */
struct reading {
    char *path;
    struct stat status;
    struct kubeconfig *config; /* NULL: read it again */
};

struct kubeconfig_reader {
    struct reading *items;
    size_t count;
};

struct kubeconfig_reader *kubeconfig_reader_new(void)
{
    return memory_new(sizeof(struct kubeconfig_reader));
}

void kubeconfig_reader_forget(struct kubeconfig_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        kubeconfig_free(reader->items[i].config);
        free(reader->items[i].path);
    }
    free(reader->items);
    *reader = (struct kubeconfig_reader){0};
}

void kubeconfig_reader_free(struct kubeconfig_reader *reader)
{
    if (reader)
        kubeconfig_reader_forget(reader);
    free(reader);
}

static struct reading *reading_of(struct kubeconfig_reader *reader, const char *path)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (strcmp(reader->items[i].path, path) == 0)
            return &reader->items[i];
    }
    reader->items = memory_resize(reader->items, reader->count + 1, sizeof(*reader->items));
    reader->items[reader->count] = (struct reading){.path = memory_string(path)};
    return &reader->items[reader->count++];
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

/* Written so short a time ago, it may be written again without its times telling. */
static bool is_fresh(const struct stat *status)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec - status->st_ctim.tv_sec < FRESH_S;
}

/* *config NULL: there is no such file. */
static int read_again(struct reading *reading, const struct kubeconfig **config, struct error **err)
{
    struct stat status;
    bool exists = stat(reading->path, &status) == 0;
    *config = reading->config;
    if (exists && reading->config && is_same_file(&status, &reading->status))
        return 0;
    kubeconfig_free(TAKE(reading->config));
    *config = NULL;
    cleanup_text struct text text;
    text_init(&text, FILE_BYTES_MAX);
    if (read_file(reading->path, &text, &reading->status, &exists, err) < 0)
        return -1;
    if (!exists)
        return 0;
    bool fresh = is_fresh(&reading->status);
    reading->config = kubeconfig_read(reading->path, text.data, err);
    *config = reading->config;
    if (fresh)
        reading->status = (struct stat){0}; /* so that it is another one the next time */
    return reading->config ? 0 : -1;
}

static int look_in(struct kubeconfig_reader *reader, const char *path, const char *cluster,
                   struct kubeconfig_access *access, bool *found, struct error **err)
{
    const struct kubeconfig *config;
    if (read_again(reading_of(reader, path), &config, err) < 0)
        return -1;
    return config ? kubeconfig_find(config, cluster, access, found, err) : 0;
}

int kubeconfig_file_access(struct kubeconfig_reader *reader, const struct kubeconfig_paths *paths,
                           const char *cluster, struct kubeconfig_access *access, bool *found,
                           struct error **err)
{
    bool any = false;
    if (paths->folder) {
        cleanup_free char *file = own_file(paths, cluster, err);
        if (!file || look_in(reader, file, cluster, access, &any, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < paths->count && !any; i++)
        if (look_in(reader, paths->items[i], cluster, access, &any, err) < 0)
            return -1;
    *found = any;
    return 0;
}
