#include "drivers/fake_archive.h"

#include "base/memory.h"
#include "drivers/archive.h"
#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"
#include "drivers/fake_pki.h"
#include <sys/stat.h>

/* The container and path of the request, or NULL after answering. */
static struct fake_container *find(struct fake_call *call, const char **path)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    *path = fake_call_query(call, "path");
    if (container && (!*path || !**path)) {
        fake_call_error(call, 400, "bad parameter: pathcannot be empty");
        return NULL;
    }
    return container;
}

static bool path_exists(struct fake_call *call, struct fake_container *container, const char *path)
{
    bool there = fake_file_get(container, path) || fake_file_is_folder(container, path);
    if (!there)
        fake_call_error(call, 404, "Could not find the file %s in container %s", path,
                        call->subject);
    return there;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : "/";
}

static char *stat_header(struct fake_call *call, struct fake_container *container, const char *path)
{
    const struct fake_file *file = fake_file_get(container, path);
    uint32_t mode = file ? file->mode & 07777 : 0x80000000u | 0755;
    cleanup_free char *clean = fake_path_clean(path);
    const char *target = "";
    if (file && S_ISLNK(file->mode)) {
        mode |= 1u << 27; /* of Go's file modes: a symbolic link */
        target = arena_format(call->arena, "%.*s%s", (int)(base_name(clean) - clean), clean,
                              file->bytes);
    }
    json_t *stat =
        json_pack("{s:s, s:I, s:I, s:s, s:s}", "name", base_name(clean), "size",
                  (json_int_t)(file ? file->length : 4096), "mode", (json_int_t)mode, "mtime",
                  fake_time_seconds(call->arena, container->created_at_ms), "linkTarget", target);
    cleanup_free char *text = json_dumps(stat, JSON_COMPACT);
    json_decref(stat);
    struct text header;
    text_init(&header, 0);
    fake_base64(text, strlen(text), &header);
    return text_take(&header);
}

void fake_archive_head(struct fake_call *call)
{
    const char *path;
    struct fake_container *container = find(call, &path);
    if (!container || !path_exists(call, container, path))
        return;
    call->reply->path_stat = stat_header(call, container, path);
    fake_call_status(call, 200);
}

/* Entries are named after the last part of the path, as the engine does. */
static struct archive_file *collect(struct fake_call *call, struct fake_container *container,
                                    const char *path, size_t *count)
{
    cleanup_free char *clean = fake_path_clean(path);
    const struct fake_file **files = fake_file_list(call->arena, container, clean, count);
    struct archive_file *entries = arena_array(call->arena, *count + 1, sizeof(*entries));
    size_t skip = (size_t)(base_name(clean) - clean), used = 0;
    if (strcmp(clean, "/") == 0)
        skip = 1;
    if (!fake_file_get(container, clean) && skip < strlen(clean))
        entries[used++] = (struct archive_file){
            .path = arena_format(call->arena, "%s/", clean + skip), .mode = 0755};
    for (size_t i = 0; i < *count; i++) {
        if (files[i]->directory && strcmp(files[i]->path, clean) == 0)
            continue;
        bool link = S_ISLNK(files[i]->mode);
        entries[used++] = (struct archive_file){
            .path = arena_format(call->arena, files[i]->directory ? "%s/" : "%s",
                                 files[i]->path + skip),
            .bytes = files[i]->directory || link ? NULL : files[i]->bytes,
            .link = link ? files[i]->bytes : NULL,
            .length = link ? 0 : files[i]->length,
            .mode = files[i]->mode & 07777};
    }
    *count = used;
    return entries;
}

void fake_archive_get(struct fake_call *call)
{
    const char *path;
    struct fake_container *container = find(call, &path);
    if (!container || !path_exists(call, container, path))
        return;
    size_t count;
    cleanup_error struct error *err = NULL;
    struct archive_file *entries = collect(call, container, path, &count);
    if (archive_pack(entries, count, &call->reply->body->text, &err) < 0) {
        text_clear(&call->reply->body->text);
        fake_call_error(call, 500, "%s", err->message);
        return;
    }
    call->reply->path_stat = stat_header(call, container, path);
    fake_call_text(call, 200, "application/x-tar", "");
}

/* What lands under a tmpfs is hidden by it. */
static bool is_hidden(const struct fake_container *container, const char *path)
{
    json_t *tmpfs = json_object_get(json_object_get(container->request, "HostConfig"), "Tmpfs");
    json_t *options;
    const char *mount;
    json_object_foreach(tmpfs, mount, options)
    {
        size_t length = strlen(mount);
        if (strncmp(path, mount, length) == 0 && (path[length] == '/' || path[length] == '\0'))
            return true;
    }
    return false;
}

static void extract(struct fake_call *call, struct fake_container *container, const char *path,
                    const struct archive_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct archive_file *file = &files->items[i];
        size_t length = strlen(file->path);
        bool folder = length > 0 && file->path[length - 1] == '/';
        cleanup_free char *joined = memory_format("%s/%s", path, file->path);
        cleanup_free char *clean = fake_path_clean(joined);
        if (is_hidden(container, clean))
            continue;
        if (file->link)
            fake_file_put(container, clean, file->link, strlen(file->link), S_IFLNK | 0777);
        else if (!folder)
            fake_file_put(container, clean, file->bytes ? file->bytes : "",
                          file->bytes ? file->length : 0, file->mode);
        else if (!fake_file_is_folder(container, clean))
            fake_file_put(container, clean, NULL, 0, file->mode);
    }
    if (container->node.is_node)
        fake_node_settle(call->world, container, call->now_ms);
}

void fake_archive_put(struct fake_call *call)
{
    const char *path;
    struct fake_container *container = find(call, &path);
    struct archive_files files = {0};
    cleanup_error struct error *err = NULL;
    if (!container)
        return;
    if (!path_exists(call, container, path))
        return;
    if (!fake_file_is_folder(container, path)) {
        fake_call_error(call, 500, "extraction point is not a directory");
        return;
    }
    if (archive_unpack(call->arena, call->request->body ? call->request->body : "",
                       call->request->length, 1 << 28, &files, &err) < 0) {
        fake_call_error(call, 500, "%s", err->message);
        return;
    }
    extract(call, container, path, &files);
    fake_call_status(call, 200);
}
