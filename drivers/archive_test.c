#include "drivers/archive.h"

#include "base/test.h"

#include "base/memory.h"
#include <archive.h>
#include <archive_entry.h>

#define LONG_NAME                                                                                  \
    "a-folder-whose-name-is-long/and-another-one-below-it-which-is-long-as-well/and-a-third-one/"  \
    "and-then-a-file-whose-name-alone-is-longer-than-the-hundred-bytes-of-a-classic-header-"       \
    "field-of-tar.yaml"

static char *describe(const struct archive_files *files)
{
    struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < files->count; i++)
        text_add_format(&text, "%s %o %zu %s\n", files->items[i].path, files->items[i].mode,
                        files->items[i].length,
                        files->items[i].bytes ? files->items[i].bytes : "-");
    return text_take(&text);
}

static void check_unpack(const char *tar, size_t length, size_t file_bytes_max, const char *want,
                         const char *failure)
{
    struct arena *arena cleanup_arena = arena_new();
    struct archive_files files = {0};
    cleanup_error struct error *err = NULL;
    int status = archive_unpack(arena, tar, length, file_bytes_max, &files, &err);
    assert_int_equal(status, failure ? -1 : 0);
    if (failure && !strstr(err->message, failure))
        test_equal(err->message, failure);
    cleanup_free char *got = describe(&files);
    test_equal(got, want);
}

static void pack(const struct archive_file *files, size_t count, struct text *tar)
{
    cleanup_error struct error *err = NULL;
    text_init(tar, 0);
    int status = archive_pack(files, count, tar, &err);
    test_equal(err ? err->message : NULL, NULL);
    assert_int_equal(status, 0);
}

static void round_trip(void **state)
{
    (void)state;
    static const struct archive_file files[] = {
        {"kind/", NULL, 0, 0755},
        {"kind/kubeadm.conf", "apiVersion: v1\n", 15, 0600},
        {"kind/empty", "", 0, 0644},
        {LONG_NAME, "long", 4, 0640},
        {"etc/gr\xc3\xbc\xc3\x9f"
         "e",
         "utf-8", 5, 0600},
        {"b", "2", 1, 0755},
    };
    static const char want[] = "b 755 1 2\n"
                               "etc/gr\xc3\xbc\xc3\x9f"
                               "e 600 5 utf-8\n"
                               "kind/ 755 0 -\n"
                               "kind/empty 644 0 \n"
                               "kind/kubeadm.conf 600 15 apiVersion: v1\n\n";
    struct text tar cleanup_text;
    pack(files, COUNT_OF(files), &tar);
    cleanup_free char *all = memory_format("%s%s", LONG_NAME " 640 4 long\n", want);
    check_unpack(tar.data, tar.length, 100, all, NULL);
    assert_int_equal(tar.length % 512, 0);
}

static void nothing_at_all(void **state)
{
    (void)state;
    struct text tar cleanup_text;
    pack(NULL, 0, &tar);
    check_unpack(tar.data, tar.length, 100, "", NULL);
}

static void same_bytes_each_time(void **state)
{
    (void)state;
    static const struct archive_file file = {"a", "1", 1, 0600};
    struct text one cleanup_text, two cleanup_text;
    pack(&file, 1, &one);
    pack(&file, 1, &two);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
}

static void find(void **state)
{
    (void)state;
    static struct archive_file items[] = {{"a", "", 0, 0}, {"b/", NULL, 0, 0}, {"b/c", "", 0, 0}};
    const struct archive_files files = {items, COUNT_OF(items)}, none = {0};
    for (size_t i = 0; i < COUNT_OF(items); i++)
        assert_ptr_equal(archive_find(&files, items[i].path), &items[i]);
    assert_null(archive_find(&files, "b"));
    assert_null(archive_find(&files, "z"));
    assert_null(archive_find(&none, "a"));
}

static void wrong_paths(void **state)
{
    (void)state;
    static const struct archive_file rows[] = {
        {"", "1", 1, 0600}, {"/a", "1", 1, 0600}, {"a/", "1", 1, 0600}, {"a", NULL, 0, 0755}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_error struct error *err = NULL;
        struct text tar cleanup_text;
        text_init(&tar, 0);
        test_row(rows[i].path);
        assert_int_equal(archive_pack(&rows[i], 1, &tar, &err), -1);
        assert_int_equal(err->kind, ERROR_INTERNAL);
    }
}

static void too_long_to_pack(void **state)
{
    (void)state;
    static const struct archive_file file = {"a", "1", 1, 0600};
    cleanup_error struct error *err = NULL;
    struct text tar cleanup_text;
    text_init(&tar, 1024);
    assert_int_equal(archive_pack(&file, 1, &tar, &err), -1);
    test_equal(err->message, "tar: longer than 1024 bytes");
}

/* --- tars that archive_pack does not make --- */

struct member {
    const char *path, *bytes, *link;
    mode_t type;
};

