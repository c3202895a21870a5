#include "reconciler/folder_walk.h"

#include "base/memory.h"
#include "reconciler/source.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel follows */

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

bool folder_walk_passes_over(const char *name)
{
    /* vim tries with 4913 whether a folder can be written to. */
    static const char *const ends[] = {"~", ".swp", ".swx", ".tmp", "___"};
    if (name[0] == '.' || strcmp(name, "4913") == 0)
        return true;
    if (name[0] == '#' && ends_with(name, "#"))
        return true;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (ends_with(name, ends[i]))
            return true;
    return false;
}

/* "/srv" and "lab" are "/srv/lab". */
static char *below(const char *folder, const char *name)
{
    return memory_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
}

/* What stands at a path, a symbolic link not followed. */
enum found { FOUND_NOTHING, FOUND_FILE, FOUND_LINK, FOUND_FOLDER };

static enum found look(const char *path)
{
    struct stat info;
    if (lstat(path, &info))
        return FOUND_NOTHING;
    return S_ISLNK(info.st_mode) ? FOUND_LINK : S_ISDIR(info.st_mode) ? FOUND_FOLDER : FOUND_FILE;
}

/* A way that is being gone: the folder reached, without links, and what is left to go. */
struct way {
    char *here, *rest;
    unsigned links;
};

/* Takes the next part off the rest: "a" of "//a/b". NULL at the end; else the caller's. */
static char *next_part(struct way *way)
{
    size_t skip = strspn(way->rest, "/");
    size_t length = strcspn(way->rest + skip, "/");
    if (!length)
        return NULL;
    char *part = memory_string_n(way->rest + skip, length);
    memmove(way->rest, way->rest + skip + length, strlen(way->rest + skip + length) + 1);
    return part;
}

static void go_to(struct way *way, char *folder)
{
    free(way->here);
    way->here = folder;
}

static void go_up(struct way *way)
{
    char *slash = strrchr(way->here, '/');
    slash[slash == way->here] = '\0';
}

/* Puts where the link points to before the rest. */
static bool turn_off(struct way *way, const char *link)
{
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof(target) - 1);
    if (length <= 0 || ++way->links > LINKS_MAX)
        return false;
    target[length] = '\0';
    char *rest = memory_format("%s/%s", target, way->rest);
    free(way->rest);
    way->rest = rest;
    if (target[0] == '/')
        go_to(way, memory_string("/"));
    return true;
}

/* One step of the way. False: it ends here, for now or because it is at the file. */
static bool go(struct folder_set *set, struct way *way, const char *part)
{
    cleanup_free char *path = below(way->here, part);
    enum found found = look(path);
    if (found != FOUND_FOLDER) {
        /* What it is counts from when its changes are told. */
        folder_set_add(set, way->here, FOLDER_NAME, part, 0);
        found = look(path);
    }
    if (found == FOUND_LINK)
        return turn_off(way, path);
    if (found != FOUND_FOLDER)
        return false;
    if (folder_set_add(set, path, FOLDER_SELF, NULL, 0) == FOLDER_MISSING) {
        /* It went just now, or may not be read: its folder tells when that ends. */
        folder_set_add(set, way->here, FOLDER_NAME, part, 0);
        set->moved |= look(path) != FOUND_FOLDER;
    }
    go_to(way, TAKE(path));
    return true;
}

static void follow(struct folder_set *set, struct way *way, unsigned depth)
{
    for (;;) {
        cleanup_free char *part = next_part(way);
        if (!part) {
            folder_walk_tree(set, way->here, depth);
            return;
        }
        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0)
            go_up(way);
        else if (!go(set, way, part))
            return;
    }
}

static void follow_from(struct folder_set *set, const char *folder, const char *path,
                        unsigned depth)
{
    struct way way = {.here = memory_string(path[0] == '/' ? "/" : folder),
                      .rest = memory_string(path)};
    follow(set, &way, depth);
    free(way.here);
    free(way.rest);
}

void folder_walk_path(struct folder_set *set, const char *path)
{
    char folder[PATH_MAX];
    if (getcwd(folder, sizeof(folder)))
        follow_from(set, folder, path, 0);
}

/* An entry of a folder that is watched: folders are entered, links followed. */
static void walk_entry(struct folder_set *set, const char *folder, const struct dirent *entry,
                       unsigned depth)
{
    cleanup_free char *path = below(folder, entry->d_name);
    enum found found = entry->d_type == DT_DIR       ? FOUND_FOLDER
                       : entry->d_type == DT_LNK     ? FOUND_LINK
                       : entry->d_type == DT_UNKNOWN ? look(path)
                                                     : FOUND_FILE;
    if (found == FOUND_FOLDER)
        folder_walk_tree(set, path, depth);
    else if (found == FOUND_LINK)
        follow_from(set, folder, entry->d_name, depth);
}

void folder_walk_tree(struct folder_set *set, const char *path, unsigned depth)
{
    if (depth > SOURCE_DEPTH_MAX ||
        folder_set_add(set, path, FOLDER_ENTRIES, NULL, depth) != FOLDER_ADDED)
        return;
    DIR *stream = opendir(path);
    if (!stream)
        return;
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (!folder_walk_passes_over(entry->d_name))
            walk_entry(set, path, entry, depth + 1);
    closedir(stream);
}
