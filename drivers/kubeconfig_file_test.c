#include "drivers/kubeconfig_file.h"
#include "drivers/kubeconfig_lock.h"

#include "base/memory.h"
#include "base/test.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test works in a fresh folder, which is also its working directory. */
struct fixture {
    char folder[32];
    char *addition;
    struct kubeconfig_paths paths;
};

static const char admin_conf[] =
    "apiVersion: v1\nkind: Config\n"
    "clusters: [{name: c, cluster: {server: 'https://c:6443', certificate-authority-data: Y2E=}}]\n"
    "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
    "users: [{name: u, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}]\n";

static const char others[] = "# mine\nclusters:\n- name: other\n  cluster: {server: https://o}\n";

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/kubeconfig-test-XXXXXX");
    if (!mkdtemp(fixture->folder) || chdir(fixture->folder) < 0)
        return -1;
    unsetenv("KUBECONFIG");
    unsetenv("KIND_TESTDATA"); /* test_read_file is to read here */
    setenv("HOME", fixture->folder, 1);
    struct text text;
    text_init(&text, 0);
    struct error *err = NULL;
    if (kubeconfig_from_admin(admin_conf, "lab", "https://127.0.0.1:34567", &text, &err) < 0)
        return -1;
    fixture->addition = text_take(&text);
    *state = fixture;
    return 0;
}

static void remove_tree(const char *folder)
{
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        cleanup_free char *path = memory_format("%s/%s", folder, entry->d_name);
        if (unlink(path) < 0)
            remove_tree(path);
    }
    closedir(listing);
    assert_int_equal(rmdir(folder), 0);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    kubeconfig_paths_done(&fixture->paths);
    free(fixture->addition);
    int moved = chdir("/");
    remove_tree(fixture->folder);
    free(fixture);
    return moved;
}

static void write_file(const char *path, const char *content, mode_t mode)
{
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
}

static bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* How many files a folder has: no lock, no temporary file may be left. */
static size_t count_files(const char *folder)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(listing);
    return count;
}

static void find_paths(struct fixture *fixture, const char *flag)
{
    cleanup_error struct error *err = NULL;
    kubeconfig_paths_done(&fixture->paths);
    assert_int_equal(kubeconfig_paths_find(flag, &fixture->paths, &err), 0);
    fixture->paths.lock_timeout_ms = 100;
}

static void put_well(struct fixture *fixture)
{
    cleanup_error struct error *err = NULL;
    int status = kubeconfig_file_put(&fixture->paths, "lab", fixture->addition,
                                     KUBECONFIG_SET_CONTEXT, &err);
    if (err)
        print_error("%s\n", err->message);
    assert_int_equal(status, 0);
}

/* Puts, which must fail; the message is the caller's. */
static struct error *put_badly(struct fixture *fixture)
{
    struct error *err = NULL;
    assert_int_equal(kubeconfig_file_put(&fixture->paths, "lab", fixture->addition,
                                         KUBECONFIG_SET_CONTEXT, &err),
                     -1);
    return err;
}

static void check_message(const struct error *err, const char *part)
{
    if (!strstr(err->message, part))
        fail_msg("\"%s\" does not say \"%s\"", err->message, part);
}

static void check_file(const char *path, const char *content)
{
    cleanup_free char *got = test_read_file(path);
    test_equal(got, content);
}

/* ':' separates here; HOME is "/home". */
static void paths_from_everywhere(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name, *flag, *environment, *want;
    } rows[] = {
        {"flag", "mine", "a:b", "mine"},
        {"empty flag", "", "a:b", "a:b"},
        {"environment", NULL, "a:b", "a:b"},
        {"empty parts, twice the same", NULL, ":a::b:a:ab:", "a:b:ab"},
        {"only colons", NULL, "::", "/home/.kube/config"},
        {"nothing", NULL, NULL, "/home/.kube/config"},
    };
    setenv("HOME", "/home", 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        unsetenv("KUBECONFIG");
        if (rows[i].environment)
            setenv("KUBECONFIG", rows[i].environment, 1);
        find_paths(fixture, rows[i].flag);
        cleanup_text struct text text;
        text_init(&text, 0);
        for (size_t p = 0; p < fixture->paths.count; p++)
            text_add_format(&text, "%s%s", p ? ":" : "", fixture->paths.items[p]);
        test_equal(text.data, rows[i].want);
    }
}

static void paths_from_nowhere(void **state)
{
    (void)state;
    struct kubeconfig_paths paths = {0};
    cleanup_error struct error *err = NULL;
    unsetenv("HOME");
    assert_int_equal(kubeconfig_paths_find(NULL, &paths, &err), -1);
    check_message(err, "HOME is not set");
}

static void target_is_the_first_that_exists(void **state)
{
    struct fixture *fixture = *state;
    setenv("KUBECONFIG", "missing:folder:there:also", 1);
    find_paths(fixture, NULL);
    test_equal(kubeconfig_paths_target(&fixture->paths), "also");
    mkdir("folder", 0755);
    write_file("also", "", 0600);
    write_file("there", "", 0600);
    test_equal(kubeconfig_paths_target(&fixture->paths), "there");
}

