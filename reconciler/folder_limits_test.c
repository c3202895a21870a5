/* A folder in which more happens, or that holds more, than the host has room for. */
#include "reconciler/folder_lab.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

/* The host's limits, as tests want them: how many watches are left. */
static unsigned watches_left = UINT_MAX;
static bool instances_left = true;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (watches_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    watches_left -= watches_left != UINT_MAX;
    return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

int inotify_init1(int flags)
{
    if (!instances_left) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_inotify_init1, flags);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    char line[64];
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    pages = strtol(strchr(line, ' '), NULL, 10);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/* 10,000 files renamed at once, and again while the loop runs: few wakes, no memory. */
static void stands_a_storm(void **state)
{
    (void)state;
    char from[64], to[64];
    make_lab();
    for (unsigned i = 0; i < 10000; i++) {
        assert_true(snprintf(from, sizeof(from), "lab/f%u.yaml", i) > 0);
        write_file(from, "1");
    }
    open_one("lab");
    long before_kib = resident_kib();
    for (unsigned round = 0; round < 2; round++) {
        wakes = 0;
        uv_update_time(&loop);
        uint64_t begun_ms = uv_now(&loop);
        for (unsigned i = 0; i < 10000; i++) {
            assert_true(snprintf(from, sizeof(from), "lab/f%u.yaml", i) > 0);
            assert_true(snprintf(to, sizeof(to), "lab/t%u.yaml", i) > 0);
            assert_int_equal(rename(round ? to : from, round ? from : to), 0);
            if (round)
                uv_run(&loop, UV_RUN_NOWAIT);
        }
        if (!round) {
            uv_update_time(&loop); /* all has happened, and nothing was read yet */
            begun_ms = uv_now(&loop);
        }
        run_until(1, WAKE_WITHIN_MS);
        run_until(UINT_MAX, QUIET_MS);
        /* A pause longer than it takes to settle is the end of a storm, on a busy machine too. */
        assert_in_range(wakes, 1, 2 + (uv_now(&loop) - begun_ms) / SETTLE_MS);
    }
    if (!TEST_SANITIZED)
        assert_true(resident_kib() - before_kib < 1024);
    wakes = 0;
    write_file("lab/f1.yaml", "2");
    expect_wake("a file after the storm");
    close_watch();
}

/* More happens than the kernel keeps for us, a new folder with it: found all the same. */
static void survives_an_overflow(void **state)
{
    (void)state;
    char path[64];
    make_lab();
    open_one("lab");
    write_file("lab/x.yaml", "1");
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(
            rename(i % 2 ? "lab/y.yaml" : "lab/x.yaml", i % 2 ? "lab/x.yaml" : "lab/y.yaml"), 0);
    shell("mkdir lab/late; echo 1 >lab/late/a.yaml");
    expect_wake("the storm");
    assert_true(snprintf(path, sizeof(path), "lab/late/a.yaml") > 0);
    write_file(path, "2");
    expect_wake("a file in a folder of which no event came");
    close_watch();
}

static void tells_what_is_used_up(void **state)
{
    (void)state;
    make_lab();
    watches_left = 1;
    open_one("lab");
    const struct error *problem = folder_watch_problem(watch);
    assert_non_null(problem);
    assert_int_equal(problem->kind, ERROR_UNAVAILABLE);
    assert_non_null(strstr(problem->message, "sysctl -w fs.inotify.max_user_watches="));
    watches_left = UINT_MAX;
    folder_watch_renew(watch);
    assert_null(folder_watch_problem(watch));
    shell("echo 1 >lab/sub/b.yaml");
    expect_wake("a file, once there were more");
    close_watch();

    instances_left = false;
    const char *path = "lab";
    struct error *err = NULL;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(folder_watch_open(&loop, &path, 1, SETTLE_MS, changed, &wakes, &watch, &err),
                     -1);
    instances_left = true;
    assert_int_equal(err->kind, ERROR_UNAVAILABLE);
    assert_non_null(strstr(err->message, "sysctl -w fs.inotify.max_user_instances="));
    error_free(err);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void has_limits(void **state)
{
    (void)state;
    char path[64];
    shell("rm -rf ./*; mkdir lab");
    for (unsigned i = 0; i < FOLDER_WATCH_FOLDERS_MAX + 20; i++) {
        assert_true(snprintf(path, sizeof(path), "lab/%u", i) > 0);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    open_one("lab");
    const struct error *problem = folder_watch_problem(watch);
    assert_non_null(problem);
    assert_non_null(strstr(problem->message, "more than 10000 folders"));
    shell("echo 1 >lab/a.yaml");
    expect_wake("a file in what is watched");
    close_watch();

    /* Deeper than a source may be: not watched, and no trouble. */
    shell("rm -rf lab; mkdir -p lab/$(seq -s / 1 60); echo 1 >lab/a.yaml");
    open_one("lab");
    assert_null(folder_watch_problem(watch));
    shell("echo 1 >lab/$(seq -s / 1 60)/a.yaml");
    expect_quiet("what is too deep");
    shell("echo 1 >lab/$(seq -s / 1 32)/a.yaml");
    expect_wake("what is just not");
    close_watch();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_a_storm),
        cmocka_unit_test(survives_an_overflow),
        cmocka_unit_test(tells_what_is_used_up),
        cmocka_unit_test(has_limits),
    };
    return cmocka_run_group_tests_name("folder_limits", tests, enter_folder, leave_folder);
}
