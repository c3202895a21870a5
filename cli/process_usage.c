#include "cli/process_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { STAT_BYTES_MAX = 1024, START_FIELD = 22, FIRST_FIELD = 3 };

static void read_file(const char *path, char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, bytes, room - 1);
    bytes[length < 0 ? 0 : length] = '\0';
    if (fd >= 0)
        close(fd);
}

/* Of /proc/self/stat: behind the name, which may hold anything. */
static double start_of(const char *stat)
{
    const char *at = strrchr(stat, ')');
    for (int field = FIRST_FIELD - 1; at && field < START_FIELD; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return 0;
    struct timespec now, up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    double boot_s = (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9;
    return boot_s + (double)strtoull(at, NULL, 10) / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", "..", and the folder itself */
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void process_usage_read(struct metrics_process *usage)
{
    char bytes[STAT_BYTES_MAX];
    struct rusage spent = {0};
    struct rlimit files = {0};
    *usage = (struct metrics_process){0};
    read_file("/proc/self/stat", bytes, sizeof(bytes));
    usage->start_unix_s = start_of(bytes);
    read_file("/proc/self/statm", bytes, sizeof(bytes));
    char *end;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    usage->virtual_bytes = strtoull(bytes, &end, 10) * page;
    usage->resident_bytes = strtoull(end, NULL, 10) * page;
    if (getrusage(RUSAGE_SELF, &spent) == 0)
        usage->cpu_s = seconds_of(spent.ru_utime) + seconds_of(spent.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
        usage->max_fds = files.rlim_cur;
    usage->open_fds = count_fds();
}