static void new_file_in_new_folders(void **state)
{
    struct fixture *fixture = *state;
    umask(022);
    find_paths(fixture, "deep/er/config");
    put_well(fixture);
    check_file("deep/er/config", fixture->addition);
    assert_int_equal(mode_of("deep/er/config"), 0600);
    assert_int_equal(mode_of("deep/er"), 0755);
    assert_int_equal(count_files("deep/er"), 1);
}

static void mode_is_kept(void **state)
{
    struct fixture *fixture = *state;
    write_file("config", others, 0640);
    find_paths(fixture, "config");
    put_well(fixture);
    assert_int_equal(mode_of("config"), 0640);
    cleanup_free char *got = test_read_file("config");
    assert_non_null(strstr(got, "name: other"));
    assert_non_null(strstr(got, "name: kind-lab"));
}

/* Only root can tell. */
static void owner_is_kept(void **state)
{
    struct fixture *fixture = *state;
    uid_t owner = geteuid() == 0 ? 12345 : geteuid();
    write_file("config", others, 0600);
    assert_int_equal(chown("config", owner, (gid_t)-1), 0);
    find_paths(fixture, "config");
    put_well(fixture);
    struct stat status;
    assert_int_equal(stat("config", &status), 0);
    assert_int_equal(status.st_uid, owner);
}

static void links_are_followed(void **state)
{
    struct fixture *fixture = *state;
    static const char *const rows[] = {"existing", "dangling"};
    mkdir("real", 0755);
    assert_int_equal(symlink("real/second", "config"), 0);
    assert_int_equal(symlink("third", "real/second"), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i]);
        if (i == 0)
            write_file("real/third", others, 0600);
        else
            assert_int_equal(unlink("real/third"), 0);
        find_paths(fixture, "config");
        put_well(fixture);
        struct stat status;
        assert_int_equal(lstat("config", &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        assert_int_equal(lstat("real/third", &status), 0);
        assert_true(S_ISREG(status.st_mode) && status.st_size > 0);
        assert_int_equal(count_files("real"), 2);
    }
}

static void links_in_a_circle(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(symlink("b", "a"), 0);
    assert_int_equal(symlink("a", "b"), 0);
    find_paths(fixture, "a");
    cleanup_error struct error *err = put_badly(fixture);
    check_message(err, "too many links");
    assert_false(file_exists("a.lock"));
}

static void unchanged_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    find_paths(fixture, "config");
    put_well(fixture);
    struct stat before, after;
    assert_int_equal(stat("config", &before), 0);
    put_well(fixture);
    assert_int_equal(stat("config", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    test_row("nothing to remove");
    bool changed = true;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_file_remove(&fixture->paths, "elsewhere", &changed, &err), 0);
    assert_false(changed);
    assert_int_equal(stat("config", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void lock_held(void **state)
{
    struct fixture *fixture = *state;
    write_file("config", others, 0600);
    write_file("config.lock", "", 0);
    find_paths(fixture, "config");
    cleanup_error struct error *err = put_badly(fixture);
    assert_int_equal(err->kind, ERROR_TIMEOUT);
    check_message(err, "config.lock: locked by another program for ");
    assert_true(file_exists("config.lock"));
    check_file("config", others);
}

static void lock_left_behind(void **state)
{
    struct fixture *fixture = *state;
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    write_file("config.lock", "", 0);
    assert_int_equal(utimensat(AT_FDCWD, "config.lock", old, 0), 0);
    find_paths(fixture, "config");
    cleanup_error struct error *err = put_badly(fixture);
    check_message(err, "remove it: rm 'config.lock'");
    assert_true(file_exists("config.lock"));
    assert_false(file_exists("config"));
}

/* What a killed process of ours left is taken over at once; while it lives, it is not. */
static void lock_of_the_dead(void **state)
{
    struct fixture *fixture = *state;
    find_paths(fixture, "config");
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct kubeconfig_lock lock = {0};
        struct error *err = NULL;
        char sign = kubeconfig_lock_take("config", 0, &lock, &err) == 0;
        (void)!write(ready[1], &sign, 1);
        pause();
    }
    char sign = 0;
    assert_int_equal(read(ready[0], &sign, 1), 1);
    assert_int_equal(sign, 1);
    struct error *held = put_badly(fixture);
    check_message(held, "config.lock: locked by another program");
    error_free(held);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(file_exists("config.lock"));
    put_well(fixture);
    assert_int_equal(count_files("."), 1);
    close(ready[0]);
    close(ready[1]);
}

/* A program that lets go in time is waited for. */
static void lock_released_in_time(void **state)
{
    struct fixture *fixture = *state;
    write_file("config.lock", "", 0);
    find_paths(fixture, "config");
    fixture->paths.lock_timeout_ms = 30000;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(unlink("config.lock"));
    put_well(fixture);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(count_files("."), 1);
}

static void broken_file_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    static const char broken[] = "clusters: [\nusers:\n";
    write_file("config", broken, 0600);
    find_paths(fixture, "config");
    cleanup_error struct error *err = put_badly(fixture);
    assert_int_equal(err->kind, ERROR_INVALID);
    assert_memory_equal(err->message, "config:", 7);
    check_file("config", broken);
    assert_int_equal(count_files("."), 1);
}

static void odd_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    test_row("fifo");
    assert_int_equal(mkfifo("config", 0600), 0);
    find_paths(fixture, "config");
    cleanup_error struct error *err = put_badly(fixture);
    check_message(err, "config: not a regular file");
    test_row("NUL byte");
    int file = open("nul", O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(file, "a: b\n\0c: d\n", 11), 11);
    close(file);
    find_paths(fixture, "nul");
    cleanup_error struct error *nul = put_badly(fixture);
    check_message(nul, "NUL byte");
    test_row("too large");
    write_file("large", "", 0600);
    assert_int_equal(truncate("large", 17L * 1024 * 1024), 0);
    find_paths(fixture, "large");
    cleanup_error struct error *large = put_badly(fixture);
    check_message(large, "larger than 16 MiB");
}

