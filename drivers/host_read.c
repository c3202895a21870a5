#include "drivers/host_read.h"

#include "base/memory.h"
#include "base/text.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Enough for a host full of clusters; beyond it use is not known. */
enum { FILE_BYTES_MAX = 256 * 1024, DESCRIPTORS_MAX = 200 * 1000 };

/* The file's text, up to a limit; NULL if it cannot be read. Freed by the caller. */
static char *read_file(const char *root, const char *path)
{
    cleanup_free char *full = memory_format("%s%s", root, path);
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct text text;
    text_init(&text, FILE_BYTES_MAX);
    char piece[4096];
    ssize_t got;
    while (!text.overflow && (got = read(fd, piece, sizeof(piece))) > 0)
        text_add_bytes(&text, piece, (size_t)got);
    close(fd);
    return text_take(&text);
}

/* A number that is all of a file; HOST_UNKNOWN for "max" and what is none. */
static int64_t read_number(const char *root, const char *path)
{
    cleanup_free char *text = read_file(root, path);
    if (!text || !isdigit((unsigned char)*text))
        return HOST_UNKNOWN;
    int64_t number = strtoll(text, NULL, 10);
    /* Version 1 of cgroups says "no limit" by a number next to the largest. */
    return number >= 0 && number < INT64_C(1) << 60 ? number : HOST_UNKNOWN;
}

/* The number behind a word at the beginning of a line: "MemAvailable:  812 kB". */
static int64_t number_after(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == ':'))
            return strtoll(line + length + strspn(line + length, ": \t"), NULL, 10);
    }
    return HOST_UNKNOWN;
}

static int64_t least(int64_t one, int64_t other)
{
    if (one == HOST_UNKNOWN)
        return other;
    return other == HOST_UNKNOWN || one < other ? one : other;
}

/* --- inotify: what is open in all processes of a user --- */

struct census {
    int64_t instances, watches;
    size_t descriptors;
    bool partial; /* something could not be seen */
};

static int64_t count_watches(const char *process, const char *descriptor)
{
    cleanup_free char *path = memory_format("%s/fdinfo/%s", process, descriptor);
    cleanup_free char *text = read_file("", path);
    int64_t watches = 0;
    for (const char *at = text; at && (at = strstr(at, "inotify wd:")); at++)
        watches++;
    return watches;
}

static void count_descriptors(const char *process, struct census *census)
{
    cleanup_free char *folder = memory_format("%s/fd", process);
    DIR *descriptors = opendir(folder);
    if (!descriptors) {
        census->partial |= errno != ENOENT; /* it has ended meanwhile */
        return;
    }
    for (const struct dirent *entry; (entry = readdir(descriptors));) {
        char target[64];
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target) - 1);
        census->partial |= ++census->descriptors > DESCRIPTORS_MAX;
        if (census->partial)
            break;
        target[length > 0 ? length : 0] = '\0';
        if (strcmp(target, "anon_inode:inotify") != 0)
            continue;
        census->instances++;
        census->watches += count_watches(process, entry->d_name);
    }
    closedir(descriptors);
}

static void count_inotify(const char *root, uid_t user, struct host_limits *limits)
{
    cleanup_free char *folder = memory_format("%s/proc", root);
    DIR *processes = opendir(folder);
    struct census census = {.partial = processes == NULL};
    for (const struct dirent *entry; !census.partial && (entry = readdir(processes));) {
        struct stat is;
        cleanup_free char *process = memory_format("%s/%s", folder, entry->d_name);
        if (isdigit((unsigned char)*entry->d_name) && stat(process, &is) == 0 && is.st_uid == user)
            count_descriptors(process, &census);
    }
    if (processes)
        closedir(processes);
    limits->inotify_instances.used = census.partial ? HOST_UNKNOWN : census.instances;
    limits->inotify_watches.used = census.partial ? HOST_UNKNOWN : census.watches;
}

/* --- the others --- */

/* "    0:   202 201/201 196/1000000 9712/25000000": of keys and their bytes. */
static void read_keys(const char *root, uid_t user, struct host_limits *limits)
{
    cleanup_free char *text = read_file(root, "/proc/key-users");
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        unsigned of;
        int64_t keys, keys_max, bytes, bytes_max;
        if (sscanf(line, " %u: %*d %*d/%*d %" SCNd64 "/%" SCNd64 " %" SCNd64 "/%" SCNd64, &of,
                   &keys, &keys_max, &bytes, &bytes_max) != 5 ||
            of != user)
            continue;
        limits->keys = (struct host_quota){keys_max, keys};
        limits->key_bytes = (struct host_quota){bytes_max, bytes};
    }
}

