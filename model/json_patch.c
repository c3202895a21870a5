#include "model/json_patch.h"

#include "base/memory.h"
#include "base/plain.h"
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN: the operations are rows of a table, each made of three verbs on a
 * place: find, put, detach. They work on a copy of the document, which is
 * given away only if all went well.
 */

enum { QUOTE_WIDTH_MAX = 120 };

/* A JSON Pointer (RFC 6901), taken apart; zeroed is the whole document. */
struct pointer {
    const char *text; /* borrowed */
    char *bytes;      /* where the tokens are */
    char **tokens;
    size_t count;
};

static void pointer_done(struct pointer *pointer)
{
    free(pointer->bytes);
    free(pointer->tokens);
}

struct change {
    json_t *document; /* owned by who applies */
    size_t copied;    /* values made by "copy" */
};

struct operation {
    const struct operation_kind *kind;
    struct pointer path, from;
    const json_t *value; /* borrowed from the patch; NULL where it has none */
};

struct operation_kind {
    const char *name;
    bool has_value, has_from;
    int (*run)(struct change *change, const struct operation *operation, struct error **err);
};

static void operation_done(struct operation *operation)
{
    pointer_done(&operation->path);
    pointer_done(&operation->from);
}
#define cleanup_operation __attribute__((cleanup(operation_done)))

/* What the user wrote, in quotes, fit to be printed. */
static char *quote(const char *string)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add(&text, "\"");
    plain_add_cut(&text, string, QUOTE_WIDTH_MAX);
    text_add(&text, "\"");
    return text_take(&text);
}

static int refuse_pointer(const char *text, const char *what, struct error **err)
{
    cleanup_free char *quoted = quote(text);
    return error_set(err, ERROR_INVALID, "%s is not a JSON Pointer: %s", quoted, what);
}

/* "~1" is "/", "~0" is "~", and no other "~" may be. */
static int unescape(char *token)
{
    char *to = token;
    for (const char *from = token; *from; from++) {
        if (*from != '~')
            *to++ = *from;
        else if (*++from == '0' || *from == '1')
            *to++ = *from == '0' ? '~' : '/';
        else
            return -1;
    }
    *to = '\0';
    return 0;
}

static int pointer_parse(const char *text, struct pointer *pointer, struct error **err)
{
    pointer->text = text;
    if (!*text)
        return 0;
    if (*text != '/')
        return refuse_pointer(text, "it does not begin with a slash", err);
    size_t count = 0;
    for (const char *slash = text; slash; slash = strchr(slash + 1, '/'))
        count++;
    if (count > PATCH_6902_DEPTH_MAX)
        return refuse_pointer(text, "it is too deep", err);
    pointer->bytes = memory_string(text + 1);
    pointer->tokens = memory_resize(NULL, count, sizeof(*pointer->tokens));
    for (char *rest = pointer->bytes; rest;) {
        char *token = strsep(&rest, "/");
        if (unescape(token) < 0)
            return refuse_pointer(text, "\"~\" is written \"~0\" and \"/\" inside a name \"~1\"",
                                  err);
        pointer->tokens[pointer->count++] = token;
    }
    return 0;
}

/* An index below `end`. */
static bool index_parse(const char *token, size_t end, size_t *index)
{
    size_t digits = strspn(token, "0123456789");
    if (digits == 0 || token[digits] || (token[0] == '0' && digits > 1) || digits > 9)
        return false;
    *index = strtoul(token, NULL, 10);
    return *index < end;
}

/* One step down; NULL where there is nothing. */
static json_t *child(const json_t *parent, const char *token)
{
    size_t index;
    if (json_is_object(parent))
        return json_object_get(parent, token);
    if (json_is_array(parent) && index_parse(token, json_array_size(parent), &index))
        return json_array_get(parent, index);
    return NULL;
}

/* What the first `count` tokens lead to, borrowed; NULL where there is nothing. */
static json_t *walk(json_t *document, const struct pointer *pointer, size_t count)
{
    for (size_t i = 0; document && i < count; i++)
        document = child(document, pointer->tokens[i]);
    return document;
}

/* What the operation is about: what is at its "from", or at its path. */
static json_t *find(const struct change *change, const struct operation *operation,
                    struct error **err)
{
    const struct pointer *pointer = operation->kind->has_from ? &operation->from : &operation->path;
    json_t *found = walk(change->document, pointer, pointer->count);
    if (!found)
        (void)error_set(err, ERROR_INVALID, "there is nothing to %s", operation->kind->name);
    return found;
}

