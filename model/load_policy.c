#include "model/load_policy.h"

#include "base/memory.h"
#include "model/load_life.h"
#include "model/load_types.h"
#include "model/path.h"
#include "model/validate.h"
#include <assert.h>
#include <ctype.h>

enum { PORT_LAST = 65535 };

/* A policy as it is written. */
struct policy_draft {
    struct policy policy; /* first, so that rows are offsets into it */
    unsigned base;        /* enum policy_base */
    struct string_list patches;
    const char *name; /* for readers of the file */
    struct pair_list labels, annotations;
};

/* --- host paths --- */

static const struct field path_rows[] = {
    {"path", &type_string, offsetof(struct policy_path, path), NULL,
     "Folder or file of the host, absolute; all below it is meant, too", .required = true},
    {"readOnly", &type_bool, offsetof(struct policy_path, read_only), NULL,
     "Only for mounts that cannot write to it"},
    {0},
};
static const struct field_table path_table = {path_rows, NULL};

static void finish_path(struct loader *loader, const struct cursor *at, void *item)
{
    struct policy_path *entry = item;
    struct cursor path = cursor_field(at, "path");
    if (entry->path && strcmp(entry->path, path_absolute(loader->arena, "/", entry->path)) != 0)
        load_error(loader, &path, "%s is not an absolute path without \"..\" and doubled slashes",
                   problem_quote(loader->problems, entry->path));
    if (!entry->path)
        entry->path = ""; /* told; within it is nothing */
}

static const struct item_type path_item = {sizeof(struct policy_path), &path_table, finish_path};
static_assert(COUNT_FOLLOWS(struct policy, paths, path_count), "read as items");

/* --- ports and addresses --- */

/* A whole number of this many digits at most; -1: none. */
static int32_t read_number(const char **text)
{
    int32_t number = 0;
    size_t digits = 0;
    for (; isdigit((unsigned char)**text) && digits < 6; digits++)
        number = number * 10 + (*(*text)++ - '0');
    return digits ? number : -1;
}

static bool read_range(const char *text, struct port_range *range)
{
    range->first = range->last = read_number(&text);
    if (*text == '-') {
        text++;
        range->last = read_number(&text);
    }
    return !*text && range->first >= 1 && range->last >= range->first && range->last <= PORT_LAST;
}

static void read_ranges(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    struct policy *policy = object;
    struct string_list texts = {0};
    const struct field row = {.name = field->name, .offset = 0};
    read_strings(loader, at, &row, &texts);
    if (at->tree->kind != TREE_LIST)
        return;
    struct port_range *ranges = arena_array(loader->arena, at->tree->count, sizeof(*ranges));
    size_t count = 0;
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        if (!item.tree || item.tree->kind != TREE_SCALAR)
            continue;
        if (read_range(item.tree->scalar, &ranges[count]))
            count++;
        else
            load_error(loader, &item, "%s is no port of 1 to %d, nor a range of them as 8000-8999",
                       problem_quote(loader->problems, item.tree->scalar), PORT_LAST);
    }
    policy->ports = ranges;
    policy->port_count = count;
}

static const struct field_type type_ranges = {
    read_ranges, FIELD_JSON,
    "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\",\"null\"]}}"};

static void read_addresses(struct loader *loader, const struct cursor *at,
                           const struct field *field, void *object)
{
    read_strings(loader, at, field, object);
    for (size_t i = 0; at->tree->kind == TREE_LIST && i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        if (item.tree && item.tree->kind == TREE_SCALAR && strcmp(item.tree->scalar, "*") != 0 &&
            !validate_is_address(item.tree->scalar))
            load_error(loader, &item, "%s is no IP address, nor \"*\" for any",
                       problem_quote(loader->problems, item.tree->scalar));
    }
}

static const struct field_type type_addresses = {
    read_addresses, FIELD_JSON, "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"null\"]}}"};

/* --- the policy --- */

static const struct field spec_rows[] = {
    {"base", &type_word, offsetof(struct policy_draft, base), policy_base_names,
     "What counts for all that is not mentioned: restrictive (the default), or permissive"},
    {"hostPaths", &type_items, offsetof(struct policy, paths), &path_item,
     "Paths of the host that extraMounts may mount"},
    {"images", &type_strings, offsetof(struct policy, images), NULL,
     "Node images that may be named; * stands for any text"},
    {"imageDigests", &type_bool, offsetof(struct policy, image_digests), NULL,
     "Node images other than kind.local/ must be named by digest"},
    {"preload", &type_strings, offsetof(struct policy, preload), NULL,
     "Images that may be preloaded; * stands for any text"},
    {"listenAddresses", &type_addresses, offsetof(struct policy, addresses), NULL,
     "Addresses of the host that ports may be published on; * is any"},
    {"hostPorts", &type_ranges, 0, NULL,
     "Ports of the host that may be asked for, as 8080 or 30000-32767; one that kind picks is "
     "free"},
    {"clusterNames", &type_strings, offsetof(struct policy, names), NULL,
     "Names that clusters may have; * stands for any text"},
    {"patches", &type_words, offsetof(struct policy_draft, patches), policy_patch_names,
     "Which configuration may be patched: kubeadm, containerd"},
    {"manifests", &type_bool, offsetof(struct policy, manifests), NULL,
     "Clusters may have manifests; a pod in a node can become root of the host"},
    {"featureGates", &type_strings, offsetof(struct policy, feature_gates), NULL,
     "Feature gates that may be set; * stands for any text"},
    {"runtimeConfig", &type_strings, offsetof(struct policy, runtime_config), NULL,
     "Keys of runtimeConfig that may be set; * stands for any text"},
    {"maxClusters", &type_count, offsetof(struct policy, max_clusters), NULL,
     "How many clusters there may be"},
    {"maxNodes", &type_count, offsetof(struct policy, max_nodes), NULL,
     "How many nodes a cluster may have"},
    {"maxNodesInAll", &type_count, offsetof(struct policy, max_nodes_in_all), NULL,
     "How many nodes all clusters may have together"},
    {0},
};
const struct field_table policy_spec_table = {spec_rows, NULL};

