/* Real files in a folder of the test's own: what wakes, what does not, and that nothing is lost. */
#include "reconciler/folder_lab.h"

#include "reconciler/folder_walk.h"
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>

/* clang-format off */
/* What a user does in a folder "lab" that holds a.yaml, sub/b.yaml, link.yaml -> sub/b.yaml. */
static const struct {
    const char *name, *before, *command;
    bool wakes;
} rows[] = {
    {"write a file", "", "echo 1 >lab/a.yaml", true},
    {"append to a file", "", "echo 1 >>lab/a.yaml", true},
    {"a new file", "", "echo 1 >lab/new.yaml", true},
    {"a new file that is empty", "", ": >lab/new.yaml", true},
    {"a hard link to a file elsewhere", "echo 1 >other", "ln other lab/new.yaml", true},
    {"remove a file", "", "rm lab/a.yaml", true},
    {"rename a file", "", "mv lab/a.yaml lab/c.yaml", true},
    {"move a file in from elsewhere", "echo 1 >other", "mv other lab/a.yaml", true},
    {"move a file out", "", "mv lab/a.yaml other", true},
    {"let a file be read", "", "chmod 600 lab/a.yaml", true},
    {"a file in a folder below", "", "echo 1 >lab/sub/b.yaml", true},
    {"a file in a folder of a folder", "mkdir -p lab/x/y", "echo 1 >lab/x/y/z.yaml", true},
    {"remove a folder below", "", "rm -r lab/sub", true},
    {"move a folder in that holds files", "mkdir in; echo 1 >in/z.yaml", "mv in lab/in", true},
    {"move a folder out", "", "mv lab/sub out", true},
    {"a file that the user's list names otherwise", "", "echo 1 >lab/values.json", true},
    {"vim with a backup", "", "cd lab; : >4913; rm 4913; mv a.yaml a.yaml~; echo 1 >a.yaml; rm a.yaml~", true},
    {"sed -i", "", "sed -i s/a/b/ lab/a.yaml", true},
    {"an atomic rename of a hidden file", "", "echo 1 >lab/.a.tmp; mv lab/.a.tmp lab/a.yaml", true},
    {"the target of a link outside", "mkdir o; echo 1 >o/t.yaml; ln -s ../o/t.yaml lab/l.yaml", "echo 2 >o/t.yaml", true},
    {"a neighbour of such a target", "mkdir o; echo 1 >o/t.yaml; ln -s ../o/t.yaml lab/l.yaml", "echo 2 >o/u.yaml", false},
    {"a link to a folder: a file in it", "mkdir o; ln -s ../o lab/l", "echo 2 >o/u.yaml", true},
    {"a link is turned elsewhere", "", "ln -sfn a.yaml lab/link.yaml", true},
    {"a link that hangs gets its target", "ln -s ../o/t.yaml lab/l.yaml", "mkdir o; echo 1 >o/t.yaml", true},
    {"links in a circle", "ln -s y.yaml lab/x.yaml; ln -s x.yaml lab/y.yaml", "ln -sfn a.yaml lab/x.yaml", true},
    {"a link to the folder itself", "ln -s . lab/self; ln -s .. lab/sub/up", "rm lab/a.yaml", true},
    {"the folder is deleted", "", "rm -r lab", true},
    {"the folder is moved away", "", "mv lab gone", true},
    {"another folder takes its place", "mkdir new", "mv lab gone; mv new lab", true},
    {"reading", "", "cat lab/a.yaml lab/sub/b.yaml >cat.out; ls -R lab >ls.out", false},
    {"a hidden file", "", "echo 1 >lab/.hidden; rm lab/.hidden", false},
    {"a hidden folder", "", "mkdir -p lab/.git/x; echo 1 >lab/.git/x/a.yaml; rm -r lab/.git", false},
    {"vim's swap file", "", "echo 1 >lab/.a.yaml.swp; rm lab/.a.yaml.swp", false},
    {"a swap file that is not hidden", "", "echo 1 >lab/a.yaml.swp; rm lab/a.yaml.swp", false},
    {"vim's test of the folder", "", ": >lab/4913; rm lab/4913", false},
    {"a backup", "", "cp lab/a.yaml lab/a.yaml~", false},
    {"emacs' lock and its copies", "", "ln -s me@host:1 lab/.#a.yaml; echo 1 >'lab/#a.yaml#'", false},
    {"a neighbour of the folder", "", "echo 1 >other; mkdir o; echo 1 >o/u.yaml", false},
};
/* clang-format on */