/* How many values hang below and including this one, and how deep. */
static size_t count_values(const json_t *value, size_t depth, size_t *depth_max)
{
    size_t count = 1;
    const json_t *member;
    const char *key;
    json_t *unconst = (json_t *)(uintptr_t)value; /* jansson's iterators take no const */
    if (depth > *depth_max)
        *depth_max = depth;
    json_object_foreach(unconst, key, member)
    {
        count += count_values(member, depth + 1, depth_max);
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        count += count_values(json_array_get(value, i), depth + 1, depth_max);
    return count;
}

/* A copy of a value that is to stand at this place. */
static json_t *copy_for(const struct pointer *place, const json_t *value, size_t *count,
                        struct error **err)
{
    size_t depth_max = place->count;
    *count = count_values(value, place->count, &depth_max);
    if (depth_max <= PATCH_6902_DEPTH_MAX)
        return json_deep_copy(value);
    (void)error_set(err, ERROR_INVALID, "the result would be nested more than %d deep",
                    PATCH_6902_DEPTH_MAX);
    return NULL;
}

static int insert(json_t *list, const char *token, json_t *value, struct error **err)
{
    size_t length = json_array_size(list), index = length;
    if (strcmp(token, "-") == 0 || index_parse(token, length + 1, &index))
        return json_array_insert(list, index, value);
    cleanup_free char *quoted = quote(token);
    return error_set(err, ERROR_INVALID, "%s is no place in a list of %zu", quoted, length);
}

/* Adds as "add" does: sets a member, inserts an item, replaces the document. Takes no ownership. */
static int put(struct change *change, const struct pointer *pointer, json_t *value,
               struct error **err)
{
    if (pointer->count == 0) {
        json_decref(change->document);
        change->document = json_incref(value);
        return 0;
    }
    const char *last = pointer->tokens[pointer->count - 1];
    json_t *parent = walk(change->document, pointer, pointer->count - 1);
    if (json_is_object(parent))
        return json_object_set_nocheck(parent, last, value);
    if (json_is_array(parent))
        return insert(parent, last, value, err);
    return error_set(err, ERROR_INVALID, "what it would be in %s",
                     parent ? "is neither map nor list" : "is not there");
}

/* Takes out what is there: a new reference; the pointer has been found to lead somewhere. */
static json_t *detach(const struct change *change, const struct pointer *pointer)
{
    const char *last = pointer->tokens[pointer->count - 1];
    json_t *parent = walk(change->document, pointer, pointer->count - 1);
    json_t *value = json_incref(child(parent, last));
    if (json_is_object(parent))
        json_object_del(parent, last);
    else
        json_array_remove(parent, strtoul(last, NULL, 10));
    return value;
}

static int run_add(struct change *change, const struct operation *operation, struct error **err)
{
    size_t count;
    json_auto_t *value = copy_for(&operation->path, operation->value, &count, err);
    return value ? put(change, &operation->path, value, err) : -1;
}

static int run_remove(struct change *change, const struct operation *operation, struct error **err)
{
    if (operation->path.count == 0)
        return error_set(err, ERROR_INVALID, "the whole document cannot be removed");
    if (!find(change, operation, err))
        return -1;
    json_decref(detach(change, &operation->path));
    return 0;
}

static int run_replace(struct change *change, const struct operation *operation, struct error **err)
{
    if (!find(change, operation, err))
        return -1;
    size_t count;
    json_auto_t *value = copy_for(&operation->path, operation->value, &count, err);
    if (!value)
        return -1;
    if (operation->path.count > 0)
        json_decref(detach(change, &operation->path));
    return put(change, &operation->path, value, err);
}

/* Whether the first place is the second or above it. */
static bool contains(const struct pointer *outer, const struct pointer *inner)
{
    if (outer->count > inner->count)
        return false;
    for (size_t i = 0; i < outer->count; i++)
        if (strcmp(outer->tokens[i], inner->tokens[i]) != 0)
            return false;
    return true;
}

static int run_move(struct change *change, const struct operation *operation, struct error **err)
{
    const struct pointer *from = &operation->from, *path = &operation->path;
    const json_t *found = find(change, operation, err);
    if (!found)
        return -1;
    if (contains(from, path))
        return from->count == path->count
                   ? 0
                   : error_set(err, ERROR_INVALID, "a value cannot be moved into itself");
    size_t count;
    json_auto_t *value = copy_for(path, found, &count, err);
    if (!value)
        return -1;
    json_decref(detach(change, from));
    return put(change, path, value, err);
}

static int run_copy(struct change *change, const struct operation *operation, struct error **err)
{
    const json_t *found = find(change, operation, err);
    if (!found)
        return -1;
    size_t count;
    json_auto_t *value = copy_for(&operation->path, found, &count, err);
    if (!value)
        return -1;
    change->copied += count;
    if (change->copied > PATCH_6902_COPIED_MAX)
        return error_set(err, ERROR_INVALID, "the patch copies more than %d values",
                         PATCH_6902_COPIED_MAX);
    return put(change, &operation->path, value, err);
}

static bool is_same(const json_t *a, const json_t *b);

static bool is_same_object(const json_t *a, const json_t *b)
{
    const char *key;
    const json_t *value;
    json_t *unconst = (json_t *)(uintptr_t)a; /* jansson's iterators take no const */
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach(unconst, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !is_same(value, other))
            return false;
    }
    return true;
}

