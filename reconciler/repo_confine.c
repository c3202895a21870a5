#include "reconciler/repo_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Addresses are no measure of memory where a sanitizer reserves terabytes of them. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_ADDRESSES false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITS_ADDRESSES false
#endif
#endif
#ifndef LIMITS_ADDRESSES
#define LIMITS_ADDRESSES true
#endif

enum { OPEN_FILES_MAX = 256, LANDLOCK_VERSION_MIN = 2, LANDLOCK_VERSION_TRUNCATE = 3 };

/* Linux 6.2 has it; the headers of Debian 12 are older. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READ_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
#define READ_ALL (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILE LANDLOCK_ACCESS_FS_WRITE_FILE
#define CHANGE_ALL                                                                                 \
    (WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                 \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |     \
     LANDLOCK_ACCESS_FS_REFER)
#define NEVER                                                                                      \
    (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |  \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK)

/* Programs and their libraries, names of hosts and users, certificates, the time zone. */
static const char *const needed[] = {
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/ssl",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/etc/gnutls",
    "/etc/crypto-policies",
    "/run/systemd/resolve",
    "/run/NetworkManager/resolv.conf",
    "/run/resolvconf",
    "/run/nscd",
    "/var/lib/sss",
    "/proc/sys/crypto",
    "/proc/sys/kernel",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
};

static volatile sig_atomic_t met_limit;

/* Too large a file is an error of the write then, not the end of the process. */
static void note_limit(int number)
{
    (void)number;
    met_limit = 1;
}

bool repo_confine_met_limit(void)
{
    return met_limit != 0;
}

static int limit(int resource, uint64_t value)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now))
        return -1;
    rlim_t most = now.rlim_max < value ? now.rlim_max : (rlim_t)value;
    const struct rlimit wanted = {.rlim_cur = most, .rlim_max = most};
    return setrlimit((__rlimit_resource_t)resource, &wanted);
}

int repo_confine_process(int parent, uint64_t file_bytes, struct error **err)
{
    umask(077);
    signal(SIGXFSZ, note_limit);
    int failed = prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
                 limit(RLIMIT_CORE, 0) || limit(RLIMIT_NOFILE, OPEN_FILES_MAX) ||
                 limit(RLIMIT_CPU, REPO_PROCESSOR_S_MAX) || limit(RLIMIT_FSIZE, file_bytes) ||
                 prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!failed && LIMITS_ADDRESSES)
        failed = limit(RLIMIT_AS, (uint64_t)REPO_MEMORY_MIB_MAX << 20);
    if (failed)
        return error_set(err, ERROR_INTERNAL, "limit the process that reads the repository: %s",
                         strerror(errno));
    /* It may have died before the kernel was asked to tell. */
    if (parent > 0 && getppid() != parent)
        return error_set(err, ERROR_CANCELED, "the program that wanted the repository has ended");
    return 0;
}

static int add_rule(int rules, const char *path, uint64_t rights)
{
    struct stat info;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0; /* what is not there needs no permission */
    if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
        rights &= READ_FILE | WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
    const struct landlock_path_beneath_attr beneath = {.allowed_access = rights, .parent_fd = fd};
    long result = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    close(fd);
    return (int)result;
}

int repo_confine_files(const char *writable, const char *const *readable, size_t count,
                       struct error **err)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < LANDLOCK_VERSION_MIN)
        return 0;
    uint64_t cut = version >= LANDLOCK_VERSION_TRUNCATE ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
    const struct landlock_ruleset_attr all = {.handled_access_fs =
                                                  READ_ALL | CHANGE_ALL | NEVER | cut};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    bool failed = rules < 0;
    failed = failed || add_rule(rules, writable, READ_ALL | CHANGE_ALL | cut) ||
             add_rule(rules, "/dev/null", READ_FILE | WRITE_FILE | cut);
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        failed = failed || add_rule(rules, needed[i], READ_ALL);
    for (size_t i = 0; i < count; i++)
        if (readable[i])
            failed = failed || add_rule(rules, readable[i], READ_ALL);
    failed = failed || syscall(SYS_landlock_restrict_self, rules, 0);
    int code = errno;
    if (rules >= 0)
        close(rules);
    return failed ? error_set(err, ERROR_INTERNAL,
                              "limit the files of the process that reads the repository: %s",
                              strerror(code))
                  : 0;
}