static void wakes_and_does_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        make_lab();
        shell(rows[i].before);
        open_one("lab");
        shell(rows[i].command);
        if (rows[i].wakes)
            expect_wake(rows[i].name);
        else
            expect_quiet(rows[i].name);
        assert_null(folder_watch_problem(watch));
        close_watch();
    }
}

/* One file by path: its folder may hold much that is nobody's business. */
static void watches_one_file(void **state)
{
    (void)state;
    make_lab();
    open_one("lab/a.yaml");
    shell("echo 1 >lab/other.yaml; echo 1 >lab/sub/b.yaml; rm lab/other.yaml");
    expect_quiet("a neighbour");
    shell("echo 1 >lab/.a; mv lab/.a lab/a.yaml");
    expect_wake("an atomic rename");
    shell("echo 1 >>lab/a.yaml");
    expect_wake("the new file");
    shell("rm lab/a.yaml");
    expect_wake("its end");
    shell("echo 1 >lab/a.yaml");
    expect_wake("its return");
    shell("mkdir lab/2; echo 1 >lab/2/a.yaml; mv lab lab.old; mv lab.old/2 lab");
    expect_wake("another folder in place of its own");
    shell("echo 1 >>lab/a.yaml");
    expect_wake("the file in that");
    close_watch();
}

/* After each of these the next change is seen, too. */
static void watches_what_comes_back(void **state)
{
    (void)state;
    make_lab();
    char path[PATH_MAX];
    assert_true((size_t)snprintf(path, sizeof(path), "%s/lab", folder) < sizeof(path));
    open_one(path);
    shell("rm -r lab");
    expect_wake("the folder's end");
    shell("echo 1 >other");
    expect_quiet("a neighbour of what is missing");
    shell("mkdir -p lab/deep/er; echo 1 >lab/deep/er/a.yaml");
    expect_wake("its return");
    shell("echo 1 >>lab/deep/er/a.yaml");
    expect_wake("a file deep in it");
    shell("mv lab away");
    expect_wake("its move");
    shell("echo 1 >>away/deep/er/a.yaml");
    expect_quiet("what was moved away");
    shell("mv away lab");
    expect_wake("its move back");
    shell("echo 1 >>lab/deep/er/a.yaml");
    expect_wake("the file deep in it, again");
    close_watch();
}

/* Folders on the way go and come, one by one. */
static void waits_for_folders_on_the_way(void **state)
{
    (void)state;
    shell("rm -rf ./*");
    open_one("a/b/c/x.yaml");
    shell("mkdir a");
    expect_wake("the first");
    shell("mkdir a/b; mkdir a/b/c");
    expect_wake("two more");
    shell("echo 1 >a/b/c/x.yaml");
    expect_wake("the file");
    shell("mv a gone");
    expect_wake("the first one moved");
    shell("mkdir -p a/b/c; echo 1 >a/b/c/x.yaml");
    expect_wake("all at once");
    shell("echo 2 >a/b/c/x.yaml");
    expect_wake("the file again");
    shell("ln -sfn a way; rm -r a; mkdir -p z/b/c; ln -s z a");
    expect_wake("a link in place of a folder");
    shell("echo 2 >z/b/c/x.yaml");
    expect_wake("the file behind it");
    close_watch();
}

/* As Kubernetes puts a ConfigMap in place: files are links through ..data, which is exchanged. */
static void follows_kubernetes_data(void **state)
{
    (void)state;
    shell("rm -rf ./*; mkdir -p cm/..1; echo 1 >cm/..1/a.yaml; ln -s ..1 cm/..data; "
          "ln -s ..data/a.yaml cm/a.yaml");
    open_one("cm");
    for (unsigned i = 2; i < 5; i++) {
        cleanup_free char *swap =
            memory_format("cd cm && mkdir ..%u && echo %u >..%u/a.yaml && ln -s ..%u ..data_tmp && "
                          "mv -T ..data_tmp ..data && rm -r ..%u",
                          i, i, i, i, i - 1);
        shell(swap);
        expect_wake("..data");
    }
    shell("echo 7 >cm/..4/a.yaml");
    expect_wake("the file in force");
    close_watch();
}

/* A subfolder and its file come in one moment: what `changed` reads is whole, or it is called
 * again. */
static void loses_nothing_in_new_folders(void **state)
{
    (void)state;
    make_lab();
    open_one("lab");
    for (unsigned i = 0; i < 8; i++) {
        cleanup_free char *command =
            memory_format("mkdir -p lab/n%u/x; echo 1 >lab/n%u/x/a.yaml", i, i);
        shell(command);
        expect_wake("a new folder");
        cleanup_free char *path = memory_format("lab/n%u/x/a.yaml", i);
        write_file(path, "2");
        expect_wake("the file in it");
    }
    close_watch();
}

