/*
 * The list of what was applied of the user's manifests, in the cluster: so what
 * the manifests no longer hold can be deleted.
 */
#include "drivers/docker_flow.h"
#include "drivers/kube_object.h"

#include "base/memory.h"
#include <ctype.h>
#include <string.h>

/*
 * DESIGN: the list is a ConfigMap, with a line "apiVersion kind namespace name"
 * for each object, "-" where no namespace is given. Before anything is applied
 * the new objects are added to it, and only when the stale ones are deleted
 * are their lines taken away: whatever is cut short, no object is ever in the
 * cluster without a line.
 *
 * A line may say otherwise than the manifests what they still hold (another
 * version, a namespace that is the default anyway). So each stale object is
 * read before it is deleted, and one whose uid was applied just now stays.
 */
enum { LIST_BYTES_MAX = 64 * 1024 };

#define LIST_PATH "/api/v1/namespaces/kube-system/configmaps/kind-manifests"

enum ask { ASK_GROUP, ASK_OBJECT, ASK_DELETION };

struct lines {
    const char **items;
    size_t count;
};

/* In the flow's arena, as docker_flow's `inventory`. */
struct inventory {
    struct lines old, wanted, stale;
    size_t next; /* of the stale ones */
    enum ask ask;
    bool unlisted; /* there is no list yet */
};

static bool has_line(const struct lines *lines, const char *line)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strcmp(lines->items[i], line) == 0)
            return true;
    return false;
}

static void add_line(struct arena *arena, struct lines *lines, const char *line)
{
    if (has_line(lines, line))
        return;
    lines->items = arena_grow(arena, lines->items, lines->count, sizeof(*lines->items));
    lines->items[lines->count++] = line;
}

/* A word of a line, which is also a step of a path. */
static bool is_word(const char *text)
{
    for (const char *c = text; *c; c++)
        if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c) || strchr("/?#%", *c))
            return false;
    return *text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool is_version(struct arena *arena, const char *text)
{
    const char *slash = strchr(text, '/');
    return slash
               ? is_word(arena_string_n(arena, text, (size_t)(slash - text))) && is_word(slash + 1)
               : is_word(text);
}

static bool is_sound(struct arena *arena, const struct kube_object *object)
{
    return object->api_version && object->kind && object->name &&
           is_version(arena, object->api_version) && is_word(object->kind) &&
           is_word(object->name) && (!object->namespace || is_word(object->namespace));
}

/* The object of a line, in arena; false if the line is of somebody else's making. */
static bool parse_line(struct arena *arena, const char *line, struct kube_object *object)
{
    char *words[4], *rest = NULL, *copy = arena_string(arena, line);
    size_t count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word && count < COUNT_OF(words);
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (count != COUNT_OF(words) || *rest)
        return false;
    *object =
        (struct kube_object){words[0], words[1], strcmp(words[2], "-") ? words[2] : NULL, words[3]};
    return is_sound(arena, object);
}

static void parse_list(struct arena *arena, const char *text, struct lines *lines)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length)
            add_line(arena, lines, arena_string_n(arena, text, length));
        text += length + (text[length] == '\n');
    }
}

static const char *print_list(struct arena *arena, const struct lines *lines)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < lines->count; i++)
        text_add_format(&text, "%s\n", lines->items[i]);
    return arena_string(arena, text.length ? text.data : "");
}

static int list_wanted(struct docker_flow *df, struct error **err)
{
    struct arena *arena = df->flow.arena;
    size_t index, length = 0;
    const json_t *item;
    json_array_foreach(df->objects, index, item)
    {
        struct kube_object object = kube_object_of(item);
        if (!is_sound(arena, &object))
            return error_set(err, ERROR_INVALID,
                             "a manifest has no good apiVersion, kind, namespace or name: %s %s",
                             object.kind ? object.kind : "?", object.name ? object.name : "?");
        const char *line = arena_format(arena, "%s %s %s %s", object.api_version, object.kind,
                                        object.namespace ? object.namespace : "-", object.name);
        add_line(arena, &df->inventory->wanted, line);
        length += strlen(line) + 1;
    }
    if (length > LIST_BYTES_MAX)
        return error_set(err, ERROR_INVALID,
                         "the manifests hold %zu objects, and a list of them has more than %d KiB",
                         df->inventory->wanted.count, LIST_BYTES_MAX / 1024);
    return 0;
}

