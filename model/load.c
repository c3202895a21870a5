#include "model/load.h"

#include "base/memory.h"
#include "model/load_cluster.h"

/* A cluster on its way into the fleet. */
struct loaded {
    struct cluster_spec spec;
    struct place name_place; /* of the name, or of the document that has none */
    bool named;              /* by the file */
    size_t order;            /* as read, so that sorting is stable */
};

struct loading {
    struct loader loader;
    struct loaded *clusters;
    size_t count;
};

typedef void document_reader(struct loading *loading, const struct cursor *at);

static void read_cluster(struct loading *loading, const struct cursor *at)
{
    loading->clusters = arena_grow(loading->loader.arena, loading->clusters, loading->count,
                                   sizeof(*loading->clusters));
    struct loaded *loaded = &loading->clusters[loading->count];
    struct cursor name = cursor_field(at, "name");
    loaded->name_place = name.place;
    loaded->named = name.tree != NULL;
    loaded->order = loading->count++;
    load_cluster(&loading->loader, at, &loaded->spec);
}

/* Every pair that means something; without a reader it is known, but not supported yet. */
static const struct object_type {
    const char *api_version, *kind;
    document_reader *read;
} object_types[] = {
    {"kind.x-k8s.io/v1alpha4", "Cluster", read_cluster},
    {"fleet.kind/v1alpha1", "Cluster", NULL},
    {"fleet.kind/v1alpha1", "Registry", NULL},
    {"fleet.kind/v1alpha1", "Fleet", NULL},
    {"fleet.kind/v1alpha1", "Policy", NULL},
    {"kind.x-k8s.io/v1alpha3", "Cluster", NULL},
    {"kind.sigs.k8s.io/v1alpha3", "Cluster", NULL},
    {"kind.sigs.k8s.io/v1alpha3", "Config", NULL},
    {"kind.sigs.k8s.io/v1alpha2", "Cluster", NULL},
    {"kind.sigs.k8s.io/v1alpha2", "Config", NULL},
    {"kind.sigs.k8s.io/v1alpha1", "Cluster", NULL},
    {"kind.sigs.k8s.io/v1alpha1", "Config", NULL},
};

enum { TYPE_COUNT = COUNT_OF(object_types) };

static const struct object_type *find_type(const char *api_version, const char *kind)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(object_types[i].api_version, api_version) == 0 &&
            (!kind || strcmp(object_types[i].kind, kind) == 0))
            return &object_types[i];
    }
    return NULL;
}

/* The text of apiVersion or kind; NULL, with a report, if it is missing or no text. */
static const char *read_header(struct loader *loader, const struct cursor *at, const char *name,
                               const char *example)
{
    struct cursor field = cursor_field(at, name);
    const char *value = NULL;
    const struct field row = {.name = name};
    if (!field.tree) {
        load_error(loader, &field, "is missing; a cluster has %s", example);
        return NULL;
    }
    read_string(loader, &field, &row, &value);
    return value;
}

static void report_api_version(struct loader *loader, const struct cursor *at,
                               const char *api_version)
{
    const char *names[TYPE_COUNT + 1] = {NULL};
    for (size_t i = 0; i < TYPE_COUNT; i++)
        names[i] = object_types[i].api_version;
    struct cursor field = cursor_field(at, "apiVersion");
    const char *found = problem_quote(loader->problems, api_version);
    const char *meant = load_suggest(api_version, names);
    if (meant)
        load_error(loader, &field, "%s is not known; did you mean \"%s\"?", found, meant);
    else
        load_error(loader, &field, "%s is not known; clusters are \"%s\"", found, names[0]);
}

static void report_kind(struct loader *loader, const struct cursor *at, const char *api_version,
                        const char *kind)
{
    const char *names[TYPE_COUNT + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(object_types[i].api_version, api_version) == 0)
            names[count++] = object_types[i].kind;
    }
    struct cursor field = cursor_field(at, "kind");
    load_error(loader, &field, "%s is not a kind of %s, which has %s",
               problem_quote(loader->problems, kind), api_version, load_choices(loader, names));
}

