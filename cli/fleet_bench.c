/*
 * fleet_bench.c - how long each part of a look at a large fleet takes, in one process and without
 * a socket.
 *
 *   fleet_bench parts CLUSTERS...     a line "PART CLUSTERS MILLISECONDS" for each part
 *   fleet_bench prepare FOLDER N      FOLDER/sources/, and FOLDER/populate.json for the fake engine
 *
 * Every cluster has a control plane and four workers, and is as its source says.
 */
#include "base/memory.h"
#include "drivers/docker_flow.h"
#include "drivers/fake_world.h"
#include "model/load.h"
#include "reconciler/diff.h"
#include "reconciler/rails.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { NODES = 5, RUNS = 5, DOCUMENTS_OF_A_FILE = 1000, NAME_BYTES = 32 };

static const char fleet_name[] = "default";

struct measure {
    double load, list, digests, rails, diff;
};

/* Of the processor, so that a busy machine tells the same. */
static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fail(const char *what)
{
    fprintf(stderr, "fleet_bench: %s\n", what);
    exit(1);
}

/* The names are those that the fake engine gives (fake_populate.h). */
static void add_document(struct text *text, size_t number)
{
    text_add_format(text,
                    "---\napiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: c%04zu\n"
                    "nodes:\n- role: control-plane\n",
                    number);
    for (size_t i = 1; i < NODES; i++)
        text_add(text, "- role: worker\n");
}

/* The sources of so many clusters, as few files as the limits allow. */
static struct load_text *make_sources(struct arena *arena, size_t clusters, size_t *count)
{
    *count = (clusters + DOCUMENTS_OF_A_FILE - 1) / DOCUMENTS_OF_A_FILE;
    struct load_text *texts = arena_array(arena, *count, sizeof(*texts));
    for (size_t file = 0, number = 1; file < *count; file++) {
        struct text text;
        text_init(&text, 0);
        for (size_t i = 0; i < DOCUMENTS_OF_A_FILE && number <= clusters; i++)
            add_document(&text, number++);
        texts[file] = (struct load_text){
            .file = arena_format(arena, "%04zu.yaml", file),
            .bytes = arena_string_n(arena, text.data, text.length),
            .length = text.length,
        };
        text_done(&text);
    }
    return texts;
}

static void load(struct arena *arena, size_t clusters, struct fleet_spec *fleet)
{
    const struct load_options options = {.base_folder = "/"};
    struct problem_list problems;
    size_t count;
    problem_list_init(&problems, arena);
    const struct load_text *texts = make_sources(arena, clusters, &count);
    if (load_fleet(texts, count, &options, fleet, &problems))
        fail("the sources are wrong");
}

static const char *digest_of(struct arena *arena, const struct cluster_spec *spec,
                             struct facet_list *facets)
{
    spec_facets(arena, spec, facets);
    return facet_digest(arena, facets);
}

/* The body of POST /_fake/populate: with it the engine's clusters are as their sources say. */
static char *population(const struct fleet_spec *fleet)
{
    json_t *digests = json_object(), *shapes = json_object();
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        cleanup_arena struct arena *arena = arena_new();
        const struct cluster_spec *spec = &fleet->clusters[i];
        struct facet_list facets;
        const char *digest = digest_of(arena, spec, &facets);
        json_object_set_new(digests, spec->name, json_sprintf(FACET_DIGEST_PREFIX "%s", digest));
        for (size_t node = 0; node < spec->node_count; node++)
            json_object_set_new(shapes, spec->nodes[node].name,
                                json_string(facet_shape(arena, &facets, spec->nodes[node].name)));
    }
    json_t *body = json_pack("{s:{s:s}, s:o, s:o}", "labels", LABEL_OWNER, fleet_name, "links",
                             digests, "shapes", shapes);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

static void request(struct fake_world *world, const char *method, const char *target,
                    const char *body, struct fake_reply *reply)
{
    const struct fake_request request = {
        .method = method,
        .target = target,
        .content_type = "application/json",
        .body = body,
        .length = body ? strlen(body) : 0,
    };
    fake_world_handle(world, (uint64_t)time(NULL) * 1000, &request, reply);
    if (reply->status >= 300)
        fail(target);
}

/* What an engine with the fleet answers when all clusters are asked for. */
static char *make_list(const struct fleet_spec *fleet, size_t *length)
{
    struct fake_world *world = fake_world_new(NULL);
    struct fake_reply reply;
    cleanup_free char *body = population(fleet);
    cleanup_free char *target =
        memory_format("/_fake/populate?clusters=%zu&nodes=%d", fleet->cluster_count, (int)NODES);
    request(world, "POST", target, body, &reply);
    fake_reply_done(&reply);
    request(world, "GET", "/containers/json?all=1", NULL, &reply);
    char *list = memory_string_n(reply.body->text.data, reply.body->text.length);
    *length = reply.body->text.length;
    fake_reply_done(&reply);
    fake_world_free(world);
    return list;
}

