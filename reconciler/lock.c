#include "reconciler/lock.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *runtime_folder(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && *runtime == '/')
        return memory_format("%s/kind", runtime);
    if (geteuid() == 0)
        return memory_string("/run/kind");
    return memory_format("/tmp/kind-%u", (unsigned)geteuid());
}

/* Ours alone: in /tmp somebody else could have made it first. */
static int make_folder(const char *folder, struct error **err)
{
    struct stat info;
    if (mkdir(folder, 0700) && errno != EEXIST)
        return error_set(err, ERROR_INVALID, "make %s for the lock: %s", folder, strerror(errno));
    if (lstat(folder, &info) || !S_ISDIR(info.st_mode) || info.st_uid != geteuid())
        return error_set(err, ERROR_INVALID, "%s is not a folder of ours; remove it", folder);
    return 0;
}

static char *path_in(const char *folder, const char *engine, const char *fleet, const char *suffix)
{
    cleanup_free char *name = memory_format("%s\n%s", engine, fleet);
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(name, strlen(name), digest, NULL, EVP_sha256(), NULL);
    return memory_format("%s/%s-%02x%02x%02x%02x%s", folder, fleet, digest[0], digest[1], digest[2],
                         digest[3], suffix);
}

char *lock_beside(const char *engine, const char *fleet, const char *suffix, struct error **err)
{
    cleanup_free char *folder = runtime_folder();
    if (make_folder(folder, err))
        return NULL;
    return path_in(folder, engine, fleet, suffix);
}

static char *read_holder(int fd)
{
    char buffer[300];
    ssize_t length = pread(fd, buffer, sizeof(buffer) - 1, 0);
    if (length <= 0)
        return memory_string("another process");
    buffer[length] = '\0';
    return memory_string_n(buffer, strcspn(buffer, "\n"));
}

static void write_holder(int fd, const char *command)
{
    cleanup_free char *text = memory_format("process %d (%s)\n", (int)getpid(), command);
    /* Only for the other's message: a full disk must not keep us from working. */
    if (ftruncate(fd, 0) == 0)
        (void)!pwrite(fd, text, strlen(text), 0);
}

int lock_try(const char *engine, const char *fleet, const char *command, struct lock *lock,
             char **holder, struct error **err)
{
    cleanup_free char *folder = runtime_folder();
    if (make_folder(folder, err))
        return -1;
    cleanup_free char *path = path_in(folder, engine, fleet, ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "open the lock %s: %s", path, strerror(errno));
    lock->fd = -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        write_holder(fd, command);
        lock->fd = fd;
        return 0;
    }
    int result = 0;
    if (errno == EWOULDBLOCK)
        *holder = read_holder(fd);
    else
        result = error_set(err, ERROR_INVALID, "lock %s: %s", path, strerror(errno));
    close(fd);
    return result;
}

void lock_release(struct lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