/* What the document says it is, as far as we know such; NULL, with a report, otherwise. */
static const struct object_type *read_type(struct loader *loader, const struct cursor *at)
{
    const char *api_version =
        read_header(loader, at, "apiVersion", "apiVersion: kind.x-k8s.io/v1alpha4");
    const char *kind = read_header(loader, at, "kind", "kind: Cluster");
    if (api_version && !find_type(api_version, NULL))
        report_api_version(loader, at, api_version);
    else if (api_version && kind && !find_type(api_version, kind))
        report_kind(loader, at, api_version, kind);
    return api_version && kind ? find_type(api_version, kind) : NULL;
}

static void read_document(struct loading *loading, const struct tree *tree)
{
    struct loader *loader = &loading->loader;
    struct cursor at = cursor_document(tree);
    if (tree->kind != TREE_MAP) {
        load_error(loader, &at, "expected a mapping with apiVersion and kind, found a %s",
                   tree->kind == TREE_LIST ? "list" : "single value");
        return;
    }
    const struct object_type *type = read_type(loader, &at);
    if (!type)
        return;
    struct cursor api_version = cursor_field(&at, "apiVersion");
    if (type->read)
        type->read(loading, &at);
    else
        load_error(loader, &api_version, "%s %s is not supported yet; write clusters as %s",
                   type->api_version, type->kind, object_types[0].api_version);
}

static void read_text(struct loading *loading, const struct load_text *text)
{
    struct loader *loader = &loading->loader;
    const char *file = strcmp(text->file, "-") == 0 ? "<stdin>" : text->file;
    struct tree_stream stream;
    size_t read = 0;
    int failed = tree_parse(loader->arena, file, text->bytes, text->length, TREE_STRICT, &stream,
                            loader->problems);
    for (size_t i = 0; i < stream.count; i++) {
        if (tree_is_null(stream.documents[i]))
            continue;
        read_document(loading, stream.documents[i]);
        read++;
    }
    if (!read && !failed && !loader->options->allow_empty)
        problem_add(loader->problems, (struct place){.file = file},
                    "holds no document; a cluster begins with apiVersion: %s and kind: %s "
                    "(--allow-empty: no cluster is wanted)",
                    object_types[0].api_version, object_types[0].kind);
}

static int name_order(const void *a, const void *b)
{
    const struct loaded *left = a, *right = b;
    int order = strcmp(left->spec.name, right->spec.name);
    return order ? order : left->order < right->order ? -1 : left->order > right->order;
}

static void report_twice(struct loading *loading, const struct loaded *first,
                         const struct loaded *again)
{
    const char *name = problem_quote(loading->loader.problems, again->spec.name);
    const struct place *place = &first->name_place;
    problem_add(loading->loader.problems, again->name_place,
                "name: there is already a cluster %s%s, at %s:%u:%u; names must be unique", name,
                again->named ? "" : " (this one has no name of its own)", place->file, place->line,
                place->column);
}

/* Sorts, checks that names are unique, and hands over. */
static void finish_fleet(struct loading *loading, struct fleet_spec *fleet)
{
    struct cluster_spec *clusters =
        arena_array(loading->loader.arena, loading->count, sizeof(*clusters));
    if (loading->count)
        qsort(loading->clusters, loading->count, sizeof(*loading->clusters), name_order);
    for (size_t i = 0, first = 0; i < loading->count; i++) {
        clusters[i] = loading->clusters[i].spec;
        if (i == 0 || strcmp(clusters[i].name, clusters[first].name) != 0)
            first = i;
        else
            report_twice(loading, &loading->clusters[first], &loading->clusters[i]);
    }
    *fleet = (struct fleet_spec){clusters, loading->count};
}

int load_fleet(const struct load_text *texts, size_t text_count, const struct load_options *options,
               struct fleet_spec *fleet, struct problem_list *problems)
{
    struct loading loading = {
        .loader = {.arena = problems->arena, .problems = problems, .options = options}};
    size_t errors = problems->errors;
    for (size_t i = 0; i < text_count; i++)
        read_text(&loading, &texts[i]);
    finish_fleet(&loading, fleet);
    problem_list_sort(problems);
    return problems->errors > errors ? -1 : 0;
}

int load_default(const struct load_options *options, struct fleet_spec *fleet,
                 struct problem_list *problems)
{
    static const struct tree nothing = {.kind = TREE_MAP};
    struct loading loading = {
        .loader = {.arena = problems->arena, .problems = problems, .options = options}};
    size_t errors = problems->errors;
    struct cursor at = cursor_document(&nothing);
    read_cluster(&loading, &at);
    finish_fleet(&loading, fleet);
    return problems->errors > errors ? -1 : 0;
}
