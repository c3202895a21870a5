#include "cli/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRESH_MS = 1000 };

static int check_mode(const char *path, const struct stat *file, struct error **err)
{
    if (!S_ISREG(file->st_mode))
        return error_set(err, ERROR_INVALID, "%s is no regular file", path);
    if (file->st_uid != 0 && file->st_uid != geteuid())
        return error_set(err, ERROR_INVALID,
                         "%s belongs to another user (%u); it must be root's or yours", path,
                         (unsigned)file->st_uid);
    bool group_of_root = file->st_gid == 0 && (file->st_mode & 070) == 040;
    if (file->st_mode & 07 || (file->st_mode & 070 && !group_of_root))
        return error_set(err, ERROR_INVALID,
                         "%s can be read by others (mode %04o); make it secret: chmod 600 %s", path,
                         (unsigned)(file->st_mode & 07777), path);
    return 0;
}

static ssize_t read_all(int fd, char *bytes, size_t room)
{
    size_t length = 0;
    while (length < room) {
        ssize_t more = read(fd, bytes + length, room - length);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return -1;
        if (more == 0)
            break;
        length += (size_t)more;
    }
    return (ssize_t)length;
}

static size_t without_end(const char *bytes, size_t length)
{
    while (length && strchr(" \t\r\n", bytes[length - 1]))
        length--;
    return length;
}

static int read_secret(struct secret_file *secret, int fd, struct error **err)
{
    struct stat file;
    if (fstat(fd, &file) < 0)
        return error_set(err, ERROR_INVALID, "look at %s: %s", secret->path, strerror(errno));
    if (check_mode(secret->path, &file, err))
        return -1;
    ssize_t length = read_all(fd, secret->bytes, sizeof(secret->bytes));
    if (length < 0)
        return error_set(err, ERROR_INVALID, "read %s: %s", secret->path, strerror(errno));
    if (length > SECRET_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "%s holds more than %d bytes", secret->path,
                         SECRET_BYTES_MAX);
    size_t own = without_end(secret->bytes, (size_t)length);
    if (own < SECRET_BYTES_MIN)
        return error_set(err, ERROR_INVALID,
                         "%s holds %zu bytes, a secret needs %d and more: openssl rand -hex 32 >%s",
                         secret->path, own, SECRET_BYTES_MIN, secret->path);
    secret->length = own;
    return 0;
}

static int load(struct secret_file *secret, uint64_t now_ms, struct error **err)
{
    secret->length = 0;
    secret->read_at_ms = now_ms;
    int fd = open(secret->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "open %s: %s", secret->path, strerror(errno));
    int result = read_secret(secret, fd, err);
    close(fd);
    if (result)
        OPENSSL_cleanse(secret->bytes, sizeof(secret->bytes));
    return result;
}

int secret_file_open(struct secret_file *secret, const char *path, uint64_t now_ms,
                     struct error **err)
{
    *secret = (struct secret_file){.path = path};
    return path ? load(secret, now_ms, err) : 0;
}

void secret_file_close(struct secret_file *secret)
{
    OPENSSL_cleanse(secret->bytes, sizeof(secret->bytes));
    secret->length = 0;
}

bool secret_file_fresh(struct secret_file *secret, uint64_t now_ms)
{
    struct error *failure = NULL;
    if (secret->path && now_ms - secret->read_at_ms >= FRESH_MS && load(secret, now_ms, &failure))
        error_free(failure);
    return secret->length > 0;
}

/* Digests are of one length, whatever is compared. */
bool secret_equal(const void *a, size_t a_length, const void *b, size_t b_length)
{
    unsigned char a_digest[SHA256_DIGEST_LENGTH], b_digest[SHA256_DIGEST_LENGTH];
    SHA256(a, a_length, a_digest);
    SHA256(b, b_length, b_digest);
    return CRYPTO_memcmp(a_digest, b_digest, sizeof(a_digest)) == 0;
}
