/* The lock of one fleet on one engine, in a runtime folder of the test's own. */
#include "reconciler/lock.h"

#include "base/memory.h"
#include "base/test.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static int open_folder(void **state)
{
    char *folder = memory_string("/tmp/kind-lock-XXXXXX");
    *state = folder;
    return !mkdtemp(folder) || setenv("XDG_RUNTIME_DIR", folder, 1);
}

static int close_folder(void **state)
{
    nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

#define ENGINE "unix:///var/run/docker.sock"

/* "held", "taken: WHO" or the error; a lock that is held stays in *lock. */
static char *try(const char *engine, const char *fleet, const char *command, struct lock *lock)
{
    cleanup_error struct error *err = NULL;
    cleanup_free char *holder = NULL;
    if (lock_try(engine, fleet, command, lock, &holder, &err))
        return memory_string(err->message);
    return lock->fd >= 0 ? memory_string("held") : memory_format("taken: %s", holder);
}

static void expect(const char *engine, const char *fleet, const char *want)
{
    struct lock lock = {.fd = -1};
    cleanup_free char *got = try(engine, fleet, "kind diff", &lock);
    test_equal(got, want);
    lock_release(&lock);
    lock_release(&lock); /* twice is fine */
}

static void one_at_a_time(void **state)
{
    (void)state;
    struct lock lock;
    cleanup_free char *first = try(ENGINE, "default", "kind apply -f lab/", &lock);
    cleanup_free char *taken = memory_format("taken: process %d (kind apply -f lab/)", getpid());
    test_equal(first, "held");
    test_row("the same fleet");
    expect(ENGINE, "default", taken);
    test_row("another fleet");
    expect(ENGINE, "lab", "held");
    test_row("another engine");
    expect("tcp://10.0.0.1:2375", "default", "held");
    lock_release(&lock);
    test_row("released");
    expect(ENGINE, "default", "held");
}

/* A process that dies holds nothing any more. */
static void a_dead_holder(void **state)
{
    (void)state;
    int ready[2], status;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lock lock;
        cleanup_free char *got = try(ENGINE, "default", "kind watch", &lock);
        (void)!write(ready[1], got, 1);
        pause();
        _exit(0);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    cleanup_free char *taken = memory_format("taken: process %d (kind watch)", (int)child);
    expect(ENGINE, "default", taken);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    expect(ENGINE, "default", "held");
    close(ready[0]);
    close(ready[1]);
}

/* What the file says is for people: nothing, or much, is no trouble. */
static void a_holder_without_a_name(void **state)
{
    (void)state;
    struct lock lock;
    cleanup_free char *first = try(ENGINE, "default", "", &lock);
    test_equal(first, "held");
    assert_int_equal(ftruncate(lock.fd, 0), 0);
    expect(ENGINE, "default", "taken: another process");
    cleanup_free char *long_text = memory_new(2000);
    memset(long_text, 'x', 1999);
    assert_int_equal(pwrite(lock.fd, long_text, 1999, 0), 1999);
    long_text[299] = '\0';
    cleanup_free char *taken = memory_format("taken: %s", long_text);
    expect(ENGINE, "default", taken);
    lock_release(&lock);
}

static void a_folder_that_is_not_ours(void **state)
{
    cleanup_free char *folder = memory_format("%s/kind", (char *)*state);
    cleanup_free char *want = memory_format("%s is not a folder of ours; remove it", folder);
    test_row("a link");
    assert_int_equal(symlink("/tmp", folder), 0);
    expect(ENGINE, "default", want);
    assert_int_equal(unlink(folder), 0);
    test_row("a file");
    int file = open(folder, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(file);
    expect(ENGINE, "default", want);
    assert_int_equal(unlink(folder), 0);
    test_row("no parent");
    cleanup_free char *missing = memory_format("%s/none", (char *)*state);
    cleanup_free char *why =
        memory_format("make %s/kind for the lock: No such file or directory", missing);
    setenv("XDG_RUNTIME_DIR", missing, 1);
    expect(ENGINE, "default", why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_at_a_time, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(a_dead_holder, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(a_holder_without_a_name, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_ours, open_folder, close_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
