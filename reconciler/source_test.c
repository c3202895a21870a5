/* Sources in a folder of the test's own: which files are read, in which order, and what is refused.
 */
#include "reconciler/source.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* "lab/" makes a folder, "a.yaml" a file that holds its name, "b.yaml>a.yaml" a link. */
static void make(const char *what)
{
    size_t length = strcspn(what, ">");
    cleanup_free char *path = memory_string_n(what, length);
    if (what[length] == '>')
        assert_int_equal(symlink(what + length + 1, path), 0);
    else if (path[length - 1] == '/')
        assert_int_equal(mkdir(path, 0700), 0);
    else
        write_file(path, path, length);
}

static void make_all(const char *list)
{
    cleanup_free char *copy = memory_string(list);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        make(word);
}

/* The sources of a list of words: "a.yaml=a.yaml b/c.yml=b/c.yml", or the error. */
static void read_sources(const char *sources, bool allow_empty, struct text *got)
{
    struct arena *arena cleanup_arena = arena_new();
    cleanup_error struct error *err = NULL;
    const char *paths[16];
    size_t count = 0;
    char *rest = NULL, *copy = arena_string(arena, sources);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        paths[count++] = word;
    struct source_texts texts;
    text_init(got, 0);
    if (source_read(arena, paths, count, allow_empty, &texts, &err)) {
        assert_int_equal(err->kind, ERROR_INVALID);
        text_add(got, err->message);
        return;
    }
    for (size_t i = 0; i < texts.count; i++)
        text_add_format(got, "%s%s=%.*s", i ? " " : "", texts.items[i].file,
                        (int)texts.items[i].length, texts.items[i].bytes);
}

static const struct {
    const char *name, *files, *sources;
    bool allow_empty;
    const char *want;
} rows[] = {
    {"no source", "", "", false, ""},
    {"a file, whatever its name", "a.txt", "a.txt", false, "a.txt=a.txt"},
    {"in the order given", "a.yaml b.yaml", "b.yaml a.yaml", false, "b.yaml=b.yaml a.yaml=a.yaml"},
    {"a folder, sorted, below too", "f/ f/z.yaml f/b.yml f/c/ f/c/d.yaml f/a.yaml", "f", false,
     "f/a.yaml=f/a.yaml f/b.yml=f/b.yml f/c/d.yaml=f/c/d.yaml f/z.yaml=f/z.yaml"},
    {"slashes at the end", "f/ f/a.yaml", "f///", false, "f/a.yaml=f/a.yaml"},
    {"others are passed over",
     "f/ f/a.yaml f/b.json f/yaml f/c.yaml.bak f/.d.yaml f/.g/ f/.g/e.yaml", "f", false,
     "f/a.yaml=f/a.yaml"},
    {"named twice", "f/ f/a.yaml", "f f/a.yaml f", false, "f/a.yaml=f/a.yaml"},
    {"a link to the same file", "f/ f/a.yaml f/b.yaml>a.yaml", "f", false, "f/a.yaml=f/a.yaml"},
    {"a link elsewhere", "a.txt f/ f/b.yaml>../a.txt", "f", false, "f/b.yaml=a.txt"},
    {"a folder that is named twice is not empty", "f/ f/a.yaml", "f/a.yaml f", false,
     "f/a.yaml=f/a.yaml"},
    {"an empty folder", "f/ f/a.txt", "f", false,
     "f: the folder holds no *.yaml or *.yml file; an empty one is only applied with "
     "--allow-empty"},
    {"an empty folder, allowed", "f/", "f", true, ""},
    {"nothing there", "", "f", false, "f: there is no such file or folder; -f names what to apply"},
    {"nothing there is not empty", "", "f", true,
     "f: there is no such file or folder; -f names what to apply"},
    {"one of two is missing", "a.yaml", "a.yaml b.yaml", false,
     "b.yaml: there is no such file or folder; -f names what to apply"},
    {"a broken link below", "f/ f/a.yaml f/b.yaml>none", "f", false,
     "f/b.yaml: No such file or directory"},
    {"a loop of links", "f/ f/a.yaml>a.yaml", "f", false,
     "f/a.yaml: Too many levels of symbolic links"},
    {"a folder with a file's name", "f/ f/a.yaml/ f/a.yaml/b.yaml", "f", false,
     "f/a.yaml/b.yaml=f/a.yaml/b.yaml"},
};

static int open_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/kind-source-XXXXXX");
    return !mkdtemp(folder) || chdir(folder);
}

