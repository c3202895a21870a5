#include "reconciler/repo_signature.h"

#include "base/memory.h"
#include "reconciler/repo_remote.h"
#include "reconciler/repo_secret.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PRINCIPALS_MAX = 16, ANSWER_BYTES_MAX = 16 * 1024, SIGNATURE_BYTES_MAX = 64 * 1024 };
enum { KEYS_BYTES_MAX = 4 * 1024 * 1024, CODE_NO_FILES = 126, CODE_NO_PROGRAM = 127 };

static const char ssh_program[] = "/usr/bin/ssh-keygen", pgp_program[] = "/usr/bin/gpgv";

/* A commit that is to be checked, and how. */
struct check {
    struct repo_job *job;
    const char *commit; /* its first digits, for messages */
    const char *keys;   /* --verify-keys */
    git_buf signature, signed_text;
    char *file; /* where the signature is, for the programs */
};

/* --- running a program --- */

/* Bytes in memory that a program can read as a file, from its beginning. */
static int memory_file(const void *bytes, size_t length)
{
    int fd = memfd_create("signed", MFD_CLOEXEC);
    if (fd < 0 || (length && write(fd, bytes, length) != (ssize_t)length) ||
        lseek(fd, 0, SEEK_SET) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static void become(const char *const *words, int input, int output)
{
    static char path[] = "PATH=/usr/bin:/bin", language[] = "LC_ALL=C";
    char *const environment[] = {path, language, NULL};
    int nowhere = open("/dev/null", O_WRONLY);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || nowhere < 0 ||
        dup2(nowhere, STDERR_FILENO) < 0)
        _exit(CODE_NO_FILES);
    /* execve promises to leave the words alone, and cannot say so in its prototype. */
    union {
        const char *const *given;
        char *const *wanted;
    } argv = {.given = words};
    execve(words[0], argv.wanted, environment);
    _exit(CODE_NO_PROGRAM);
}

/* Runs it with this input; its exit code (-1: none), and what it printed. */
static int run(const char *const *words, const void *input, size_t length, struct text *answer)
{
    int in = memory_file(input, length), out = memory_file(NULL, 0), status = -1;
    pid_t child = in < 0 || out < 0 ? -1 : fork();
    if (child == 0)
        become(words, in, out);
    /* No deadline of its own: the parent's ends the whole group. */
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    char buffer[4096];
    if (out >= 0 && lseek(out, 0, SEEK_SET) == 0)
        for (ssize_t got; (got = read(out, buffer, sizeof(buffer))) > 0;)
            text_add_bytes(answer, buffer, (size_t)got);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool did_not_run(int code)
{
    return code < 0 || code == CODE_NO_FILES || code == CODE_NO_PROGRAM;
}

/* Whatever they are, the signer of a commit that cannot be checked is not trusted. */
static int cannot_run(const char *program, const char *package, struct error **err)
{
    return error_set(err, ERROR_UNAVAILABLE,
                     "signatures cannot be checked: %s does not run; it is in the package %s",
                     program, package);
}

/* --- OpenSSH --- */

static int check_ssh(const struct check *check, const char **signer, struct error **err)
{
    const char *const find[] = {ssh_program, "-Y", "find-principals", "-f",
                                check->keys, "-s", check->file,       NULL};
    cleanup_text struct text principals;
    text_init(&principals, ANSWER_BYTES_MAX);
    int code = run(find, "", 0, &principals);
    if (did_not_run(code))
        return cannot_run(ssh_program, "openssh-client", err);
    const char *at = code == 0 ? principals.data : "";
    for (size_t i = 0; i < PRINCIPALS_MAX && *at; i++) {
        size_t length = strcspn(at, "\n");
        const char *principal = arena_string_n(check->job->arena, at, length);
        const char *const verify[] = {ssh_program, "-Y", "verify", "-f", check->keys, "-I",
                                      principal,   "-n", "git",    "-s", check->file, NULL};
        cleanup_text struct text words;
        text_init(&words, ANSWER_BYTES_MAX);
        /* A name that begins like an option is none that anybody is called by. */
        if (length && *principal != '-' &&
            run(verify, check->signed_text.ptr, check->signed_text.size, &words) == 0) {
            *signer = principal;
            return 0;
        }
        at += length + (at[length] == '\n');
    }
    return error_set(err, ERROR_INVALID,
                     "commit %s is not used: its signature is by nobody that %s allows, or not "
                     "for this commit",
                     check->commit, check->keys);
}

/* --- OpenPGP --- */

/* What follows "[GNUPG:] WORD " on a line of gpgv's status; NULL: there is none. */
static const char *status_of(struct arena *arena, const char *status, const char *word)
{
    for (const char *line = status; *line;) {
        size_t length = strcspn(line, "\n"), word_length = strlen(word);
        const char *text = line + strlen("[GNUPG:] ");
        if (length > strlen("[GNUPG:] ") + word_length &&
            strncmp(line, "[GNUPG:] ", strlen("[GNUPG:] ")) == 0 &&
            strncmp(text, word, word_length) == 0 && text[word_length] == ' ')
            return arena_string_n(arena, text + word_length + 1,
                                  length - strlen("[GNUPG:] ") - word_length - 1);
        line += length + (line[length] == '\n');
    }
    return NULL;
}

static int check_pgp(const struct check *check, const char **signer, struct error **err)
{
    const char *const verify[] = {pgp_program, "--homedir", "/nonexistent", "--status-fd", "1",
                                  "--keyring", check->keys, check->file,    "-",           NULL};
    cleanup_text struct text status;
    text_init(&status, ANSWER_BYTES_MAX);
    int code = run(verify, check->signed_text.ptr, check->signed_text.size, &status);
    if (did_not_run(code))
        return cannot_run(pgp_program, "gpgv", err);
    const char *valid = status_of(check->job->arena, status.data, "VALIDSIG");
    const char *good = status_of(check->job->arena, status.data, "GOODSIG");
    if (code != 0 || !valid || !good)
        return error_set(err, ERROR_INVALID,
                         "commit %s is not used: its signature is by no key of %s, or not for this "
                         "commit",
                         check->commit, check->keys);
    /* "KEYID Ann <ann@lab>" */
    *signer = good + strcspn(good, " ") + (strchr(good, ' ') != NULL);
    return 0;
}

/* --- which of them --- */

enum keys { KEYS_SSH, KEYS_PGP, KEYS_ARMORED };

/* A keyring is binary: a packet of the public-key kind, or GnuPG's keybox. */
static enum keys keys_kind(const char *text)
{
    if (strstr(text, "-----BEGIN PGP PUBLIC KEY BLOCK-----"))
        return KEYS_ARMORED;
    return (unsigned char)*text >= 0x80 || *text == '\0' ? KEYS_PGP : KEYS_SSH;
}

static int check_signature(const struct check *check, const char **signer, struct error **err)
{
    const char *text = NULL;
    if (repo_secret_read_public(check->job->arena, "--verify-keys", check->keys, KEYS_BYTES_MAX,
                                &text, err))
        return -1;
    enum keys keys = keys_kind(text);
    bool is_ssh = strstr(check->signature.ptr, "-----BEGIN SSH SIGNATURE-----") != NULL;
    switch (keys) {
    case KEYS_ARMORED:
        return error_set(err, ERROR_INVALID,
                         "--verify-keys %s: the keyring is in ASCII armor; gpg --dearmor makes one "
                         "that can be read",
                         check->keys);
    case KEYS_SSH:
        if (is_ssh)
            return check_ssh(check, signer, err);
        break;
    case KEYS_PGP:
        if (!is_ssh)
            return check_pgp(check, signer, err);
        break;
    }
    return error_set(err, ERROR_INVALID,
                     "commit %s is not used: it is signed by %s, and %s holds %s", check->commit,
                     is_ssh ? "an SSH key" : "OpenPGP", check->keys,
                     keys == KEYS_SSH ? "SSH keys" : "an OpenPGP keyring");
}

static int write_signature(const struct check *check, struct error **err)
{
    int fd = open(check->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t size = check->signature.size;
    bool written = fd >= 0 && write(fd, check->signature.ptr, size) == (ssize_t)size;
    int code = errno;
    if (fd >= 0)
        close(fd);
    return written ? 0
                   : error_set(err, ERROR_UNAVAILABLE, "write %s: %s", check->file, strerror(code));
}

int repo_signature_check(struct repo_mirror *mirror, const git_oid *commit, const char **signer,
                         struct error **err)
{
    git_oid id = *commit;
    char digits[GIT_OID_HEXSZ + 1];
    struct check check = {
        .job = mirror->job,
        .commit = arena_format(mirror->job->arena, "%.10s",
                               git_oid_tostr(digits, sizeof(digits), commit)),
        .keys = mirror->job->options.verify_keys,
        .file = memory_format("%s.signature", mirror->folder),
    };
    int result = -1;
    errno = 0;
    int code = git_commit_extract_signature(&check.signature, &check.signed_text,
                                            mirror->repository, &id, NULL);
    const git_error *last = git_error_last();
    if (code == GIT_ENOTFOUND && last && last->klass == GIT_ERROR_OBJECT)
        error_set(err, ERROR_INVALID,
                  "commit %s is not used: it is not signed, and --verify-keys wants that",
                  check.commit);
    else if (code)
        repo_mirror_failure(mirror, "read the signature", err);
    else if (check.signature.size > SIGNATURE_BYTES_MAX)
        error_set(err, ERROR_INVALID, "commit %s is not used: its signature is too long",
                  check.commit);
    else if (write_signature(&check, err) == 0)
        result = check_signature(&check, signer, err);
    (void)unlink(check.file);
    git_buf_dispose(&check.signature);
    git_buf_dispose(&check.signed_text);
    free(check.file);
    return result;
}
