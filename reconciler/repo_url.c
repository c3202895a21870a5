#include "reconciler/repo_url.h"

#include "model/path.h"
#include <string.h>

enum { URL_BYTES_MAX = 2000 };

static const struct {
    const char *prefix;
    enum repo_scheme scheme;
} schemes[] = {
    {"https://", REPO_HTTPS},
    {"http://", REPO_HTTP},
    {"ssh://", REPO_SSH},
    {"file://", REPO_LOCAL},
};

static int refuse(const char *written, const char *why, struct error **err)
{
    return error_set(err, ERROR_INVALID, "--git %.200s: %s", written, why);
}

/* Quotes would end those that the other side's shell is given; no repository needs them. */
static bool is_plain(const char *written)
{
    for (const unsigned char *c = (const unsigned char *)written; *c; c++)
        if (*c <= ' ' || *c == 0x7f || strchr("'\"`\\", *c))
            return false;
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    long value = at ? at - digits : -1;
    return (int)(value > 15 ? value - 6 : value);
}

/* "%20" as a blank. NULL: it is no such text, or holds a NUL or line break. */
static const char *decode(struct arena *arena, const char *encoded)
{
    char *decoded = arena_string(arena, encoded), *to = decoded;
    for (const char *from = encoded; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
        int value = high * 16 + low;
        if (low < 0 || value < ' ' || value == 0x7f)
            return NULL;
        *to++ = (char)value;
        from += 2;
    }
    *to = '\0';
    return decoded;
}

static int take_local(struct arena *arena, const char *written, const char *path,
                      const char *folder, struct repo_url *url, struct error **err)
{
    if (!path || !*path)
        return refuse(written, "is not the address of a folder; file:///srv/lab.git is one", err);
    url->scheme = REPO_LOCAL;
    url->text = path_absolute(arena, folder, path);
    url->shown = url->text;
    return 0;
}

/* "host", "host:22", "[::1]:22" of `length` bytes. */
static bool take_host(struct arena *arena, const char *host, size_t length, struct repo_url *url)
{
    const char *text = arena_string_n(arena, host, length), *rest;
    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (!end)
            return false;
        url->host = arena_string_n(arena, text + 1, (size_t)(end - text) - 1);
        rest = end + 1;
    } else {
        size_t size = strcspn(text, ":");
        url->host = arena_string_n(arena, text, size);
        rest = text + size;
    }
    unsigned long port = 0;
    if (*rest == ':') {
        size_t digits = strspn(rest + 1, "0123456789");
        port =
            digits > 0 && digits <= 5 && rest[1 + digits] == '\0' ? strtoul(rest + 1, NULL, 10) : 0;
        if (port == 0 || port > UINT16_MAX)
            return false;
    } else if (*rest) {
        return false;
    }
    url->port = (uint16_t)port;
    return *url->host != '\0' && *url->host != '-' && !strpbrk(url->host, "/@[]%");
}

static bool has_password(const char *user, size_t length)
{
    return memchr(user, ':', length) != NULL;
}

static int take_remote(struct arena *arena, const char *written, const char *after,
                       struct repo_url *url, struct error **err)
{
    size_t authority = strcspn(after, "/");
    const char *path = after + authority, *at = NULL;
    for (const char *c = after; c < path; c++)
        if (*c == '@')
            at = c;
    const char *host = at ? at + 1 : after;
    const char *scheme = arena_string_n(arena, written, (size_t)(after - written));
    if (at && has_password(after, (size_t)(at - after)))
        return error_set(err, ERROR_INVALID,
                         "--git: the address of %.*s holds a password, which others could see; "
                         "write it into a file and name that by --git-token-file",
                         (int)(path - host), host);
    if (at && at > after)
        url->user = arena_string_n(arena, after, (size_t)(at - after));
    if (!take_host(arena, host, (size_t)(path - host), url))
        return refuse(written, "names no host, or no port from 1 to 65535", err);
    if (path[0] != '/' || path[1] == '\0' || strpbrk(path, "?#"))
        return refuse(written, "names no repository on that host, such as /lab.git", err);
    url->text = written;
    /* Some servers take a token for the user's name. */
    url->shown = url->scheme == REPO_SSH ? written : arena_format(arena, "%s%s", scheme, host);
    return 0;
}

/* "git@host:lab.git", as ssh's own tools have it. */
static int take_short(struct arena *arena, const char *written, const char *colon,
                      struct repo_url *url, struct error **err)
{
    const char *at = memchr(written, '@', (size_t)(colon - written));
    const char *host = at ? at + 1 : written;
    url->scheme = REPO_SSH;
    if (at)
        url->user = arena_string_n(arena, written, (size_t)(at - written));
    if (!take_host(arena, host, (size_t)(colon - host), url) || colon[1] == '\0')
        return refuse(written, "is not user@host:path", err);
    url->text = written;
    url->shown = written;
    return 0;
}

int repo_url_read(struct arena *arena, const char *written, const char *folder,
                  struct repo_url *url, struct error **err)
{
    *url = (struct repo_url){0};
    if (!*written || strlen(written) > URL_BYTES_MAX || !is_plain(written))
        return refuse(*written ? "URL" : "\"\"",
                      "is empty, too long, or holds blanks, quotes or control characters", err);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t length = strlen(schemes[i].prefix);
        if (strncmp(written, schemes[i].prefix, length) != 0)
            continue;
        url->scheme = schemes[i].scheme;
        if (url->scheme != REPO_LOCAL)
            return take_remote(arena, written, written + length, url, err);
        const char *path = written[length] == '/' ? decode(arena, written + length) : NULL;
        return take_local(arena, written, path, folder, url, err);
    }
    if (strstr(written, "://") || strstr(written, "::"))
        return refuse(written, "only file://, https://, http:// and ssh:// can be read", err);
    const char *colon = strchr(written, ':'), *slash = strchr(written, '/');
    if (*written != '/' && *written != '.' && colon && (!slash || colon < slash))
        return take_short(arena, written, colon, url, err);
    return take_local(arena, written, written, folder, url, err);
}

bool repo_url_is_loopback(const struct repo_url *url)
{
    const char *host = url->host;
    if (!host)
        return true;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return true;
    /* A name such as 127.evil.example is none. */
    return strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0';
}
