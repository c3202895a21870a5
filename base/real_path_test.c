/* Where paths lead, in a folder of the test's own. */
#include "base/real_path.h"

#include "base/memory.h"
#include "base/test.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/real-path-XXXXXX";

/* Below the test's folder, which "." stands for. */
static const struct {
    const char *name, *path, *want; /* want NULL: cannot be told */
} rows[] = {
    {"a folder", "./a", "./a"},
    {"slashes at the end", "./a//", "./a"},
    {"a link to a folder", "./link", "./a"},
    {"below a link", "./link/b/c", "./a/b/c"},
    {"what is not there", "./x/y", "./x/y"},
    {"a link upwards", "./a/up/x", "./x"},
    {"a link to the root", "./root/nowhere-at-all", "/nowhere-at-all"},
    {"a link that hangs", "./hangs", NULL},
    {"below a link that hangs", "./hangs/x", NULL},
    {"links in a circle", "./circle/x", NULL},
    {"below a file", "./file/x", NULL},
    {"up in the path", "./a/../a", NULL},
    {"up at the end", "./a/..", NULL},
    {"dots that are a name", "./a/..b", "./a/..b"},
};

static char *placed(const char *path)
{
    return path[0] == '.' ? memory_format("%s%s", folder, path + 1) : memory_string(path);
}

static void follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        cleanup_free char *path = placed(rows[i].path);
        const char *got = real_path(arena, path);
        if (!rows[i].want) {
            assert_null(got);
            continue;
        }
        cleanup_free char *want = placed(rows[i].want);
        assert_non_null(got);
        test_equal(got, want);
    }
    cleanup_arena struct arena *arena = arena_new();
    assert_null(real_path(arena, "relative"));
    test_equal(real_path(arena, "/"), "/");
    test_equal(real_path(arena, "//"), "/");
    test_equal(real_path(arena, "/no-such-folder/x"), "/no-such-folder/x");
}

static int enter(void **state)
{
    (void)state;
    return !mkdtemp(folder) || chdir(folder) || mkdir("a", 0700) || symlink("a", "link") ||
           symlink("..", "a/up") || symlink("/", "root") || symlink("gone", "hangs") ||
           symlink("circle", "circle") || symlink("/dev/null", "file");
}

static int leave(void **state)
{
    (void)state;
    return unlink("a/up") || unlink("link") || unlink("root") || unlink("hangs") ||
           unlink("circle") || unlink("file") || rmdir("a") || chdir("/") || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows)};
    return cmocka_run_group_tests_name("real_path", tests, enter, leave);
}
