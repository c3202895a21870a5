#include "drivers/archive.h"

#include "base/memory.h"
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

enum { ENTRIES_MAX = 10000 };

/* --- pack --- */

static la_ssize_t on_write(struct archive *writer, void *context, const void *bytes, size_t length)
{
    struct text *tar = context;
    (void)writer;
    text_add_bytes(tar, bytes, length);
    return (la_ssize_t)length;
}

static int writer_failed(struct archive *writer, const char *path, struct error **err)
{
    const char *why = archive_error_string(writer);
    return error_set(err, ERROR_INVALID, "tar: %s: %s", path, why ? why : "cannot be packed");
}

/* No times: the same files make the same bytes. */
static void describe(struct archive_entry *entry, const struct archive_file *file)
{
    archive_entry_clear(entry);
    archive_entry_set_pathname(entry, file->path);
    archive_entry_set_filetype(entry, file->link ? AE_IFLNK : file->bytes ? AE_IFREG : AE_IFDIR);
    if (file->link)
        archive_entry_set_symlink(entry, file->link);
    archive_entry_set_perm(entry, (mode_t)file->mode);
    archive_entry_set_size(entry, file->bytes ? (la_int64_t)file->length : 0);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
}

static int pack_file(struct archive *writer, struct archive_entry *entry,
                     const struct archive_file *file, struct error **err)
{
    size_t length = strlen(file->path);
    bool folder = length && file->path[length - 1] == '/';
    if (!length || file->path[0] == '/' || folder != (!file->bytes && !file->link))
        return error_set(err, ERROR_INTERNAL, "tar: '%s' is not a path for a %s", file->path,
                         file->bytes ? "file" : "folder");
    describe(entry, file);
    /* A warning means a name that is not UTF-8, which is packed as it is. */
    if (archive_write_header(writer, entry) < ARCHIVE_WARN)
        return writer_failed(writer, file->path, err);
    if (file->length && file->bytes &&
        archive_write_data(writer, file->bytes, file->length) != (la_ssize_t)file->length)
        return writer_failed(writer, file->path, err);
    return 0;
}

static int pack_files(struct archive *writer, const struct archive_file *files, size_t count,
                      struct error **err)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        abort();
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = pack_file(writer, entry, &files[i], err);
    archive_entry_free(entry);
    return status;
}

int archive_pack(const struct archive_file *files, size_t count, struct text *tar,
                 struct error **err)
{
    struct archive *writer = archive_write_new();
    if (!writer)
        abort();
    archive_write_add_filter_none(writer);
    archive_write_set_format_pax_restricted(writer);
    archive_write_set_bytes_in_last_block(writer, 1);
    int status = 0;
    if (archive_write_open(writer, tar, NULL, on_write, NULL) != ARCHIVE_OK)
        status = writer_failed(writer, "begin", err);
    if (status == 0)
        status = pack_files(writer, files, count, err);
    if (status == 0 && archive_write_close(writer) != ARCHIVE_OK)
        status = writer_failed(writer, "end", err);
    archive_write_free(writer);
    if (status == 0 && tar->overflow)
        status = error_set(err, ERROR_INVALID, "tar: longer than %zu bytes", tar->limit);
    return status;
}

/* --- unpack --- */

/* One unpack under way. */
struct unpacking {
    struct arena *arena;
    struct archive *reader;
    size_t file_bytes_max;
    size_t bytes_left; /* a sparse file may claim far more than the tar holds */
    struct archive_file *items;
    size_t count;
};

static int reader_failed(struct archive *reader, struct error **err)
{
    const char *why = archive_error_string(reader);
    return error_set(err, ERROR_INVALID, "tar: %s", why ? why : "cannot be read");
}

/* libarchive converts names by locale, which may fail; then the bytes as they stand are taken. */
static const char *path_of(struct archive_entry *entry)
{
    const char *path = archive_entry_pathname_utf8(entry);
    if (!path)
        path = archive_entry_pathname(entry);
    while (path && (path[0] == '/' || (path[0] == '.' && path[1] == '/')))
        path += path[0] == '/' ? 1 : 2;
    return path;
}