static la_ssize_t add_bytes(struct archive *writer, void *tar, const void *bytes, size_t length)
{
    (void)writer;
    text_add_bytes(tar, bytes, length);
    return (la_ssize_t)length;
}

static void write_members(const struct member *members, size_t count, struct text *tar)
{
    text_init(tar, 0);
    struct archive *writer = archive_write_new();
    archive_write_set_format_gnutar(writer);
    archive_write_open(writer, tar, NULL, add_bytes, NULL);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        size_t length = members[i].bytes ? strlen(members[i].bytes) : 0;
        archive_entry_set_pathname(entry, members[i].path);
        archive_entry_set_filetype(entry, members[i].type);
        archive_entry_set_perm(entry, 0600);
        archive_entry_set_size(entry, (la_int64_t)length);
        if (members[i].link && members[i].type == AE_IFLNK)
            archive_entry_set_symlink(entry, members[i].link);
        else if (members[i].link)
            archive_entry_set_hardlink(entry, members[i].link);
        assert_int_equal(archive_write_header(writer, entry), ARCHIVE_OK);
        archive_write_data(writer, members[i].bytes, length);
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
}

static void only_files_and_folders(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"./b", "2", NULL, AE_IFREG},     {"/c", "3", NULL, AE_IFREG},
        {"link", NULL, "b", AE_IFLNK},    {"hard", NULL, "./b", AE_IFREG},
        {"null", NULL, NULL, AE_IFCHR},   {"pipe", NULL, NULL, AE_IFIFO},
        {"folder", NULL, NULL, AE_IFDIR}, {"./", NULL, NULL, AE_IFDIR},
        {LONG_NAME, "4", NULL, AE_IFREG}, {"b", "newer", NULL, AE_IFREG},
    };
    struct text tar cleanup_text;
    write_members(members, COUNT_OF(members), &tar);
    check_unpack(tar.data, tar.length, 100,
                 LONG_NAME " 600 1 4\nb 600 5 newer\nc 600 1 3\nfolder/ 600 0 -\nlink 600 0 -\n",
                 NULL);
}

static void long_file_is_listed(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"a", "1234", NULL, AE_IFREG}, {"b", "12345", NULL, AE_IFREG}, {"c", "1", NULL, AE_IFREG}};
    struct text tar cleanup_text;
    write_members(members, COUNT_OF(members), &tar);
    check_unpack(tar.data, tar.length, 4, "a 600 4 1234\nb 600 5 -\nc 600 1 1\n", NULL);
}

static void cut_off(void **state)
{
    (void)state;
    static const struct member member = {"a", "1234", NULL, AE_IFREG};
    struct text tar cleanup_text;
    write_members(&member, 1, &tar);
    check_unpack(tar.data, 0, 100, "", "Unrecognized archive format");
    check_unpack(tar.data, 100, 100, "", "Unrecognized archive format");
    check_unpack(tar.data, 512, 100, "", "runcated");
    check_unpack(tar.data, 514, 100, "", "runcated");
    check_unpack(tar.data, 1024, 100, "a 600 4 1234\n", NULL); /* only the end mark is missing */
}

static void too_many_entries(void **state)
{
    (void)state;
    enum { COUNT = 10001 };
    struct member *members = memory_new(COUNT * sizeof(*members));
    for (size_t i = 0; i < COUNT; i++)
        members[i] = (struct member){"a", NULL, NULL, AE_IFREG};
    struct text tar cleanup_text;
    write_members(members, COUNT - 1, &tar);
    check_unpack(tar.data, tar.length, 4, "a 600 0 \n", NULL);
    text_done(&tar);
    write_members(members, COUNT, &tar);
    check_unpack(tar.data, tar.length, 4, "", "tar: more than 10000 entries");
    free(members);
}

/* GNU's old form: a hole of 7 GiB with one byte behind it, in a tar of 2 KiB. */
static void sparse_file(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *text;
    } fields[] = {
        {0, "hole"},          {100, "0000600"},     {108, "0000000"},     {116, "0000000"},
        {124, "00000000001"}, {136, "00000000000"}, {148, "        "},    {156, "S"},
        {257, "ustar  "},     {386, "67777777777"}, {398, "00000000001"}, {483, "70000000000"},
    };
    char tar[2048] = "";
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        memcpy(tar + fields[i].at, fields[i].text, strlen(fields[i].text));
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)tar[i];
    snprintf(tar + 148, 7, "%06o", sum);
    tar[512] = 'x';
    check_unpack(tar, sizeof(tar), SIZE_MAX, "hole 600 7516192768 -\n", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(same_bytes_each_time),
        cmocka_unit_test(find),
        cmocka_unit_test(wrong_paths),
        cmocka_unit_test(too_long_to_pack),
        cmocka_unit_test(only_files_and_folders),
        cmocka_unit_test(long_file_is_listed),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(too_many_entries),
        cmocka_unit_test(sparse_file),
    };
    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