/* "0.20 0.18 0.12 1/345 4711": 345 threads are there. */
static int64_t count_threads(const char *root)
{
    cleanup_free char *text = read_file(root, "/proc/loadavg");
    const char *slash = text ? strchr(text, '/') : NULL;
    return slash ? strtoll(slash + 1, NULL, 10) : HOST_UNKNOWN;
}

/*
 * Where we are in a container together with the engine, the root of our
 * control groups has limits that bind its nodes, too.
 */
static void read_threads(const char *root, struct host_limits *limits)
{
    limits->threads = (struct host_quota){
        .max = least(read_number(root, "/proc/sys/kernel/pid_max"),
                     read_number(root, "/proc/sys/kernel/threads-max")),
        .used = count_threads(root),
    };
    static const char *const folders[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/pids"};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        cleanup_free char *max_path = memory_format("%s/pids.max", folders[i]);
        cleanup_free char *used_path = memory_format("%s/pids.current", folders[i]);
        struct host_quota group = {read_number(root, max_path), read_number(root, used_path)};
        if (group.max != HOST_UNKNOWN && group.used != HOST_UNKNOWN &&
            (limits->threads.max == HOST_UNKNOWN ||
             group.max - group.used < limits->threads.max - limits->threads.used))
            limits->threads = group;
    }
}

static void bound_memory(struct host_limits *limits, int64_t max, int64_t used, int64_t cached)
{
    if (max == HOST_UNKNOWN || used == HOST_UNKNOWN)
        return;
    int64_t in_use = used - (cached > 0 && cached < used ? cached : 0);
    limits->memory_bytes = least(limits->memory_bytes, max);
    limits->memory_free_bytes = least(limits->memory_free_bytes, max > in_use ? max - in_use : 0);
}

static void read_memory(const char *root, struct host_limits *limits)
{
    cleanup_free char *info = read_file(root, "/proc/meminfo");
    int64_t total = info ? number_after(info, "MemTotal") : HOST_UNKNOWN;
    int64_t available = info ? number_after(info, "MemAvailable") : HOST_UNKNOWN;
    limits->memory_bytes = total == HOST_UNKNOWN ? total : total * 1024;
    limits->memory_free_bytes = available == HOST_UNKNOWN ? available : available * 1024;
    cleanup_free char *two = read_file(root, "/sys/fs/cgroup/memory.stat");
    bound_memory(limits, read_number(root, "/sys/fs/cgroup/memory.max"),
                 read_number(root, "/sys/fs/cgroup/memory.current"),
                 two ? number_after(two, "inactive_file") : 0);
    cleanup_free char *one = read_file(root, "/sys/fs/cgroup/memory/memory.stat");
    bound_memory(limits, read_number(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
                 read_number(root, "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
                 one ? number_after(one, "total_inactive_file") : 0);
}

static void read_disk(struct arena *arena, const char *folder, struct host_limits *limits)
{
    struct statvfs disk;
    if (!folder || !*folder || statvfs(folder, &disk))
        return;
    limits->disk = arena_string(arena, folder);
    limits->disk_bytes = (int64_t)(disk.f_blocks * disk.f_frsize);
    limits->disk_free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
    if (disk.f_files) /* some file systems do not count them */
        limits->inodes_free = (int64_t)disk.f_favail;
}

void host_limits_read(struct arena *arena, const struct host_read *options,
                      struct host_limits *limits)
{
    const char *root = options->root;
    *limits = host_limits_unknown;
    limits->inotify_instances.max = read_number(root, "/proc/sys/fs/inotify/max_user_instances");
    limits->inotify_watches.max = read_number(root, "/proc/sys/fs/inotify/max_user_watches");
    count_inotify(root, options->user, limits);
    read_keys(root, options->user, limits);
    read_threads(root, limits);
    read_memory(root, limits);
    read_disk(arena, options->folder, limits);
}

bool host_is_this(const char *name, const char *release)
{
    struct utsname self;
    return *name && *release && uname(&self) == 0 && strcmp(self.nodename, name) == 0 &&
           strcmp(self.release, release) == 0;
}
