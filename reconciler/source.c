#include "reconciler/source.h"

#include "base/memory.h"
#include "base/text.h"
#include "model/path.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One reading of all sources. */
struct reader {
    struct arena *arena;
    struct source_texts *texts;
    /* Files read so far: one that is named twice, or in two ways, is read once. */
    struct file_identity {
        dev_t device;
        ino_t inode;
    } * seen;
    size_t seen_count;
    size_t found; /* files met, those met again included */
};

/* True if the file was not met before. */
static bool is_new(struct reader *reader, int fd)
{
    struct stat info;
    reader->found++;
    if (fstat(fd, &info))
        return true;
    for (size_t i = 0; i < reader->seen_count; i++)
        if (reader->seen[i].device == info.st_dev && reader->seen[i].inode == info.st_ino)
            return false;
    reader->seen =
        arena_grow(reader->arena, reader->seen, reader->seen_count, sizeof(*reader->seen));
    reader->seen[reader->seen_count++] =
        (struct file_identity){.device = info.st_dev, .inode = info.st_ino};
    return true;
}

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

/* All of fd as a text of this name, in the arena. */
static int take_text(struct arena *arena, const char *path, int fd, struct load_text *taken,
                     struct error **err)
{
    struct text text;
    text_init(&text, SOURCE_FILE_BYTES_MAX);
    int result = read_all(fd, path, &text, err);
    if (result == 0)
        *taken = (struct load_text){
            .file = arena_string(arena, path),
            .bytes = arena_string_n(arena, text.data, text.length),
            .length = text.length,
        };
    text_done(&text);
    return result;
}

static int add_text(struct reader *reader, const char *path, int fd, struct error **err)
{
    struct arena *arena = reader->arena;
    struct source_texts *texts = reader->texts;
    struct load_text text;
    if (!is_new(reader, fd))
        return 0;
    if (texts->count == SOURCE_FILES_MAX)
        return error_set(err, ERROR_INVALID, "%s: more than %d files", path, SOURCE_FILES_MAX);
    if (take_text(arena, path, fd, &text, err))
        return -1;
    texts->items = arena_grow(arena, texts->items, texts->count, sizeof(*texts->items));
    texts->items[texts->count++] = text;
    return 0;
}

static int read_file(struct reader *reader, const char *path, struct error **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
    int result = add_text(reader, path, fd, err);
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

static int read_folder(struct reader *reader, const char *folder, unsigned depth,
                       struct error **err);

/* One entry: a folder is entered, a YAML file read, all else passed over. */
static int read_entry(struct reader *reader, const char *path, const char *name, unsigned depth,
                      struct error **err)
{
    struct stat info;
    if (stat(path, &info))
        return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return read_folder(reader, path, depth + 1, err);
    if (S_ISREG(info.st_mode) && is_yaml(name))
        return read_file(reader, path, err);
    return 0;
}

static int read_folder(struct reader *reader, const char *folder, unsigned depth,
                       struct error **err)
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
        const char *path =
            arena_format(reader->arena, "%.*s/%s", (int)length, folder, entries[i]->d_name);
        if (result == 0)
            result = read_entry(reader, path, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int read_path(struct reader *reader, const char *path, bool allow_empty, struct error **err)
{
    if (strcmp(path, "-") == 0)
        return add_text(reader, path, STDIN_FILENO, err);
    struct stat info;
    if (stat(path, &info))
        return error_set(err, ERROR_INVALID,
                         errno == ENOENT
                             ? "%s: there is no such file or folder; -f names what to apply"
                             : "%s: cannot be read",
                         path);
    if (!S_ISDIR(info.st_mode))
        return read_file(reader, path, err);
    size_t before = reader->found;
    if (read_folder(reader, path, 0, err))
        return -1;
    if (reader->found == before && !allow_empty)
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
    struct reader reader = {.arena = arena, .texts = texts};
    for (size_t i = 0; i < path_count; i++)
        if (read_path(&reader, paths[i], allow_empty, err))
            return -1;
    return 0;
}

/* How a file is called that another one names: "lab/cni.yaml" for "cni.yaml" in "lab/ci.yaml". */
static const char *beside(struct arena *arena, const char *base, const char *path)
{
    const char *folder = path_folder(arena, base);
    if (path[0] == '/' || strcmp(base, "<stdin>") == 0 || strcmp(folder, ".") == 0)
        return path;
    return arena_format(arena, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", path);
}

int source_read_beside(void *context, struct arena *arena, const char *base, const char *path,
                       struct load_text *text, struct error **err)
{
    (void)context;
    const char *file = beside(arena, base, path);
    struct stat info;
    /* A pipe would keep us waiting for who writes into it. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "%s: %s", file, strerror(errno));
    int result = -1;
    if (fstat(fd, &info) || !S_ISREG(info.st_mode))
        error_set(err, ERROR_INVALID, "%s: not a regular file", file);
    else
        result = take_text(arena, file, fd, text, err);
    close(fd);
    return result;
}
