/*
 * archive_fuzz.c - any bytes as a tar: no crash, nothing unbounded, and what was
 * understood can be packed and is understood the same again.
 */
#include "drivers/archive.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct archive_file *left, const struct archive_file *right)
{
    assert(strcmp(left->path, right->path) == 0);
    assert(left->length == right->length && left->mode == right->mode);
    assert(!left->bytes == !right->bytes);
    assert(!left->bytes || memcmp(left->bytes, right->bytes, left->length) == 0);
}

/* Files that are only listed have no bytes to pack; they are left out, in place. */
static void keep_packable(struct archive_files *files)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        const char *path = files->items[i].path;
        bool folder = path[strlen(path) - 1] == '/';
        if (folder == !files->items[i].bytes)
            files->items[kept++] = files->items[i];
    }
    files->count = kept;
}

static void check_round_trip(struct arena *arena, struct archive_files *files)
{
    struct archive_files again;
    cleanup_error struct error *err = NULL;
    struct text tar cleanup_text;
    text_init(&tar, 0);
    keep_packable(files);
    if (archive_pack(files->items, files->count, &tar, &err) != 0)
        return;
    int status = archive_unpack(arena, tar.data, tar.length, FILE_BYTES_MAX, &again, &err);
    assert(status == 0 && again.count == files->count);
    for (size_t i = 0; i < again.count; i++)
        check_same(&files->items[i], &again.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena cleanup_arena = arena_new();
    cleanup_error struct error *err = NULL;
    struct archive_files files;
    if (archive_unpack(arena, (const char *)data, size, FILE_BYTES_MAX, &files, &err) != 0)
        return 0;
    for (size_t i = 1; i < files.count; i++)
        assert(archive_find(&files, files.items[i].path) == &files.items[i]);
    check_round_trip(arena, &files);
    return 0;
}
