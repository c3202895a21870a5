#include "drivers/client_config.h"

#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1024 * 1024 };

char *client_config_folder(void)
{
    const char *set = getenv("DOCKER_CONFIG");
    if (set && set[0])
        return memory_string(set);
    const char *home = getenv("HOME");
    if (!home || !home[0]) {
        const struct passwd *user = getpwuid(getuid());
        home = user ? user->pw_dir : NULL;
    }
    return home ? memory_format("%s/.docker", home) : NULL;
}

int client_config_file(const char *path, char **content, struct error **err)
{
    *content = NULL;
    FILE *file = fopen(path, "rbe");
    if (!file && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (!file)
        return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
    cleanup_text struct text text;
    text_init(&text, FILE_BYTES_MAX);
    char buffer[4096];
    size_t length;
    while (!text.overflow && (length = fread(buffer, 1, sizeof(buffer), file)) > 0)
        text_add_bytes(&text, buffer, length);
    int failed = ferror(file);
    fclose(file);
    if (failed || text.overflow)
        return error_set(err, ERROR_INVALID, "%s: %s", path,
                         failed ? "cannot be read" : "is longer than a megabyte");
    *content = text_take(&text);
    return 0;
}

char *client_config_text(void)
{
    cleanup_error struct error *ignored = NULL;
    cleanup_free char *folder = client_config_folder();
    cleanup_free char *path = folder ? memory_format("%s/config.json", folder) : NULL;
    char *content = NULL;
    if (!path || client_config_file(path, &content, &ignored) != 0)
        return NULL;
    return content;
}
