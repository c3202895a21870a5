#include "model/load.h"

#include "base/memory.h"
#include "model/load_cluster.h"
#include "model/load_fleet.h"
#include "model/load_manifests.h"
#include "model/load_old.h"
#include "model/load_types.h"
#include "model/validate.h"

/*
 * DESIGN: first all documents of all texts are parsed and told apart, then
 * the Fleet is read, wherever it stands, then the clusters, which may inherit
 * from it; at last names are compared across all. What was wrong with a text
 * is told after that: one that turned out to be a cluster's manifest, and lies
 * in the same folder, was no source at all.
 */

/* A cluster on its way into the fleet. */
struct loaded {
    struct cluster_spec spec;
    struct place name_place; /* of the name, or of the document that has none */
    const char *name_path;   /* "name" or "metadata.name" */
    bool named;              /* by the file */
    size_t order;            /* as read, so that sorting is stable */
};

struct object_type;

/* An object of a known type that is to be read. */
struct document {
    const struct object_type *type;
    const struct tree *tree;
};

/* A text on its way; its problems are kept apart until it is known to be a source. */
struct source {
    const char *file;
    struct problem_list problems;
    size_t objects; /* of known types */
};

struct loading {
    struct loader loader;
    struct document *documents;
    size_t document_count;
    struct fleet_inheritance inheritance;
    const struct tree *fleet; /* the Fleet's document, when it was met */
    struct loaded *clusters;
    size_t count;
};

/* Room for one more cluster that is called what this cursor says. */
static struct loaded *add_cluster(struct loading *loading, const struct cursor *name,
                                  const char *name_path)
{
    loading->clusters = arena_grow(loading->loader.arena, loading->clusters, loading->count,
                                   sizeof(*loading->clusters));
    struct loaded *loaded = &loading->clusters[loading->count];
    loaded->name_place = name->place;
    loaded->name_path = name_path;
    loaded->named = name->tree != NULL;
    loaded->order = loading->count++;
    return loaded;
}

typedef void document_reader(struct loading *loading, const struct cursor *at);

static void read_cluster(struct loading *loading, const struct cursor *at)
{
    struct cursor name = cursor_field(at, "name");
    load_cluster(&loading->loader, at, &add_cluster(loading, &name, "name")->spec);
}

static void read_old(struct loading *loading, const struct cursor *at, enum old_format format)
{
    const struct cursor none = {.place = at->place};
    load_old_cluster(&loading->loader, at, format, &add_cluster(loading, &none, "name")->spec);
}

static void read_v1alpha3(struct loading *loading, const struct cursor *at)
{
    read_old(loading, at, OLD_V1ALPHA3);
}

static void read_v1alpha2(struct loading *loading, const struct cursor *at)
{
    read_old(loading, at, OLD_V1ALPHA2);
}

static void read_v1alpha1(struct loading *loading, const struct cursor *at)
{
    read_old(loading, at, OLD_V1ALPHA1);
}

static void read_fleet_cluster(struct loading *loading, const struct cursor *at)
{
    struct cursor metadata = cursor_field(at, "metadata"), name = cursor_field(&metadata, "name");
    struct cluster_spec spec;
    loading->loader.beside_file = true;
    load_fleet_cluster(&loading->loader, at, &loading->inheritance, &spec);
    loading->loader.beside_file = false;
    /* One without a name was reported, and is twice the same as no other. */
    if (name.tree)
        add_cluster(loading, &name, "metadata.name")->spec = spec;
}

static void read_fleet(struct loading *loading, const struct cursor *at)
{
    if (loading->fleet) {
        const struct place *place = &loading->fleet->place;
        load_error(&loading->loader, at, "there is already a Fleet, at %s:%u:%u; there can be one",
                   place->file, place->line, place->column);
        return;
    }
    loading->fleet = at->tree;
    loading->loader.beside_file = true;
    load_fleet_object(&loading->loader, at, &loading->inheritance);
    loading->loader.beside_file = false;
}

/* It would be no policy if who is judged by it could write it. */
static void read_stray_policy(struct loading *loading, const struct cursor *at)
{
    load_error(&loading->loader, at,
               "a Policy is not taken from a source; give its file with --policy, or write it as "
               "spec.policy of the Fleet");
}