static bool is_same_list(const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!is_same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

/* As RFC 6902 has it: numbers by value, so that 1 is 1.0, and members in any order. */
static bool is_same(const json_t *a, const json_t *b)
{
    if (json_is_object(a) && json_is_object(b))
        return is_same_object(a, b);
    if (json_is_array(a) && json_is_array(b))
        return is_same_list(a, b);
    if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
        return !(json_number_value(a) < json_number_value(b)) &&
               !(json_number_value(a) > json_number_value(b));
    return json_equal(a, b);
}

static int run_test(struct change *change, const struct operation *operation, struct error **err)
{
    const json_t *found = find(change, operation, err);
    if (!found)
        return -1;
    return is_same(found, operation->value)
               ? 0
               : error_set(err, ERROR_INVALID, "the value there is another one");
}

static const struct operation_kind kinds[] = {
    {"add", .has_value = true, .run = run_add},
    {"remove", .run = run_remove},
    {"replace", .has_value = true, .run = run_replace},
    {"move", .has_from = true, .run = run_move},
    {"copy", .has_from = true, .run = run_copy},
    {"test", .has_value = true, .run = run_test},
};

static const struct operation_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static int read_pointer(const json_t *item, const char *member, struct pointer *pointer,
                        struct error **err)
{
    const char *text = json_string_value(json_object_get(item, member));
    if (!text)
        return error_set(err, ERROR_INVALID, "\"%s\" is missing, or is no string", member);
    return pointer_parse(text, pointer, err);
}

static int read_operation(const json_t *item, struct operation *operation, struct error **err)
{
    const char *name = json_string_value(json_object_get(item, "op"));
    if (!name)
        return error_set(err, ERROR_INVALID, "it is not a map with a string \"op\"");
    operation->kind = find_kind(name);
    if (!operation->kind) {
        cleanup_free char *quoted = quote(name);
        return error_set(err, ERROR_INVALID,
                         "%s is none of add, remove, replace, move, copy and test", quoted);
    }
    if (read_pointer(item, "path", &operation->path, err) < 0 ||
        (operation->kind->has_from && read_pointer(item, "from", &operation->from, err) < 0))
        return error_wrap(err, "%s", name);
    operation->value = json_object_get(item, "value");
    if (operation->kind->has_value && !operation->value)
        return error_set(err, ERROR_INVALID, "%s: \"value\" is missing", name);
    return 0;
}

static int run(struct change *change, const json_t *item, struct error **err)
{
    cleanup_operation struct operation operation = {0};
    if (read_operation(item, &operation, err) < 0)
        return -1;
    assert(operation.kind);
    if (operation.kind->run(change, &operation, err) == 0)
        return 0;
    cleanup_free char *path = quote(operation.path.text);
    if (!operation.kind->has_from)
        return error_wrap(err, "%s %s", operation.kind->name, path);
    cleanup_free char *from = quote(operation.from.text);
    return error_wrap(err, "%s %s to %s", operation.kind->name, from, path);
}

json_t *patch_6902_apply(const json_t *document, const json_t *patch, struct error **err)
{
    if (!json_is_array(patch)) {
        (void)error_set(err, ERROR_INVALID, "a JSON patch is a list of operations");
        return NULL;
    }
    struct change change = {.document = json_deep_copy(document)};
    for (size_t i = 0; i < json_array_size(patch); i++) {
        if (run(&change, json_array_get(patch, i), err) < 0) {
            json_decref(change.document);
            (void)error_wrap(err, "operation %zu", i + 1);
            return NULL;
        }
    }
    return change.document;
}
