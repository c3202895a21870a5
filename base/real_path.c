#include "base/real_path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *real_path(struct arena *arena, const char *path)
{
    char found[PATH_MAX];
    size_t length = strlen(path);
    if (path[0] != '/' || strstr(path, "/../") ||
        (length >= 3 && !strcmp(path + length - 3, "/..")))
        return NULL;
    while (length > 1 && path[length - 1] == '/')
        length--;
    /* From the whole path up, until something of it is there. */
    for (size_t end = length;;) {
        const char *part = end ? arena_string_n(arena, path, end) : "/";
        if (realpath(part, found))
            return end == length ? arena_string(arena, found)
                                 : arena_format(arena, "%s%.*s", found[1] ? found : "",
                                                (int)(length - end), path + end);
        struct stat info;
        if (errno != ENOENT || lstat(part, &info) == 0 || !end)
            return NULL;
        while (end && path[end - 1] != '/')
            end--;
        while (end && path[end - 1] == '/')
            end--;
    }
}
