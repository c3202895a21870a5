/* repo_secret_test.c - private keys as ssh-keygen writes them, and files that others can read. */
#include "reconciler/repo_secret.h"

#include "base/memory.h"
#include "base/test.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPENSSH(body)                                                                              \
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" body "\n-----END OPENSSH PRIVATE KEY-----\n"

/* What stands before the keys themselves: magic, cipher, derivation, its options, one key, its
 * public half of the type that the name says. No secret is in them. */
#define ED_HEAD                                                                                    \
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACAp"         \
    "J1jMB/5Z2gZO88BpvrnXdvlmEjXyEmLiwbnEgg2/SwAA"
#define RSA_HEAD "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAACwAAAAdzc2gtcnNh"
#define LOCKED_HEAD                                                                                \
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAAAAAAAEAAAALAAAAB3NzaC1yc2E="

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want; /* NULL: it can be used */
    } rows[] = {
        {"ed25519", OPENSSH(ED_HEAD), NULL},
        {"RSA", OPENSSH(RSA_HEAD), "is an RSA key"},
        {"behind a passphrase", OPENSSH(LOCKED_HEAD), "is behind a passphrase"},
        {"cut off", "-----BEGIN OPENSSH PRIVATE KEY-----\n" ED_HEAD, "is cut off"},
        {"no base64", OPENSSH("%%%%"), "is cut off"},
        {"another magic", OPENSSH("YWJj"), "is cut off"},
        {"too short", OPENSSH("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU="), "is cut off"},
        {"old RSA", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", "is an RSA key"},
        {"old, locked", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
         "is behind a passphrase"},
        {"EC", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", NULL},
        {"public", "ssh-ed25519 AAAA me\n", "is the public half"},
        {"something else", "hello\n", "is not a private key"},
        {"nothing", "", "is not a private key"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        test_row(rows[i].name);
        const char *got = repo_secret_judge_key(arena, rows[i].text);
        assert_int_equal(got != NULL, rows[i].want != NULL);
        if (got && strncmp(got, rows[i].want, strlen(rows[i].want)) != 0)
            test_equal(got, rows[i].want);
    }
}

static void tokens(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        mode_t mode;
        const char *token, *problem;
    } rows[] = {
        {"a word", "abc", 0600, "abc", NULL},
        {"with a newline", "abc\n", 0400, "abc", NULL},
        {"two words", "abc def\n", 0600, NULL, "does not hold one word"},
        {"nothing", "\n", 0600, NULL, "does not hold one word"},
        {"the group can read it", "abc", 0640, NULL, "others can read it (mode 0640)"},
        {"all can read it", "abc", 0604, NULL, "others can read it (mode 0604)"},
    };
    char path[] = "/tmp/kind-token-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        cleanup_error struct error *err = NULL;
        const char *token = NULL;
        test_row(rows[i].name);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].text, strlen(rows[i].text), 0), strlen(rows[i].text));
        assert_int_equal(fchmod(fd, rows[i].mode), 0);
        int code = repo_secret_read_token(arena, "--git-token-file", path, &token, &err);
        assert_int_equal(code, rows[i].token ? 0 : -1);
        if (rows[i].token)
            test_equal(token, rows[i].token);
        else if (!strstr(err->message, rows[i].problem))
            test_equal(err->message, rows[i].problem);
    }
    close(fd);
    unlink(path);
}

static void files(void **state)
{
    (void)state;
    static const struct {
        const char *path, *problem;
    } rows[] = {
        {"/nonexistent/token", "No such file"},
        {"/dev/null", "not a regular file"},
        {"/tmp", "not a regular file"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        cleanup_error struct error *err = NULL;
        const char *token = NULL;
        test_row(rows[i].path);
        assert_int_equal(
            repo_secret_read_token(arena, "--git-token-file", rows[i].path, &token, &err), -1);
        if (!strstr(err->message, rows[i].problem))
            test_equal(err->message, rows[i].problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(tokens),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