/* Many events, few wakes; events without end, a wake a second and not none. */
static void settles(void **state)
{
    (void)state;
    make_lab();
    open_one("lab");
    for (unsigned i = 0; i < 200; i++)
        write_file("lab/a.yaml", "2");
    run_until(UINT_MAX, QUIET_MS);
    assert_int_equal(wakes, 1);

    wakes = 0;
    uv_update_time(&loop);
    uint64_t begun_ms = uv_now(&loop), first_ms = 0;
    while (uv_now(&loop) - begun_ms < 2300) {
        write_file("lab/a.yaml", "3");
        run_until(UINT_MAX, 2);
        if (wakes && !first_ms)
            first_ms = uv_now(&loop) - begun_ms;
    }
    assert_true(wakes >= 1);
    assert_in_range(first_ms, SETTLE_MS, 2000);
    close_watch();
}

/* Something that is mounted over the folder tells nothing; its end does. In a namespace of our own.
 */
static void notices_mounts(void **state)
{
    (void)state;
    make_lab();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
            mount("none", "lab", "tmpfs", 0, NULL))
            _exit(77);
        open_one("lab");
        write_file("lab/m.yaml", "1");
        expect_wake("a file of what is mounted");
        if (umount("lab"))
            _exit(1);
        expect_wake("its end");
        write_file("lab/a.yaml", "2");
        expect_wake("the folder below");
        if (mount("none", "lab", "tmpfs", 0, NULL))
            _exit(1);
        write_file("lab/m.yaml", "1");
        expect_quiet("what was mounted over it");
        folder_watch_renew(watch);
        write_file("lab/m.yaml", "2");
        expect_wake("it, after a look");
        close_watch();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        print_message("this user may not mount: not looked at\n");
    else
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* What may not be read is watched as soon as it may. As root all may be read: as somebody else. */
static void waits_for_leave_to_read(void **state)
{
    (void)state;
    make_lab();
    shell("chmod 755 . lab; chmod 000 lab/sub");
    bool root = geteuid() == 0;
    if (root)
        assert_int_equal(seteuid(65534), 0);
    open_one("lab");
    if (root)
        assert_int_equal(seteuid(0), 0);
    shell("chmod 755 lab/sub");
    expect_wake("leave to read");
    shell("echo 1 >lab/sub/b.yaml");
    expect_wake("a file in it");
    close_watch();
}

static size_t open_files(void)
{
    size_t count = 0;
    DIR *stream = opendir("/proc/self/fd");
    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count;
}

static void close_in_callback(void *context)
{
    wakes++;
    folder_watch_close(*(struct folder_watch **)context);
}

static void leaves_nothing_behind(void **state)
{
    (void)state;
    make_lab();
    size_t before = open_files();
    for (unsigned i = 0; i < 50; i++) {
        open_one("lab");
        write_file("lab/a.yaml", "2");
        close_watch();
    }
    assert_int_equal(open_files(), before);

    struct error *err = NULL;
    const char *const paths[] = {"-", "lab", "lab/a.yaml", "nothing"};
    wakes = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(folder_watch_open(&loop, paths, COUNT_OF(paths), SETTLE_MS, close_in_callback,
                                       &watch, &watch, &err),
                     0);
    write_file("lab/a.yaml", "2");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(wakes, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(open_files(), before);
    folder_watch_close(NULL);
}

static void knows_what_to_pass_over(void **state)
{
    (void)state;
    static const char *const passed[] = {".a.yaml", "..data", "a.yaml~",  "x.swp",
                                         "x.swx",   "4913",   "#a.yaml#", "a.yaml___jb_tmp___",
                                         "x.tmp"};
    static const char *const taken[] = {"a.yaml", "a", "#a", "4914", "swp", "a.yaml.bak"};
    for (size_t i = 0; i < COUNT_OF(passed); i++)
        assert_true(folder_walk_passes_over(passed[i]));
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        assert_false(folder_walk_passes_over(taken[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wakes_and_does_not),
        cmocka_unit_test(watches_one_file),
        cmocka_unit_test(watches_what_comes_back),
        cmocka_unit_test(waits_for_folders_on_the_way),
        cmocka_unit_test(follows_kubernetes_data),
        cmocka_unit_test(loses_nothing_in_new_folders),
        cmocka_unit_test(settles),
        cmocka_unit_test(notices_mounts),
        cmocka_unit_test(waits_for_leave_to_read),
        cmocka_unit_test(leaves_nothing_behind),
        cmocka_unit_test(knows_what_to_pass_over),
    };
    return cmocka_run_group_tests_name("folder_watch", tests, enter_folder, leave_folder);
}
