/*
 * folder_lab.h - for tests: a folder of their own, a watch of it, and what people do in there.
 */
#ifndef RECONCILER_FOLDER_LAB_H
#define RECONCILER_FOLDER_LAB_H

#include "base/memory.h"
#include "base/test.h"
#include "reconciler/folder_watch.h"
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SETTLE_MS = 20,
    WAKE_WITHIN_MS = 20000, /* of a machine that is busy */
    QUIET_MS = 70,
};

static char folder[40]; /* also the working directory; in memory, if there is such a place */
static uv_loop_t loop;
static struct folder_watch *watch;
static unsigned wakes;

static inline void changed(void *context)
{
    assert_ptr_equal(context, &wakes);
    wakes++;
}

static inline void open_watch(const char *const *paths, size_t count)
{
    struct error *err = NULL;
    wakes = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    if (folder_watch_open(&loop, paths, count, SETTLE_MS, changed, &wakes, &watch, &err))
        fail_msg("%s", err->message);
}

static inline void open_one(const char *path)
{
    open_watch(&path, 1);
}

static inline void close_watch(void)
{
    folder_watch_close(watch);
    watch = NULL;
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static inline void time_came(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Runs the loop until there were this many wakes, or the time is over. */
static inline void run_until(unsigned enough, uint64_t within_ms)
{
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    timer.data = &over;
    uv_update_time(&loop);
    /* Again and again: one that comes due before the loop polls must not leave it without any. */
    uv_timer_start(&timer, time_came, within_ms, 1);
    while (!over && wakes < enough)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static inline void expect_wake_at(const char *what, int line)
{
    run_until(1, WAKE_WITHIN_MS);
    if (!wakes)
        fail_msg("line %d: %s did not wake", line, what);
    run_until(UINT_MAX, QUIET_MS);
    wakes = 0;
}

static inline void expect_quiet_at(const char *what, int line)
{
    run_until(1, QUIET_MS);
    if (wakes)
        fail_msg("line %d: %s woke", line, what);
}

#define expect_wake(what) expect_wake_at(what, __LINE__)
#define expect_quiet(what) expect_quiet_at(what, __LINE__)

static inline void write_file(const char *path, const char *bytes)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(bytes, file);
    fclose(file);
}

static inline void shell(const char *command)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-ec", command, NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("%s: status %d", command, status);
}

static inline void make_lab(void)
{
    shell("rm -rf ./*; mkdir -p lab/sub; echo a >lab/a.yaml; echo b >lab/sub/b.yaml; "
          "ln -s sub/b.yaml lab/link.yaml");
}

static inline int remove_entry(const char *path, const struct stat *info, int kind,
                               struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static inline int enter_folder(void **state)
{
    (void)state;
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    if (snprintf(folder, sizeof(folder), "%s/folder-watch-XXXXXX", base) < 0)
        return -1;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static inline int leave_folder(void **state)
{
    (void)state;
    return chdir("/") || nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
