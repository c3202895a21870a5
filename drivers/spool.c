#include "drivers/spool.h"

#include "base/memory.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <unistd.h>

/*
 * DESIGN: room for the tar's two headers is left at the beginning of the file.
 * They are written last, when the length is known, and the zeros at the tar's
 * end are the file's, grown by ftruncate. So the file is the tar.
 */
enum {
    BLOCK_BYTES = 512,
    HEAD_BYTES = 2 * BLOCK_BYTES,
    TAIL_BYTES = 2 * BLOCK_BYTES,
    MEBI = 1 << 20
};

/* A block of ustar. */
struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
    char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155];
    char padding[12];
};

_Static_assert(sizeof(struct tar_header) == BLOCK_BYTES, "a header is a block");

/* Not where /tmp is: that is memory, often. */
static const char *folder_of_files(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/var/tmp";
}

/* Some file systems cannot make files without names; there the name goes at once. */
static int open_unnamed(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    cleanup_free char *path = memory_format("%s/kind-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

int spool_open(struct spool *spool, uint64_t limit_bytes, struct error **err)
{
    const char *folder = folder_of_files();
    int fd = open_unnamed(folder);
    if (fd < 0)
        return error_set(err, ERROR_UNAVAILABLE,
                         "no file can be made in %s: %s; set TMPDIR to a folder where it can",
                         folder, strerror(errno));
    *spool = (struct spool){.open = true, .fd = fd, .folder = folder, .limit = limit_bytes};
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool->open)
        close(spool->fd);
    *spool = (struct spool){0};
}

static int write_failed(const struct spool *spool, int number, struct error **err)
{
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        return error_set(err, ERROR_UNAVAILABLE,
                         "no room left in %s after %" PRIu64
                         " MiB; make some, or set TMPDIR to a folder that has more",
                         spool->folder, spool->length / MEBI);
    return error_set(err, ERROR_UNAVAILABLE, "write a file in %s: %s", spool->folder,
                     strerror(number));
}

static int write_at(const struct spool *spool, const char *bytes, size_t length, uint64_t at,
                    struct error **err)
{
    while (length) {
        ssize_t written = pwrite(spool->fd, bytes, length, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return write_failed(spool, written ? errno : ENOSPC, err);
        bytes += written;
        length -= (size_t)written;
        at += (uint64_t)written;
    }
    return 0;
}

int spool_write(struct spool *spool, const char *bytes, size_t length, struct error **err)
{
    assert(spool->open && !spool->tar_length);
    if (length > spool->limit - spool->length)
        return error_set(err, ERROR_INVALID, "it is longer than %" PRIu64 " MiB",
                         spool->limit / MEBI);
    if (write_at(spool, bytes, length, HEAD_BYTES + spool->length, err))
        return -1;
    spool->length += length;
    return 0;
}

/* Octal, or from 8 GiB on what GNU made of it: a set first bit, then the number itself. */
static void put_size(struct tar_header *header, uint64_t size)
{
    const size_t digits = sizeof(header->size) - 1;
    bool octal = size >> (3 * digits) == 0;
    for (size_t i = octal ? digits : digits + 1; i-- > 0; size >>= octal ? 3 : 8)
        header->size[i] = octal ? (char)('0' + (size & 7)) : (char)(size & 0xff);
    if (!octal)
        header->size[0] = (char)0x80;
}

static void fill(struct tar_header *header, const char *folder, const char *file, uint64_t size)
{
    *header = (struct tar_header){
        .uid = "0000000",
        .gid = "0000000",
        .mtime = "00000000000",
        .type = *file ? '0' : '5',
        .magic = "ustar",
        .version = {'0', '0'},
    };
    memcpy(header->mode, *file ? "0000600" : "0000700", sizeof(header->mode));
    int length = snprintf(header->name, sizeof(header->name), "%s/%s", folder, file);
    assert(length < (int)sizeof(header->name));
    put_size(header, size);
    memset(header->checksum, ' ', sizeof(header->checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(*header); i++)
        sum += ((const unsigned char *)header)[i];
    (void)snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

int spool_seal(struct spool *spool, const char *folder, const char *file, struct error **err)
{
    struct tar_header head[2];
    fill(&head[0], folder, "", 0);
    fill(&head[1], folder, file, spool->length);
    if (write_at(spool, (const char *)head, sizeof(head), 0, err))
        return -1;
    uint64_t blocks = (spool->length + BLOCK_BYTES - 1) / BLOCK_BYTES;
    uint64_t tar_length = HEAD_BYTES + blocks * BLOCK_BYTES + TAIL_BYTES;
    if (ftruncate(spool->fd, (off_t)tar_length))
        return write_failed(spool, errno, err);
    spool->tar_length = tar_length;
    return 0;
}

int spool_seal_tar(struct spool *spool, struct error **err)
{
    if (!spool->length)
        return error_set(err, ERROR_INVALID, "the tar is empty");
    spool->tar_length = spool->length;
    spool->read_at = HEAD_BYTES;
    return 0;
}

size_t spool_read(struct spool *spool, char *bytes, size_t room)
{
    assert(spool->tar_length);
    ssize_t length;
    do
        length = pread(spool->fd, bytes, room, (off_t)spool->read_at);
    while (length < 0 && errno == EINTR);
    if (length <= 0)
        return 0;
    spool->read_at += (uint64_t)length;
    return (size_t)length;
}
