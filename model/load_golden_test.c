/* Whole files in folders: all input files of one, read together, against its output.txt. */
#include "model/load.h"

#include "base/memory.h"
#include "base/test.h"
#include "model/spec_print.h"
#include <dirent.h>
#include <unistd.h>

/* Bytes of a file as they are, NULs too. */
static void read_bytes(const char *path, struct text *text)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char buffer[4096];
    size_t length;
    while ((length = fread(buffer, 1, sizeof(buffer), file)) > 0)
        text_add_bytes(text, buffer, length);
    fclose(file);
}

/* The folder of the case that is loaded: manifests stand beside its inputs. */
static const char *case_folder;

static int read_beside(void *context, struct arena *arena, const char *base, const char *path,
                       struct load_text *text, struct error **err)
{
    (void)context, (void)base;
    cleanup_free char *full = memory_format("%s/%s", case_folder, path);
    if (access(full, R_OK))
        return error_set(err, ERROR_INVALID, "%s: No such file", path);
    cleanup_text struct text bytes;
    text_init(&bytes, 0);
    read_bytes(full, &bytes);
    *text = (struct load_text){path, arena_string_n(arena, bytes.data, bytes.length), bytes.length};
    return 0;
}

static const struct load_options options = {.base_folder = "/base", .read_file = read_beside};

/* The problems, and the fleet if it could be loaded. Heap. */
static char *load(const struct load_text *texts, size_t count)
{
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    struct fleet_spec fleet;
    struct text text;
    text_init(&text, 0);
    problem_list_init(&problems, arena);
    int result = load_fleet(texts, count, &options, &fleet, &problems);
    assert_int_equal(result, problems.errors ? -1 : 0);
    problem_list_print(&problems, &text);
    if (!result)
        fleet_spec_print(&fleet, &text);
    return text_take(&text);
}

/* What a spec prints as loads as the same spec, if all of it was printed. */
static void check_reprint(const char *printed)
{
    const char *documents = strstr(printed, "---\n");
    if (!documents || strstr(printed, "# not supported yet"))
        return;
    const struct load_text text = {"again", documents, strlen(documents)};
    cleanup_free char *again = load(&text, 1);
    const char *same = strstr(again, "---\n");
    test_equal(same, documents);
}

static char *path_in_tree(const char *folder)
{
    const char *root = getenv("KIND_TESTDATA");
    return memory_format("%s/model/testdata/load/%s", root ? root : ".", folder);
}

static int is_input(const struct dirent *entry)
{
    return strncmp(entry->d_name, "input", 5) == 0;
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* One folder: manifests are beside the input files. */
static void check_case(const char *name)
{
    enum { INPUTS_MAX = 16 };
    struct load_text texts[INPUTS_MAX];
    struct text bytes[INPUTS_MAX];
    struct dirent **inputs;
    cleanup_free char *folder = path_in_tree(name);
    int count = scandir(folder, &inputs, is_input, alphasort);
    test_row(name);
    assert_in_range(count, 1, INPUTS_MAX);
    case_folder = folder;
    for (int i = 0; i < count; i++) {
        cleanup_free char *path = memory_format("%s/%s", folder, inputs[i]->d_name);
        text_init(&bytes[i], 0);
        read_bytes(path, &bytes[i]);
        texts[i] = (struct load_text){inputs[i]->d_name, bytes[i].data, bytes[i].length};
    }
    cleanup_free char *got = load(texts, (size_t)count);
    cleanup_free char *golden = memory_format("model/testdata/load/%s/output.txt", name);
    test_golden(got, golden);
    check_reprint(got);
    for (int i = 0; i < count; i++) {
        text_done(&bytes[i]);
        free(inputs[i]);
    }
    free(inputs);
    case_folder = NULL;
}

static void golden(void **state)
{
    (void)state;
    struct dirent **cases;
    cleanup_free char *folder = path_in_tree("");
    int count = scandir(folder, &cases, is_case, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        check_case(cases[i]->d_name);
        free(cases[i]);
    }
    free(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
    };
    return cmocka_run_group_tests_name("load golden", tests, NULL, NULL);
}