/* What is to be deleted: in the opposite order of its making, and namespaces last. */
static void list_stale(struct arena *arena, struct inventory *inventory)
{
    for (int namespaces = 0; namespaces <= 1; namespaces++)
        for (size_t i = inventory->old.count; i-- > 0;) {
            const char *line = inventory->old.items[i];
            bool is_namespace = strncmp(line, "v1 Namespace ", strlen("v1 Namespace ")) == 0;
            if (is_namespace == (namespaces == 1) && !has_line(&inventory->wanted, line))
                add_line(arena, &inventory->stale, line);
        }
}

enum step_status kube_read_inventory(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        df->inventory = arena_alloc(flow->arena, sizeof(*df->inventory));
        if (list_wanted(df, err))
            return STEP_FAILED;
        kube_send(flow, "GET", LIST_PATH, NULL, NULL);
        return STEP_WAITING;
    }
    json_t *map = json_loadb(answer->body, answer->length, 0, NULL);
    const char *text = json_string_value(json_object_get(json_object_get(map, "data"), "objects"));
    df->inventory->unlisted = !answer->failure && answer->status == 404;
    bool known = !answer->failure && answer->status == 200 && json_is_object(map);
    if (known)
        parse_list(flow->arena, text ? text : "", &df->inventory->old);
    json_decref(map);
    list_stale(flow->arena, df->inventory);
    if (known || df->inventory->unlisted)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

static void send_list(struct flow *flow, const struct lines *lines)
{
    json_t *map = json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion", "v1", "kind",
                            "ConfigMap", "metadata", "name", "kind-manifests", "namespace",
                            "kube-system", "data", "objects", print_list(flow->arena, lines));
    cleanup_free char *body = json_dumps(map, JSON_COMPACT);
    json_decref(map);
    kube_send(flow, "PATCH", LIST_PATH "?fieldManager=kind&force=true",
              "application/apply-patch+yaml", body);
}

static enum step_status take_written(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    if (!answer->failure && (answer->status == 200 || answer->status == 201))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || (answer->status != 400 && answer->status != 422))
        return STEP_AGAIN;
    error_set(err, ERROR_INVALID, "the list kind-manifests: the API says: %s", flow->waiting_for);
    return STEP_FAILED;
}

enum step_status kube_add_inventory(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    const struct inventory *inventory = docker_flow_of(flow)->inventory;
    if (answer)
        return take_written(flow, answer, err);
    struct lines all = {0};
    for (size_t i = 0; i < inventory->old.count; i++)
        add_line(flow->arena, &all, inventory->old.items[i]);
    for (size_t i = 0; i < inventory->wanted.count; i++)
        add_line(flow->arena, &all, inventory->wanted.items[i]);
    if (all.count == inventory->old.count)
        return STEP_DONE;
    send_list(flow, &all);
    return STEP_WAITING;
}

/* --- deleting --- */

/* Was it applied just now, by whatever name? */
static bool is_applied(const struct docker_flow *df, const char *uid)
{
    size_t index;
    const json_t *object;
    json_array_foreach(df->objects, index, object)
    {
        const char *has =
            json_string_value(json_object_get(json_object_get(object, "metadata"), "uid"));
        if (has && strcmp(has, uid) == 0)
            return true;
    }
    return false;
}

