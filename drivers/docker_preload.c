/*
 * Images that the user wants in a node's store before anything runs there.
 *
 * DESIGN: one row asks the node which of them it has not; the next brings one
 * of these and is run again while there are more, so that a flow that is to
 * end does so between two images. The last asks again: an import is believed
 * when the name is there.
 */
#include "drivers/docker_preload.h"

#include "base/memory.h"
#include "drivers/image_name.h"
#include <string.h>

enum {
    LOOK_MS = 60 * 1000,
    BRING_MS = 60 * 60 * 1000, /* all of them */
    NAMES_AT_ONCE = 32,        /* so that the answer fits into what is kept of an output */
};

static void release(struct flow *flow)
{
    struct preload *preload = preload_of(flow);
    spool_close(&preload->spool);
    error_free(preload->trouble);
    preload->release(flow);
}

/* Row: from here on the flow has what it needs for images. */
static enum step_status begin(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    struct preload *preload = arena_alloc(flow->arena, sizeof(*preload));
    *preload = (struct preload){.wanted = df->input.spec->preload, .release = flow->release};
    df->preload = preload;
    flow->release = release;
    for (size_t i = 0; i < preload->wanted.count; i++) {
        if (image_name_is_plain(preload->wanted.items[i]))
            continue;
        error_set(err, ERROR_INVALID, "'%s' is no name of an image", preload->wanted.items[i]);
        return STEP_FAILED;
    }
    return STEP_DONE;
}

/* --- what the node has --- */

static void list_images(struct flow *flow)
{
    struct preload *preload = preload_of(flow);
    const char *argv[NAMES_AT_ONCE + 6] = {"ctr", "--namespace=k8s.io", "images", "list", "-q"};
    size_t count = 5;
    for (size_t i = 0; i < NAMES_AT_ONCE && preload->looked + i < preload->wanted.count; i++)
        argv[count++] =
            arena_format(flow->arena, "name==%s",
                         image_name_full(flow->arena, preload->wanted.items[preload->looked + i]));
    flow_exec(flow, docker_flow_of(flow)->found->id, argv);
}

static bool has_line(const struct answer *answer, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = answer->body; (at = strstr(at, line)); at += length) {
        bool begins = at == answer->body || at[-1] == '\n';
        if (begins && (at[length] == '\n' || at[length] == '\r' || !at[length]))
            return true;
    }
    return false;
}

static void note_missing(struct flow *flow, const struct answer *answer)
{
    struct preload *preload = preload_of(flow);
    size_t end = preload->looked + NAMES_AT_ONCE;
    for (; preload->looked < end && preload->looked < preload->wanted.count; preload->looked++) {
        const char *name = preload->wanted.items[preload->looked];
        if (has_line(answer, image_name_full(flow->arena, name)))
            continue;
        preload->missing = arena_grow(flow->arena, preload->missing, preload->missing_count,
                                      sizeof(*preload->missing));
        preload->missing[preload->missing_count++] = name;
    }
}

static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct preload *preload = preload_of(flow);
    if (!answer) {
        preload->looked = preload->missing_count = 0;
        preload->missing = NULL;
    } else if (answer->exit_code != 0) {
        error_set(err, ERROR_UNAVAILABLE, "ctr failed with exit code %d: %s", answer->exit_code,
                  docker_last_words(flow, answer));
        return STEP_FAILED;
    } else {
        note_missing(flow, answer);
    }
    if (preload->looked == preload->wanted.count)
        return STEP_DONE;
    list_images(flow);
    return STEP_WAITING;
}

static enum step_status look_again(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct preload *preload = preload_of(flow);
    if (!answer && preload->missing_count == 0)
        return STEP_DONE;
    enum step_status status = look(flow, answer, err);
    if (status != STEP_DONE || preload->missing_count == 0)
        return status;
    error_set(err, ERROR_CONFLICT, "%s was imported, but containerd does not know it as %s",
              preload->missing[0], image_name_full(flow->arena, preload->missing[0]));
    return STEP_FAILED;
}

/* --- the node's snapshotter --- */

/* "plugins.a.b" of the line ["plugins"."a".b]. */
static const char *section_of(struct arena *arena, const char *line)
{
    char *name = arena_alloc(arena, strlen(line) + 1);
    size_t length = 0;
    for (; *line && *line != ']'; line++)
        if (!strchr("[\"' \t", *line))
            name[length++] = *line;
    return name;
}

static bool holds_snapshotter(const char *section)
{
    return strcmp(section, "plugins.io.containerd.grpc.v1.cri.containerd") == 0 ||
           strcmp(section, "plugins.io.containerd.cri.v1.images") == 0;
}

/*
 * The value of `snapshotter` in the section where containerd's CRI plugin has
 * it: version 2 of the configuration, then 3. NULL where it is not said.
 */
static const char *snapshotter_of(struct arena *arena, const char *toml)
{
    bool wanted = false;
    char *rest = NULL, *copy = arena_string(arena, toml);
    for (char *line = strtok_r(copy, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        line += strspn(line, " \t");
        if (*line == '[')
            wanted = holds_snapshotter(section_of(arena, line));
        size_t key = strcspn(line, " \t=");
        if (!wanted || strncmp(line, "snapshotter", key) != 0 || key != strlen("snapshotter"))
            continue;
        line += key + strspn(line + key, " \t=\"'");
        return arena_string_n(arena, line, strcspn(line, " \t\"'#"));
    }
    return NULL;
}

/*
 * From the file that kind's nodes have: a command that prints the whole
 * configuration would be three requests more. An image that was unpacked for
 * another snapshotter would be unpacked again when a pod wants it.
 */
static enum step_status read_snapshotter(struct flow *flow, const struct answer *answer,
                                         struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->preload->missing_count == 0)
        return STEP_DONE;
    if (!answer) {
        docker_read_files(flow, df->found->id, "/etc/containerd/config.toml");
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, "config.toml");
    const char *snapshotter = file && file->bytes ? snapshotter_of(flow->arena, file->bytes) : NULL;
    df->preload->snapshotter = snapshotter && *snapshotter ? snapshotter : NULL;
    return STEP_DONE;
}

const struct step docker_preload_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "read the names", .run = begin, .timeout_ms = 1000},
    {.name = "remove what is left of an earlier try",
     .run = docker_carry_remove,
     .timeout_ms = LOOK_MS},
    {.name = "look what the node has", .run = look, .timeout_ms = LOOK_MS},
    {.name = "read its configuration", .run = read_snapshotter, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "bring the images",
     .run = docker_carry,
     .timeout_ms = BRING_MS,
     .poll_ms = 1,
     .tolerant = true},
    {.name = "look again", .run = look_again, .timeout_ms = LOOK_MS},
    {0},
};
