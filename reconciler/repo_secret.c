#include "reconciler/repo_secret.h"

#include "base/base64.h"
#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

/* Service managers hand credentials over as root's, mode 0440 with the group root: that is nobody.
 */
static bool is_private(const struct stat *is)
{
    bool of_root = is->st_uid == 0 && is->st_gid == 0 && (is->st_mode & 0777) == 0440;
    return (is->st_mode & (S_IRWXG | S_IRWXO)) == 0 || of_root;
}

static int check_file(const char *what, const char *file, int fd, bool secret, struct error **err)
{
    struct stat is;
    if (fstat(fd, &is))
        return error_set(err, ERROR_INVALID, "%s %s: %s", what, file, strerror(errno));
    if (!S_ISREG(is.st_mode))
        return error_set(err, ERROR_INVALID, "%s %s: not a regular file", what, file);
    if (secret && is.st_uid != geteuid() && is.st_uid != 0)
        return error_set(err, ERROR_INVALID, "%s %s: belongs to another user", what, file);
    if (secret && !is_private(&is))
        return error_set(err, ERROR_INVALID,
                         "%s %s: others can read it (mode %04o); chmod 600 makes it private", what,
                         file, (unsigned)(is.st_mode & 07777));
    return 0;
}

static int read_all(const char *what, const char *file, int fd, struct text *text,
                    struct error **err)
{
    char buffer[4096];
    for (ssize_t length; (length = read(fd, buffer, sizeof(buffer))) != 0;) {
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return error_set(err, ERROR_INVALID, "%s %s: %s", what, file, strerror(errno));
        text_add_bytes(text, buffer, (size_t)length);
        if (text->overflow)
            return error_set(err, ERROR_INVALID, "%s %s: longer than %zu KiB", what, file,
                             text->limit / 1024);
    }
    explicit_bzero(buffer, sizeof(buffer));
    return 0;
}

static int read_file(const char *what, const char *file, bool secret, struct text *text,
                     struct error **err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "%s %s: %s", what, file, strerror(errno));
    int result = check_file(what, file, fd, secret, err) || read_all(what, file, fd, text, err);
    close(fd);
    return result ? -1 : 0;
}

int repo_secret_read_public(struct arena *arena, const char *what, const char *file, size_t limit,
                            const char **text, struct error **err)
{
    cleanup_text struct text read;
    text_init(&read, limit);
    if (read_file(what, file, false, &read, err))
        return -1;
    *text = arena_string_n(arena, read.data, read.length);
    return 0;
}

int repo_secret_read_token(struct arena *arena, const char *what, const char *file,
                           const char **token, struct error **err)
{
    cleanup_text struct text read;
    text_init(&read, REPO_SECRET_BYTES_MAX);
    if (read_file(what, file, true, &read, err))
        return -1;
    const char *start = read.data + strspn(read.data, " \t\r\n");
    size_t length = strcspn(start, " \t\r\n");
    if (!length || start[length + strspn(start + length, " \t\r\n")])
        return error_set(err, ERROR_INVALID, "%s %s: does not hold one word, the token", what,
                         file);
    *token = arena_string_n(arena, start, length);
    return 0;
}

/* --- private keys --- */

/* One string of SSH's form; NULL: there is none. In the arena. */
static const char *next_string(struct arena *arena, const struct text *blob, size_t *offset)
{
    size_t length = 0;
    if (blob->length < *offset + 4)
        return NULL;
    for (size_t i = 0; i < 4; i++)
        length = length << 8 | (unsigned char)blob->data[*offset + i];
    *offset += 4;
    if (length > blob->length - *offset)
        return NULL;
    *offset += length;
    return arena_string_n(arena, blob->data + *offset - length, length);
}

static const char *judge_type(const char *type)
{
    if (strcmp(type, "ssh-ed25519") == 0 || strncmp(type, "ecdsa-sha2-", 11) == 0)
        return NULL;
    return strcmp(type, "ssh-rsa") == 0
               ? "is an RSA key, which servers refuse in the form that can be sent here; "
                 "ssh-keygen -t ed25519 makes one that works"
               : "is not of type ed25519 or ecdsa; ssh-keygen -t ed25519 makes one";
}

static const char *judge_openssh(struct arena *arena, const char *body)
{
    static const char magic[] = "openssh-key-v1";
    cleanup_text struct text blob;
    text_init(&blob, REPO_SECRET_BYTES_MAX);
    const char *end = strstr(body, "-----END");
    if (!end || !base64_decode(arena_string_n(arena, body, (size_t)(end - body)), &blob) ||
        blob.length < sizeof(magic) || memcmp(blob.data, magic, sizeof(magic)) != 0)
        return "is cut off or damaged";
    size_t offset = sizeof(magic);
    const char *cipher = next_string(arena, &blob, &offset);
    const char *derivation = cipher ? next_string(arena, &blob, &offset) : NULL;
    const char *options = derivation ? next_string(arena, &blob, &offset) : NULL;
    offset += 4; /* the number of keys: one */
    size_t inner = offset + 4;
    const char *public_half = options ? next_string(arena, &blob, &offset) : NULL;
    const char *type = public_half ? next_string(arena, &blob, &inner) : NULL;
    explicit_bzero(blob.data, blob.length);
    if (!type)
        return "is cut off or damaged";
    if (strcmp(cipher, "none") != 0)
        return "is behind a passphrase; use a key of its own without one, for reading alone";
    return judge_type(type);
}

const char *repo_secret_judge_key(struct arena *arena, const char *text)
{
    static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const char *begin = strstr(text, openssh);
    if (begin)
        return judge_openssh(arena, begin + strlen(openssh));
    if (strstr(text, "ENCRYPTED"))
        return "is behind a passphrase; use a key of its own without one, for reading alone";
    if (strstr(text, "-----BEGIN RSA PRIVATE KEY-----"))
        return judge_type("ssh-rsa");
    if (!strstr(text, "PRIVATE KEY-----"))
        return strncmp(text, "ssh-", 4) == 0 || strncmp(text, "ecdsa-", 6) == 0
                   ? "is the public half; the private one is wanted"
                   : "is not a private key";
    return NULL;
}

int repo_secret_read_key(struct arena *arena, const char *what, const char *file, const char **key,
                         struct error **err)
{
    cleanup_text struct text read;
    text_init(&read, REPO_SECRET_BYTES_MAX);
    if (read_file(what, file, true, &read, err))
        return -1;
    const char *problem = repo_secret_judge_key(arena, read.data);
    if (problem)
        return error_set(err, ERROR_INVALID, "%s %s: %s", what, file, problem);
    *key = arena_string_n(arena, read.data, read.length);
    return 0;
}