/* What each cluster's look adds to the list where nothing differs. */
static struct cluster_state *look(struct arena *arena, const struct fleet_spec *fleet,
                                  const struct fleet_state *seen)
{
    struct cluster_state *states = arena_array(arena, fleet->cluster_count, sizeof(*states));
    if (seen->cluster_count != fleet->cluster_count)
        fail("the engine has other clusters");
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        states[i] = *fleet_state_find(seen, fleet->clusters[i].name);
        (void)digest_of(arena, &fleet->clusters[i], &states[i].applied);
        states[i].recorded = states[i].kubeconfig = states[i].ready = SEEN_YES;
        states[i].ready_count = NODES;
    }
    return states;
}

/* Each with an arena of its own, as the cycle does it. */
static void diff(const struct fleet_spec *fleet, const struct cluster_state *states)
{
    const struct diff_policy policy = {.fleet = fleet_name, .network = "kind"};
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        cleanup_arena struct arena *arena = arena_new();
        struct plan plan;
        diff_cluster(arena, &fleet->clusters[i], &states[i], &policy, &plan);
        if (plan.count || plan.refused_count)
            fail("there is something to do");
    }
}

static struct measure measure(size_t clusters, const char *list, size_t length)
{
    cleanup_arena struct arena *arena = arena_new();
    struct measure took;
    struct fleet_spec fleet;
    struct fleet_state seen;
    struct rails_verdicts verdicts;
    struct error *err = NULL;
    const struct rails_options rails = {.fleet = fleet_name, .sources_whole = true};
    double began = now_ms();
    load(arena, clusters, &fleet);
    took.load = now_ms() - began;
    began = now_ms();
    if (docker_parse_list(arena, list, length, &seen, &err))
        fail(err->message);
    took.list = now_ms() - began;
    began = now_ms();
    rails_judge(arena, &fleet, &seen, &rails, &verdicts);
    took.rails = now_ms() - began;
    began = now_ms();
    const struct cluster_state *states = look(arena, &fleet, &seen);
    took.digests = now_ms() - began;
    began = now_ms();
    diff(&fleet, states);
    took.diff = now_ms() - began;
    return took;
}

/* The median of RUNS numbers. */
static double middle(double *values)
{
    for (size_t i = 1; i < RUNS; i++)
        for (size_t j = i; j > 0 && values[j] < values[j - 1]; j--) {
            double value = values[j];
            values[j] = values[j - 1];
            values[j - 1] = value;
        }
    return values[RUNS / 2];
}

static void print_parts(size_t clusters)
{
    static const struct {
        const char *name;
        size_t offset;
    } parts[] = {
        {"load", offsetof(struct measure, load)},   {"list", offsetof(struct measure, list)},
        {"rails", offsetof(struct measure, rails)}, {"digests", offsetof(struct measure, digests)},
        {"diff", offsetof(struct measure, diff)},
    };
    cleanup_arena struct arena *arena = arena_new();
    struct measure runs[RUNS];
    struct fleet_spec fleet;
    size_t length;
    load(arena, clusters, &fleet);
    cleanup_free char *list = make_list(&fleet, &length);
    for (size_t i = 0; i < RUNS; i++)
        runs[i] = measure(clusters, list, length);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        double values[RUNS];
        for (size_t run = 0; run < RUNS; run++)
            values[run] =
                *(const double *)(const void *)((const char *)&runs[run] + parts[i].offset);
        printf("%s %zu %.1f\n", parts[i].name, clusters, middle(values));
    }
}

static void write_file(const char *folder, const char *name, const char *bytes, size_t length)
{
    cleanup_free char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        fail(path);
}

static void prepare(const char *folder, size_t clusters)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_free char *sources = memory_format("%s/sources", folder);
    struct fleet_spec fleet;
    size_t count;
    load(arena, clusters, &fleet);
    const struct load_text *texts = make_sources(arena, clusters, &count);
    if (mkdir(sources, 0777) != 0)
        fail(sources);
    for (size_t i = 0; i < count; i++)
        write_file(sources, texts[i].file, texts[i].bytes, texts[i].length);
    cleanup_free char *body = population(&fleet);
    write_file(folder, "populate.json", body, strlen(body));
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "prepare") == 0) {
        prepare(arguments[2], strtoul(arguments[3], NULL, 10));
        return 0;
    }
    if (count < 3 || strcmp(arguments[1], "parts") != 0)
        fail("usage: fleet_bench parts CLUSTERS... | prepare FOLDER CLUSTERS");
    for (int i = 2; i < count; i++)
        print_parts(strtoul(arguments[i], NULL, 10));
    return 0;
}
