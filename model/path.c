#include "model/path.h"

#include <string.h>

/* Drops the last part of an absolute path of this length: "/a/b" to "/a", "/a" to "". */
static size_t parent_length(const char *path, size_t length)
{
    while (length && path[length - 1] != '/')
        length--;
    return length ? length - 1 : 0;
}

const char *path_absolute(struct arena *arena, const char *base, const char *path)
{
    const char *from = path[0] == '/' ? path : arena_format(arena, "%s/%s", base, path);
    char *out = arena_alloc(arena, strlen(from) + 2);
    size_t length = 0;
    while (*from) {
        size_t part = strcspn(from, "/");
        if (part == 2 && strncmp(from, "..", 2) == 0) {
            length = parent_length(out, length);
        } else if (part && !(part == 1 && *from == '.')) {
            out[length++] = '/';
            memcpy(out + length, from, part);
            length += part;
        }
        from += part + (from[part] == '/');
    }
    if (!length)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

const char *path_folder(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    if (!slash)
        return ".";
    while (slash > file && slash[-1] == '/')
        slash--;
    return slash == file ? "/" : arena_string_n(arena, file, (size_t)(slash - file));
}