/* Asks for the next stale object, or for its kind; STEP_DONE: none is left. */
static enum step_status look_stale(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct inventory *inventory = df->inventory;
    for (; inventory->next < inventory->stale.count; inventory->next++) {
        struct kube_object object;
        if (!parse_line(flow->arena, inventory->stale.items[inventory->next], &object))
            continue;
        bool known = kube_knows_group(df, object.api_version);
        const char *path = known ? kube_object_path(df, &object)
                                 : kube_group_path(flow->arena, object.api_version);
        if (!path)
            continue;
        inventory->ask = known ? ASK_OBJECT : ASK_GROUP;
        kube_send(flow, "GET", path, NULL, NULL);
        return STEP_WAITING;
    }
    return STEP_DONE;
}

static enum step_status again(struct flow *flow, const struct answer *answer)
{
    const struct inventory *inventory = docker_flow_of(flow)->inventory;
    flow->waiting_for = arena_format(flow->arena, "%s: %s", inventory->stale.items[inventory->next],
                                     docker_message(flow, answer));
    return STEP_AGAIN;
}

static enum step_status delete_stale(struct flow *flow, const struct answer *answer)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct inventory *inventory = df->inventory;
    json_t *seen = json_loadb(answer->body, answer->length, 0, NULL);
    const char *uid = arena_string(
        flow->arena, json_string_value(json_object_get(json_object_get(seen, "metadata"), "uid")));
    json_decref(seen);
    struct kube_object object;
    if (!uid || !parse_line(flow->arena, inventory->stale.items[inventory->next], &object))
        return again(flow, answer);
    if (is_applied(df, uid)) {
        inventory->next++;
        return look_stale(flow);
    }
    json_t *options =
        json_pack("{s:s,s:s,s:s,s:{s:s}}", "kind", "DeleteOptions", "apiVersion", "v1",
                  "propagationPolicy", "Background", "preconditions", "uid", uid);
    cleanup_free char *body = json_dumps(options, JSON_COMPACT);
    json_decref(options);
    inventory->ask = ASK_DELETION;
    kube_send(flow, "DELETE", kube_object_path(df, &object), "application/json", body);
    return STEP_WAITING;
}

/* What the API will not delete (the namespace default, say) is left, and that is said. */
static enum step_status take_gone(struct flow *flow, const struct answer *answer)
{
    struct inventory *inventory = docker_flow_of(flow)->inventory;
    bool refused = !answer->failure && (answer->status == 403 || answer->status == 405);
    if (refused)
        flow_note(flow, arena_format(flow->arena, "%s is left: %s",
                                     inventory->stale.items[inventory->next],
                                     docker_message(flow, answer)));
    if (!refused && (answer->failure || answer->status > 202) && answer->status != 404)
        return again(flow, answer);
    inventory->next++;
    return look_stale(flow);
}

enum step_status kube_prune_objects(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    struct inventory *inventory = df->inventory;
    if (!answer)
        return look_stale(flow);
    bool missing = !answer->failure && answer->status == 404;
    bool good = !answer->failure && answer->status == 200;
    struct kube_object object;
    switch (inventory->ask) {
    case ASK_GROUP:
        if ((!good && !missing) ||
            !parse_line(flow->arena, inventory->stale.items[inventory->next], &object))
            return again(flow, answer);
        kube_learn_group(df, object.api_version, answer);
        return look_stale(flow);
    case ASK_OBJECT:
        if (missing)
            inventory->next++;
        if (missing)
            return look_stale(flow);
        return good ? delete_stale(flow, answer) : again(flow, answer);
    case ASK_DELETION:
        return take_gone(flow, answer);
    }
    return STEP_AGAIN;
}

enum step_status kube_keep_inventory(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    const struct inventory *inventory = docker_flow_of(flow)->inventory;
    if (answer)
        return take_written(flow, answer, err);
    if (!inventory->stale.count)
        return STEP_DONE;
    send_list(flow, &inventory->wanted);
    return STEP_WAITING;
}