static int read_bytes(struct unpacking *unpacking, struct archive_file *file, struct error **err)
{
    if (file->length > unpacking->file_bytes_max || file->length > unpacking->bytes_left)
        return 0;
    unpacking->bytes_left -= file->length;
    char *bytes = arena_alloc(unpacking->arena, file->length + 1);
    size_t have = 0;
    while (have < file->length) {
        la_ssize_t got = archive_read_data(unpacking->reader, bytes + have, file->length - have);
        if (got < 0)
            return reader_failed(unpacking->reader, err);
        if (got == 0)
            return error_set(err, ERROR_INVALID, "tar: %s: cut off", file->path);
        have += (size_t)got;
    }
    file->bytes = bytes;
    return 0;
}

static int unpack_entry(struct unpacking *unpacking, struct archive_entry *entry,
                        struct error **err)
{
    const char *path = path_of(entry);
    bool folder = archive_entry_filetype(entry) == AE_IFDIR;
    bool file = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
    const char *link =
        archive_entry_filetype(entry) == AE_IFLNK ? archive_entry_symlink(entry) : NULL;
    if (!path || !path[0] || (!folder && !file && !link))
        return 0;
    unpacking->items =
        arena_grow(unpacking->arena, unpacking->items, unpacking->count, sizeof(*unpacking->items));
    struct archive_file *item = &unpacking->items[unpacking->count++];
    bool slash = path[strlen(path) - 1] == '/';
    item->path = arena_format(unpacking->arena, "%s%s", path, folder && !slash ? "/" : "");
    item->mode = archive_entry_perm(entry) & 07777;
    item->link = arena_string(unpacking->arena, link);
    if (!file)
        return 0;
    item->length = (size_t)archive_entry_size(entry);
    return read_bytes(unpacking, item, err);
}

static int unpack_entries(struct unpacking *unpacking, struct error **err)
{
    for (size_t entries = 0;; entries++) {
        struct archive_entry *entry;
        int status = archive_read_next_header(unpacking->reader, &entry);
        if (status == ARCHIVE_EOF)
            return 0;
        if (status < ARCHIVE_WARN)
            return reader_failed(unpacking->reader, err);
        if (entries == ENTRIES_MAX)
            return error_set(err, ERROR_INVALID, "tar: more than %d entries", ENTRIES_MAX);
        if (unpack_entry(unpacking, entry, err) != 0)
            return -1;
    }
}

/* By path; of equal ones the earlier in the tar first. */
static int compare_files(const void *left, const void *right)
{
    const struct archive_file *const *a = left, *const *b = right;
    int order = strcmp((*a)->path, (*b)->path);
    return order ? order : (*a > *b) - (*a < *b);
}

/* Sorts, and of entries with one path keeps the last: so would who extracts them. */
static void sort_files(struct unpacking *unpacking, struct archive_files *files)
{
    struct arena *arena = unpacking->arena;
    size_t count = unpacking->count;
    const struct archive_file **order = arena_array(arena, count, sizeof(struct archive_file *));
    for (size_t i = 0; i < count; i++)
        order[i] = &unpacking->items[i];
    if (count)
        qsort(order, count, sizeof(*order), compare_files);
    files->items = arena_array(arena, count, sizeof(*files->items));
    files->count = 0;
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || strcmp(order[i]->path, order[i + 1]->path) != 0)
            files->items[files->count++] = *order[i];
}

int archive_unpack(struct arena *arena, const char *tar, size_t length, size_t file_bytes_max,
                   struct archive_files *files, struct error **err)
{
    struct archive *reader = archive_read_new();
    if (!reader)
        abort();
    archive_read_support_filter_none(reader);
    archive_read_support_format_tar(reader);
    struct unpacking unpacking = {
        .arena = arena, .reader = reader, .file_bytes_max = file_bytes_max, .bytes_left = length};
    int status = 0;
    if (archive_read_open_memory(reader, tar, length) != ARCHIVE_OK)
        status = reader_failed(reader, err);
    if (status == 0)
        status = unpack_entries(&unpacking, err);
    if (status == 0)
        sort_files(&unpacking, files);
    archive_read_free(reader);
    return status;
}

static int compare_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct archive_file *)file)->path);
}

const struct archive_file *archive_find(const struct archive_files *files, const char *path)
{
    if (!files->count)
        return NULL;
    return bsearch(path, files->items, files->count, sizeof(*files->items), compare_path);
}
