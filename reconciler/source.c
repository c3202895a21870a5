#include "reconciler/source.h"

#include "base/memory.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct text *text, struct error **err)
{
    char buffer[16 * 1024];
    for (;;) {
        ssize_t length = read(fd, buffer, sizeof(buffer));
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
        if (length == 0)
            return 0;
        text_add_bytes(text, buffer, (size_t)length);
        if (text->overflow)
            return error_set(err, ERROR_INVALID, "%s: longer than %d KiB", path,
                             SOURCE_FILE_BYTES_MAX / 1024);
    }
}

static int add_text(struct arena *arena, const char *path, int fd, struct source_texts *texts,
                    struct error **err)
{
    if (texts->count == SOURCE_FILES_MAX)
        return error_set(err, ERROR_INVALID, "%s: more than %d files", path, SOURCE_FILES_MAX);
    struct text text;
    text_init(&text, SOURCE_FILE_BYTES_MAX);
    int result = read_all(fd, path, &text, err);
    if (result == 0) {
        texts->items = arena_grow(arena, texts->items, texts->count, sizeof(*texts->items));
        texts->items[texts->count++] = (struct load_text){
            .file = arena_string(arena, path),
            .bytes = arena_string_n(arena, text.data, text.length),
            .length = text.length,
        };
    }
    text_done(&text);
    return result;
}

static int read_file(struct arena *arena, const char *path, struct source_texts *texts,
                     struct error **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
    int result = add_text(arena, path, fd, texts, err);
    close(fd);
    return result;
}

static bool is_yaml(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int read_folder(struct arena *arena, const char *folder, unsigned depth,
                       struct source_texts *texts, struct error **err);

/* One entry: a folder is entered, a YAML file read, all else passed over. */
static int read_entry(struct arena *arena, const char *path, const char *name, unsigned depth,
                      struct source_texts *texts, struct error **err)
{
    struct stat info;
    if (stat(path, &info))
        return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return read_folder(arena, path, depth + 1, texts, err);
    if (S_ISREG(info.st_mode) && is_yaml(name))
        return read_file(arena, path, texts, err);
    return 0;
}

static int read_folder(struct arena *arena, const char *folder, unsigned depth,
                       struct source_texts *texts, struct error **err)
{
    if (depth > SOURCE_DEPTH_MAX)
        return error_set(err, ERROR_INVALID, "%s: folders are nested deeper than %d", folder,
                         SOURCE_DEPTH_MAX);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, visible, alphasort);
    if (count < 0)
        return error_set(err, ERROR_INVALID, "%s: %s", folder, strerror(errno));
    int result = 0;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    for (int i = 0; i < count; i++) {
        const char *path = arena_format(arena, "%.*s/%s", (int)length, folder, entries[i]->d_name);
        if (result == 0)
            result = read_entry(arena, path, entries[i]->d_name, depth, texts, err);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int read_path(struct arena *arena, const char *path, bool allow_empty,
                     struct source_texts *texts, struct error **err)
{
    if (strcmp(path, "-") == 0)
        return add_text(arena, path, STDIN_FILENO, texts, err);
    struct stat info;
    if (stat(path, &info))
        return error_set(err, ERROR_INVALID,
                         errno == ENOENT
                             ? "%s: there is no such file or folder; -f names what to apply"
                             : "%s: cannot be read",
                         path);
    if (!S_ISDIR(info.st_mode))
        return read_file(arena, path, texts, err);
    size_t before = texts->count;
    if (read_folder(arena, path, 0, texts, err))
        return -1;
    if (texts->count == before && !allow_empty)
        return error_set(err, ERROR_INVALID,
                         "%s: the folder holds no *.yaml or *.yml file; an empty one is only "
                         "applied with --allow-empty",
                         path);
    return 0;
}

int source_read(struct arena *arena, const char *const *paths, size_t path_count, bool allow_empty,
                struct source_texts *texts, struct error **err)
{
    *texts = (struct source_texts){0};
    for (size_t i = 0; i < path_count; i++)
        if (read_path(arena, paths[i], allow_empty, texts, err))
            return -1;
    return 0;
}
