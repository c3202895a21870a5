/*
 * ctr of the fake nodes: `images list -q [name==NAME...]` and `images import FILE`. The store is
 * a folder of empty files, so that it goes with the node.
 */
#include "base/memory.h"
#include "drivers/archive.h"
#include "drivers/fake_command.h"
#include "drivers/fake_file.h"
#include "drivers/image_name.h"

#define STORE "/var/lib/containerd/fake-images/"

enum { FILE_BYTES_MAX = 1 << 28 };

/* A name has slashes, a file has none. */
static char *path_of(const char *name)
{
    char *path = memory_format(STORE "%s", name);
    for (char *c = path + strlen(STORE); *c; c++)
        *c = *c == '/' ? ' ' : *c;
    return path;
}

static void add(struct fake_command *command, const char *name)
{
    cleanup_free char *path = path_of(name);
    fake_file_put_text(command->container, path, name);
}

/* Without a filter: of all. */
static bool is_asked(const char *const *filters, const char *name)
{
    bool filtered = false;
    for (; *filters; filters++) {
        if (strncmp(*filters, "name==", strlen("name==")) != 0)
            continue;
        filtered = true;
        if (strcmp(*filters + strlen("name=="), name) == 0)
            return true;
    }
    return !filtered;
}

static int list(struct fake_command *command, const char *const *arguments)
{
    size_t count;
    const struct fake_file **files =
        fake_file_list(command->call->arena, command->container, STORE, &count);
    for (size_t i = 0; i < count; i++)
        if (!files[i]->directory && is_asked(arguments, files[i]->bytes))
            text_add_format(command->out, "%s\n", files[i]->bytes);
    return 0;
}

/* The names in a docker archive; false if it is none. */
static bool add_tags(struct fake_command *command, const struct fake_file *file)
{
    struct archive_files files = {0};
    cleanup_error struct error *err = NULL;
    if (archive_unpack(command->call->arena, file->bytes, file->length, FILE_BYTES_MAX, &files,
                       &err))
        return false;
    const struct archive_file *manifest = archive_find(&files, "manifest.json");
    json_t *images =
        manifest && manifest->bytes ? json_loadb(manifest->bytes, manifest->length, 0, NULL) : NULL;
    json_t *image, *tag;
    size_t i, j;
    json_array_foreach(images, i, image)
    {
        json_array_foreach(json_object_get(image, "RepoTags"), j, tag)
        {
            add(command, image_name_full(command->call->arena, json_string_value(tag)));
        }
    }
    bool understood = images != NULL;
    json_decref(images);
    return understood;
}

static int import(struct fake_command *command, const char *const *arguments)
{
    const char *path = "", *index_name = NULL;
    for (; *arguments; arguments++) {
        if (strncmp(*arguments, "--index-name=", strlen("--index-name=")) == 0)
            index_name = *arguments + strlen("--index-name=");
        if (**arguments != '-')
            path = *arguments;
    }
    const struct fake_file *file = fake_file_get(command->container, path);
    if (!file)
        return fake_command_fail(command, "ctr: open %s: no such file or directory", path);
    if (!add_tags(command, file))
        return fake_command_fail(command, "ctr: unrecognized image format");
    if (index_name)
        add(command, index_name);
    text_add(command->out, "unpacking...done\n");
    return 0;
}

int fake_ctr_run(struct fake_command *command)
{
    for (const char *const *word = command->arguments; *word; word++) {
        if (strcmp(*word, "images") != 0 || !word[1])
            continue;
        if (strcmp(word[1], "list") == 0)
            return list(command, word + 2);
        if (strcmp(word[1], "import") == 0)
            return import(command, word + 2);
    }
    return fake_etcd_run(command);
}