static int close_folder(void **state)
{
    (void)state;
    return chdir("/") || nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void reads_what_is_named(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        assert_int_equal(open_folder(state), 0);
        make_all(rows[i].files);
        cleanup_text struct text got;
        read_sources(rows[i].sources, rows[i].allow_empty, &got);
        test_equal(got.data, rows[i].want);
        assert_int_equal(close_folder(state), 0);
    }
}

static void has_limits(void **state)
{
    (void)state;
    cleanup_free char *bytes = memory_new(SOURCE_FILE_BYTES_MAX + 1);
    memset(bytes, '#', SOURCE_FILE_BYTES_MAX + 1);
    {
        write_file("a.yaml", bytes, SOURCE_FILE_BYTES_MAX);
        cleanup_text struct text got;
        read_sources("a.yaml", false, &got);
        assert_int_equal(got.length, strlen("a.yaml=") + SOURCE_FILE_BYTES_MAX);
    }
    {
        write_file("a.yaml", bytes, SOURCE_FILE_BYTES_MAX + 1);
        cleanup_text struct text got;
        read_sources("a.yaml", false, &got);
        test_equal(got.data, "a.yaml: longer than 1024 KiB");
    }
    {
        make_all("f/ f/loop>.");
        cleanup_text struct text got;
        read_sources("f", false, &got);
        assert_non_null(strstr(got.data, ": folders are nested deeper than 32"));
    }
}

/* Bytes stay as they are, also those that are no text. */
static void keeps_bytes(void **state)
{
    (void)state;
    struct arena *arena cleanup_arena = arena_new();
    cleanup_error struct error *err = NULL;
    const char *const paths[] = {"-", "a.yaml", "-"};
    struct source_texts texts;
    write_file("a.yaml", "a\0b", 3);
    int input = dup(STDIN_FILENO), file = open("a.yaml", O_RDONLY | O_CLOEXEC);
    dup2(file, STDIN_FILENO);
    assert_int_equal(source_read(arena, paths, 1, false, &texts, &err), 0);
    assert_int_equal(texts.count, 1);
    test_equal(texts.items[0].file, "-");
    assert_int_equal(texts.items[0].length, 3);
    assert_memory_equal(texts.items[0].bytes, "a\0b", 3);
    lseek(STDIN_FILENO, 0, SEEK_SET);
    assert_int_equal(source_read(arena, paths, 3, false, &texts, &err), 0);
    assert_int_equal(texts.count, 1); /* the input is that file */
    dup2(input, STDIN_FILENO);
    close(input);
    close(file);
}

/* What a file names: from where it is read, and how it is called. */
static void reads_beside(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *want;
    } beside[] = {
        {"a.yaml", "b.yaml", "b.yaml=b.yaml"},
        {"./a.yaml", "f/c.yaml", "f/c.yaml=f/c.yaml"},
        {"f/a.yaml", "c.yaml", "f/c.yaml=f/c.yaml"},
        {"f/a.yaml", "../b.yaml", "f/../b.yaml=b.yaml"},
        {"<stdin>", "f/c.yaml", "f/c.yaml=f/c.yaml"},
        {"f/a.yaml", "link.yaml", "f/link.yaml=b.yaml"},
        {"f/a.yaml", "none.yaml", "f/none.yaml: No such file or directory"},
        {"a.yaml", "f", "f: not a regular file"},
        {"a.yaml", "pipe", "pipe: not a regular file"},
        {"f/a.yaml", "/dev/null", "/dev/null: not a regular file"},
        {"a.yaml", "large.yaml", "large.yaml: longer than 1024 KiB"},
    };
    make_all("b.yaml f/ f/c.yaml f/link.yaml>../b.yaml");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    write_file("large.yaml", "", 0);
    assert_int_equal(truncate("large.yaml", SOURCE_FILE_BYTES_MAX + 1), 0);
    for (size_t i = 0; i < COUNT_OF(beside); i++) {
        test_row(beside[i].want);
        struct arena *arena cleanup_arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct load_text text = {0};
        cleanup_text struct text got;
        text_init(&got, 0);
        if (source_read_beside(NULL, arena, beside[i].base, beside[i].path, &text, &err))
            text_add(&got, err->message);
        else
            text_add_format(&got, "%s=%.*s", text.file, (int)text.length, text.bytes);
        test_equal(got.data, beside[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_named),
        cmocka_unit_test_setup_teardown(has_limits, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(keeps_bytes, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(reads_beside, open_folder, close_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