static const struct field metadata_rows[] = {
    {"name", &type_string, offsetof(struct policy_draft, name), NULL, "For readers of the file"},
    {"labels", &type_pairs, offsetof(struct policy_draft, labels), NULL, "For readers of the file"},
    {"annotations", &type_pairs, offsetof(struct policy_draft, annotations), NULL,
     "For readers of the file"},
    {0},
};
static const struct field_table metadata_table = {metadata_rows, NULL};

static const char *const api_versions[] = {"fleet.kind/v1alpha1", NULL};
static const char *const kinds[] = {"Policy", NULL};
/* Read after the document, since its base lies under it. */
static const struct field_type type_spec = {NULL, FIELD_MAP, NULL};

static const struct field document_rows[] = {
    {"apiVersion", &type_header, 0, api_versions, "Which format this is", .required = true},
    {"kind", &type_header, 0, kinds, "What sources may ask for", .required = true},
    {"metadata", &type_mapping, 0, &metadata_table, "For readers of the file"},
    {"spec", &type_spec, 0, &policy_spec_table, "What is allowed"},
    {0},
};
const struct field_table policy_table = {document_rows, NULL};

/* The base that is written; the restrictive one if that is none. */
static enum policy_base look_up_base(const struct cursor *spec)
{
    if (!spec->tree || spec->tree->kind != TREE_MAP)
        return POLICY_RESTRICTIVE;
    struct cursor base = cursor_field(spec, "base");
    bool permissive = base.tree && base.tree->kind == TREE_SCALAR &&
                      strcmp(base.tree->scalar, policy_base_names[POLICY_PERMISSIVE]) == 0;
    return permissive ? POLICY_PERMISSIVE : POLICY_RESTRICTIVE;
}

static bool holds(const struct string_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

const struct policy *load_policy_spec(struct loader *loader, const struct cursor *at,
                                      const char *name)
{
    struct policy_draft draft = {.policy = *policy_base(look_up_base(at))};
    struct policy *policy = arena_alloc(loader->arena, sizeof(*policy));
    if (at->tree)
        fields_read(loader, at, &policy_spec_table, &draft);
    *policy = draft.policy;
    policy->name = name;
    if (draft.patches.items) {
        policy->kubeadm_patches = holds(&draft.patches, policy_patch_names[POLICY_KUBEADM]);
        policy->containerd_patches = holds(&draft.patches, policy_patch_names[POLICY_CONTAINERD]);
    }
    return policy;
}

static bool says(const struct cursor *at, const char *field, const char *word)
{
    struct cursor value = cursor_field(at, field);
    return value.tree && value.tree->kind == TREE_SCALAR && strcmp(value.tree->scalar, word) == 0;
}

static void read_document(struct loader *loader, const struct tree *tree, const char *name,
                          struct policy *policy)
{
    struct policy_draft draft = {0};
    struct cursor at = cursor_document(tree);
    if (tree->kind != TREE_MAP || !says(&at, "apiVersion", api_versions[0]) ||
        !says(&at, "kind", kinds[0])) {
        load_error(loader, &at, "is no policy; one begins with apiVersion: %s and kind: %s",
                   api_versions[0], kinds[0]);
        return;
    }
    struct cursor spec = cursor_field(&at, "spec");
    fields_read(loader, &at, &policy_table, &draft);
    *policy = *load_policy_spec(loader, &spec, name);
}

int load_policy(const struct load_text *text, struct policy *policy, struct problem_list *problems)
{
    const struct load_options none = {.base_folder = "/"};
    struct loader loader = {.arena = problems->arena, .problems = problems, .options = &none};
    struct tree_stream stream;
    size_t errors = problems->errors, found = 0;
    const char *file = arena_string(problems->arena, text->file);
    *policy = *policy_base(POLICY_RESTRICTIVE);
    (void)tree_parse(problems->arena, file, text->bytes, text->length, TREE_STRICT, &stream,
                     problems);
    for (size_t i = 0; i < stream.count; i++) {
        if (tree_is_null(stream.documents[i]))
            continue;
        if (found++)
            problem_add(problems, stream.documents[i]->place,
                        "a policy's file holds one document alone");
        else
            read_document(&loader, stream.documents[i], file, policy);
    }
    if (!found && problems->errors == errors)
        problem_add(problems, (struct place){.file = file}, "holds no policy");
    return problems->errors > errors ? -1 : 0;
}