/* A disk without room, played by a limit on the size of files. */
static void no_room_leaves_the_old_file(void **state)
{
    struct fixture *fixture = *state;
    write_file("config", others, 0600);
    find_paths(fixture, "config");
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = {.rlim_cur = 10, .rlim_max = limit.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    cleanup_error struct error *err = put_badly(fixture);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, handler);
    check_message(err, strerror(EFBIG));
    check_file("config", others);
    assert_int_equal(count_files("."), 1);
}

static void remove_from_all_files(void **state)
{
    struct fixture *fixture = *state;
    find_paths(fixture, "first");
    put_well(fixture);
    find_paths(fixture, "third");
    put_well(fixture);
    write_file("second", others, 0600);
    setenv("KUBECONFIG", "first:missing/x:second:third", 1);
    find_paths(fixture, NULL);
    bool changed = false;
    cleanup_error struct error *err = NULL;
    assert_int_equal(kubeconfig_file_remove(&fixture->paths, "lab", &changed, &err), 0);
    assert_true(changed);
    check_file("first", "apiVersion: v1\nkind: Config\n");
    check_file("second", others);
    check_file("third", "apiVersion: v1\nkind: Config\n");
    assert_false(file_exists("missing"));
    assert_int_equal(count_files("."), 3);
}

static void access_in_the_list(void **state)
{
    struct fixture *fixture = *state;
    write_file("first", others, 0600);
    find_paths(fixture, "second");
    put_well(fixture);
    setenv("KUBECONFIG", "missing:first:second", 1);
    find_paths(fixture, NULL);
    struct kubeconfig_access access = {0};
    bool found = false;
    cleanup_error struct error *err = NULL;
    struct kubeconfig_reader *reader = kubeconfig_reader_new();
    assert_int_equal(kubeconfig_file_access(reader, &fixture->paths, "lab", &access, &found, &err),
                     0);
    assert_true(found);
    test_equal(access.server, "https://127.0.0.1:34567");
    test_equal(access.key, "key");
    kubeconfig_access_done(&access);
    test_row("another cluster");
    assert_int_equal(
        kubeconfig_file_access(reader, &fixture->paths, "other", &access, &found, &err), 0);
    assert_false(found);
    test_row("it was changed meanwhile");
    bool changed = false;
    assert_int_equal(kubeconfig_file_remove(&fixture->paths, "lab", &changed, &err), 0);
    assert_int_equal(kubeconfig_file_access(reader, &fixture->paths, "lab", &access, &found, &err),
                     0);
    assert_false(found);
    put_well(fixture);
    assert_int_equal(kubeconfig_file_access(reader, &fixture->paths, "lab", &access, &found, &err),
                     0);
    assert_true(found);
    kubeconfig_access_done(&access);
    test_row("it cannot be read any more, and then it can");
    write_file("first", "[", 0600);
    assert_int_equal(kubeconfig_file_access(reader, &fixture->paths, "lab", &access, &found, &err),
                     -1);
    error_free(TAKE(err));
    write_file("first", "", 0600);
    assert_int_equal(kubeconfig_file_access(reader, &fixture->paths, "lab", &access, &found, &err),
                     0);
    kubeconfig_reader_free(reader);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_from_everywhere),
        TEST(paths_from_nowhere),
        TEST(target_is_the_first_that_exists),
        TEST(new_file_in_new_folders),
        TEST(mode_is_kept),
        TEST(owner_is_kept),
        TEST(links_are_followed),
        TEST(links_in_a_circle),
        TEST(unchanged_is_not_written),
        TEST(lock_held),
        TEST(lock_left_behind),
        TEST(lock_of_the_dead),
        TEST(lock_released_in_time),
        TEST(broken_file_is_left_alone),
        TEST(odd_files_are_refused),
        TEST(no_room_leaves_the_old_file),
        TEST(remove_from_all_files),
        TEST(access_in_the_list),
    };
    return cmocka_run_group_tests_name("kubeconfig_file", tests, NULL, NULL);
}
