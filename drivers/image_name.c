#include "drivers/image_name.h"

#include <string.h>

#define HUB "docker.io/"

bool image_name_is_plain(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789._-/:@+";
    size_t length = 0;
    while (name[length] && (strchr(letters, name[length]) || strchr(others, name[length])))
        length++;
    return length && !name[length];
}

/* Where the tag's ':' is, before any digest; or NULL. A ':' before a '/' is of a port. */
static const char *tag_of(const char *name)
{
    const char *end = name + strcspn(name, "@"), *colon = NULL;
    for (const char *c = name; c < end; c++)
        colon = *c == ':' ? c : *c == '/' ? NULL : colon;
    return colon;
}

const char *image_name_tagged(struct arena *arena, const char *name)
{
    bool complete = tag_of(name) || strchr(name, '@');
    return arena_format(arena, "%s%s", name, complete ? "" : ":latest");
}

/* The first part is a host if it looks like one. */
static bool names_host(const char *name)
{
    size_t length = strcspn(name, "/");
    return name[length] && (memchr(name, '.', length) || memchr(name, ':', length) ||
                            (length == strlen("localhost") && !strncmp(name, "localhost", length)));
}

const char *image_name_full(struct arena *arena, const char *name)
{
    const char *tag = tag_of(name), *digest = strchr(name, '@');
    if (tag && digest)
        name = arena_format(arena, "%.*s%s", (int)(tag - name), name, digest);
    const char *tagged = image_name_tagged(arena, name);
    if (strncmp(tagged, HUB, strlen(HUB)) == 0)
        tagged += strlen(HUB);
    else if (names_host(tagged))
        return tagged;
    return arena_format(arena, HUB "%s%s", strchr(tagged, '/') ? "" : "library/", tagged);
}