/* Every pair that means something; without a reader it is known, but not supported yet. */
static const struct object_type {
    const char *api_version, *kind;
    document_reader *read;
    bool first; /* others inherit from it */
} object_types[] = {
    {"kind.x-k8s.io/v1alpha4", "Cluster", read_cluster},
    {"fleet.kind/v1alpha1", "Cluster", read_fleet_cluster},
    {"fleet.kind/v1alpha1", "Registry", NULL},
    {"fleet.kind/v1alpha1", "Fleet", read_fleet, .first = true},
    {"fleet.kind/v1alpha1", "Policy", read_stray_policy},
    {"kind.x-k8s.io/v1alpha3", "Cluster", read_v1alpha3},
    {"kind.sigs.k8s.io/v1alpha3", "Cluster", read_v1alpha3},
    {"kind.sigs.k8s.io/v1alpha3", "Config", read_v1alpha3},
    {"kind.sigs.k8s.io/v1alpha2", "Cluster", read_v1alpha2},
    {"kind.sigs.k8s.io/v1alpha2", "Config", read_v1alpha2},
    {"kind.sigs.k8s.io/v1alpha1", "Cluster", read_v1alpha1},
    {"kind.sigs.k8s.io/v1alpha1", "Config", read_v1alpha1},
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

/* Keeps what is to be read; true if it is an object of ours, whether it can be read or not. */
static bool sort_document(struct loading *loading, const struct tree *tree)
{
    struct loader *loader = &loading->loader;
    struct cursor at = cursor_document(tree);
    if (tree->kind != TREE_MAP) {
        load_error(loader, &at, "expected a mapping with apiVersion and kind, found a %s",
                   tree->kind == TREE_LIST ? "list" : "single value");
        return false;
    }
    const struct object_type *type = read_type(loader, &at);
    if (!type)
        return false;
    struct cursor api_version = cursor_field(&at, "apiVersion");
    if (!type->read) {
        load_error(loader, &api_version, "%s %s is not supported yet; write clusters as %s",
                   type->api_version, type->kind, object_types[0].api_version);
        return true;
    }
    loading->documents = arena_grow(loader->arena, loading->documents, loading->document_count,
                                    sizeof(*loading->documents));
    loading->documents[loading->document_count++] = (struct document){type, tree};
    return true;
}

static void read_documents(struct loading *loading, bool first)
{
    for (size_t i = 0; i < loading->document_count; i++) {
        const struct document *document = &loading->documents[i];
        struct cursor at = cursor_document(document->tree);
        if (document->type->first == first)
            document->type->read(loading, &at);
    }
}

static void read_text(struct loading *loading, const struct load_text *text, struct source *source)
{
    struct loader *loader = &loading->loader;
    struct tree_stream stream;
    size_t read = 0;
    problem_list_init(&source->problems, loader->arena);
    loader->problems = &source->problems;
    source->file = strcmp(text->file, "-") == 0 ? "<stdin>" : text->file;
    int failed = tree_parse(loader->arena, source->file, text->bytes, text->length, TREE_STRICT,
                            &stream, loader->problems);
    for (size_t i = 0; i < stream.count; i++) {
        if (tree_is_null(stream.documents[i]))
            continue;
        source->objects += sort_document(loading, stream.documents[i]);
        read++;
    }
    if (!read && !failed && !loader->options->allow_empty)
        problem_add(loader->problems, (struct place){.file = source->file},
                    "holds no document; a cluster begins with apiVersion: %s and kind: %s "
                    "(--allow-empty: no cluster is wanted)",
                    object_types[0].api_version, object_types[0].kind);
}

/* Tells what was wrong with a text, unless it is the manifest of a cluster and nothing else. */
static void tell_source(struct loading *loading, const struct source *source)
{
    struct loader *loader = &loading->loader;
    const struct problem_list *own = &source->problems;
    struct problem_list *all = loader->problems;
    if (!own->count || (!source->objects && manifests_hold(loader, source->file)))
        return;
    for (size_t i = 0; i < own->count; i++) {
        const struct problem *problem = &own->items[i];
        if (problem->severity == PROBLEM_ERROR)
            problem_add(all, problem->place, "%s", problem->message);
        else
            problem_warn(all, problem->place, "%s", problem->message);
    }
    all->errors += own->untold;
    all->untold += own->untold;
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
                "%s: there is already a cluster %s%s, at %s:%u:%u; names must be unique",
                again->name_path, name, again->named ? "" : " (this one has no name of its own)",
                place->file, place->line, place->column);
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
    const struct fleet_rules *rules = &loading->inheritance.rules;
    *fleet = (struct fleet_spec){
        .clusters = clusters,
        .cluster_count = loading->count,
        .prune = rules->prune,
        .max_deletions = rules->max_deletions,
        .concurrency = rules->concurrency,
        .policy = loading->inheritance.policy,
    };
    validate_node_names(&loading->loader, fleet);
    validate_dependencies(&loading->loader, fleet);
}

static bool same_place(const struct place *a, const struct place *b)
{
    return a->line && a->line == b->line && a->column == b->column && strcmp(a->file, b->file) == 0;
}

/* True if one of those at its place, the last of a sorted list, says the same. */
static bool is_repeated(const struct problem_list *problems, size_t count,
                        const struct problem *problem)
{
    for (; count && same_place(&problems->items[count - 1].place, &problem->place); count--) {
        if (strcmp(problems->items[count - 1].message, problem->message) == 0)
            return true;
    }
    return false;
}

/* What several clusters inherit is wrong in each of them, but told once. */
static void drop_repeated(struct problem_list *problems)
{
    size_t kept = 0;
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        if (!is_repeated(problems, kept, problem)) {
            problems->items[kept++] = *problem;
            continue;
        }
        if (problem->severity == PROBLEM_ERROR)
            problems->errors--;
        else
            problems->warnings--;
    }
    problems->count = kept;
}

int load_fleet(const struct load_text *texts, size_t text_count, const struct load_options *options,
               struct fleet_spec *fleet, struct problem_list *problems)
{
    struct loading loading = {
        .loader = {.arena = problems->arena, .problems = problems, .options = options}};
    size_t errors = problems->errors;
    struct source *sources = arena_array(problems->arena, text_count, sizeof(*sources));
    for (size_t i = 0; i < text_count; i++)
        read_text(&loading, &texts[i], &sources[i]);
    loading.loader.problems = problems;
    read_documents(&loading, true);
    read_documents(&loading, false);
    finish_fleet(&loading, fleet);
    for (size_t i = 0; i < text_count; i++)
        tell_source(&loading, &sources[i]);
    problem_list_sort(problems);
    drop_repeated(problems);
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
