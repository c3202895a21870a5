/* Which files hold a secret, and what becomes of one that is replaced. */
#include "cli/secret_file.h"

#include "base/memory.h"
#include "base/test.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kind-secret-XXXXXX";
static char *path;

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    path = memory_format("%s/token", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    free(path);
    return 0;
}

static void write_secret(const char *bytes, size_t length, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void test_files(void **state)
{
    static const struct {
        const char *name, *bytes;
        mode_t mode;
        bool good;
    } rows[] = {
        {"its owner's", "0123456789\n", 0600, true},
        {"read only", "0123456789", 0400, true},
        {"for the world", "0123456789", 0644, false},
        {"for the world alone", "0123456789", 0604, false},
        {"a group may write", "0123456789", 0660, false},
        {"too short", "0123456\n", 0600, false},
        {"empty", "", 0600, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_error struct error *failure = NULL;
        struct secret_file secret;
        test_row(rows[i].name);
        write_secret(rows[i].bytes, strlen(rows[i].bytes), rows[i].mode);
        assert_int_equal(secret_file_open(&secret, path, 1, &failure) == 0, rows[i].good);
        if (!rows[i].good)
            assert_int_equal(failure->kind, ERROR_INVALID);
        else
            assert_int_equal(secret.length, 10);
        secret_file_close(&secret);
    }
}

static void test_no_file(void **state)
{
    cleanup_error struct error *absent = NULL, *none = NULL, *other = NULL, *large = NULL;
    struct secret_file secret;
    char bytes[SECRET_BYTES_MAX + 1];
    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    unlink(path);
    assert_int_equal(secret_file_open(&secret, path, 1, &absent), -1);
    assert_int_equal(secret_file_open(&secret, folder, 1, &other), -1);
    write_secret(bytes, sizeof(bytes), 0600);
    assert_int_equal(secret_file_open(&secret, path, 1, &large), -1);
    assert_int_equal(secret_file_open(&secret, NULL, 1, &none), 0);
    assert_false(secret_file_fresh(&secret, 100000));
}

static void test_replaced(void **state)
{
    cleanup_error struct error *failure = NULL;
    struct secret_file secret;
    (void)state;
    write_secret("first-one", 9, 0600);
    assert_int_equal(secret_file_open(&secret, path, 1000, &failure), 0);
    write_secret("second-one", 10, 0600);
    assert_true(secret_file_fresh(&secret, 1500));
    assert_true(secret_equal(secret.bytes, secret.length, "first-one", 9));
    assert_true(secret_file_fresh(&secret, 2000));
    assert_true(secret_equal(secret.bytes, secret.length, "second-one", 10));
    write_secret("third-one", 9, 0644);
    assert_false(secret_file_fresh(&secret, 3000));
    unlink(path);
    assert_false(secret_file_fresh(&secret, 4000));
    write_secret("fourth-one", 10, 0600);
    assert_true(secret_file_fresh(&secret, 5000));
    secret_file_close(&secret);
}

static void test_equal_bytes(void **state)
{
    (void)state;
    assert_true(secret_equal("abc", 3, "abc", 3));
    assert_true(secret_equal("", 0, "", 0));
    assert_false(secret_equal("abc", 3, "abcd", 4));
    assert_false(secret_equal("abc", 3, "abd", 3));
    assert_false(secret_equal("a\0b", 3, "a\0c", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_equal_bytes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
