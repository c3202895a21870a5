/* How often files are read, and how many; what they may hold is among load_golden_test's cases. */
#include "model/load_manifests.h"

#include "base/memory.h"
#include "base/test.h"

#define HEADER "---\napiVersion: fleet.kind/v1alpha1\nkind: Cluster\n"

/* Files of any name, each of this size. */
struct disk {
    size_t reads, bytes;
};

static int read_disk(void *context, struct arena *arena, const char *base, const char *path,
                     struct load_text *text, struct error **err)
{
    struct disk *disk = context;
    disk->reads++;
    if (strcmp(path, "none") == 0)
        return error_set(err, ERROR_INVALID, "%s beside %s: none", path, base);
    char *bytes = arena_alloc(arena, disk->bytes + 1);
    memset(bytes, '#', disk->bytes);
    *text = (struct load_text){path, bytes, disk->bytes};
    return 0;
}

/* The problems of a text, read beside this disk. Heap. */
static char *load(const char *yaml, struct disk *disk, bool warnings)
{
    cleanup_arena struct arena *arena = arena_new();
    const struct load_options options = {
        .base_folder = "/base", .read_file = read_disk, .read_context = disk};
    const struct load_text text = {"f", yaml, strlen(yaml)};
    struct problem_list problems;
    struct fleet_spec fleet;
    struct text printed;
    text_init(&printed, 0);
    problem_list_init(&problems, arena);
    load_fleet(&text, 1, &options, &fleet, &problems);
    if (warnings || problems.errors)
        problem_list_print(&problems, &printed);
    return text_take(&printed);
}

static void a_file_is_read_once(void **state)
{
    (void)state;
    struct disk disk = {0};
    cleanup_free char *got =
        load(HEADER "metadata: {name: a}\nspec: {manifests: [x, none]}\n" HEADER
                    "metadata: {name: b}\nspec: {manifests: [none, x]}\n",
             &disk, true);
    test_equal(
        got,
        "f:5:23: error: spec.manifests[1]: none beside f: none\nx: warning: holds no object\n");
    assert_int_equal(disk.reads, 2);
}

static void has_limits(void **state)
{
    (void)state;
    struct disk disk = {.bytes = 1};
    cleanup_text struct text yaml;
    text_init(&yaml, 0);
    text_add(&yaml, HEADER "metadata: {name: a}\nspec: {manifests: [");
    for (int i = 0; i <= MANIFEST_FILES_MAX; i++)
        text_add_format(&yaml, "f%d,", i);
    text_add(&yaml, "]}\n");
    cleanup_free char *many = load(yaml.data, &disk, false);
    test_equal(many, "f:5:19: error: spec.manifests: 65 files; a cluster may have 64, each with "
                     "many objects\n");
    assert_int_equal(disk.reads, 0);

    cleanup_free char *large = memory_new(MANIFEST_PATH_BYTES_MAX + 2);
    memset(large, 'x', MANIFEST_PATH_BYTES_MAX + 1);
    cleanup_free char *path =
        memory_format(HEADER "metadata: {name: a}\nspec: {manifests: [%s]}\n", large);
    cleanup_free char *got = load(path, &disk, false);
    assert_non_null(strstr(got, "is not the path of a file"));
}

/* Each file is within its limit, all of them are not. */
static void all_together_have_a_limit(void **state)
{
    (void)state;
    struct disk disk = {.bytes = MANIFEST_BYTES_MAX};
    cleanup_text struct text yaml;
    text_init(&yaml, 0);
    text_add(&yaml, HEADER "metadata: {name: a}\nspec: {manifests: [");
    for (int i = 0; i < MANIFEST_FILES_MAX; i++)
        text_add_format(&yaml, "f%d,", i);
    text_add(&yaml, "]}\n" HEADER "metadata: {name: b}\nspec: {manifests: [last]}\n");
    cleanup_free char *got = load(yaml.data, &disk, false);
    assert_non_null(strstr(
        got, "f:10:20: error: spec.manifests[0]: all manifests together are more than 64 MiB\n"));
    assert_null(strstr(got, "f:5:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_once),
        cmocka_unit_test(has_limits),
        cmocka_unit_test(all_together_have_a_limit),
    };
    return cmocka_run_group_tests_name("load manifests", tests, NULL, NULL);
}
