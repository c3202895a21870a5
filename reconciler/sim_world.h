/*
 * sim_world.h - a world of one cluster, small enough to be true, for sim_test.c.
 *
 * Seven containers at most, each with what kubeadm did in it; what lives in the
 * cluster's etcd; a network, an image, a kubeconfig entry. What is done to it
 * is in sim_act.h, what an observer sees of it here.
 */
#ifndef RECONCILER_SIM_WORLD_H
#define RECONCILER_SIM_WORLD_H

#include "model/plan.h"
#include "reconciler/notation.h"
#include <stdbool.h>
#include <stdint.h>

#define BIT(kind) (UINT64_C(1) << ACTION_##kind)
_Static_assert(ACTION_KINDS <= 64, "a set of kinds has a bit for each");

/*
 * Containers by index, sorted as nodes in a state are; control planes first.
 * The carrier is what the first was, while that is being replaced.
 */
enum {
    SIM_FIRST = 0,
    SIM_PLANES = 3,
    SIM_CARRIER = 3,
    SIM_BALANCER = 4,
    SIM_NODES = 7,
    SIM_SHAPE = 64 + 1 + 16
};

static const char *const sim_names[SIM_NODES] = {
    "a-control-plane",
    "a-control-plane2",
    "a-control-plane3",
    ("a-control-plane" STATE_CARRIER_SUFFIX),
    "a-external-load-balancer",
    "a-worker",
    "a-worker2",
};

/* What may be desired, with what follows from it; filled in once by sim_prepare. */
struct sim_variant {
    const char *text; /* NULL: must not exist */
    bool unsupported;
    const struct cluster_spec *spec;
    struct facet_list facets;
    bool wants[SIM_NODES];
    const char *shapes[SIM_NODES];
};

static struct sim_variant sim_variants[] = {
    {.text = "cp"},
    {.text = "cp pod=10.8.0.0/16"},
    {.text = "cp nocni"},
    {.text = "cp proxy=none image=other"},
    {.text = "cp label=tier:db"}, /* differs from the first by what needs no new container */
    {.text = "cp w"},
    {.text = "cp w w2"},
    {.text = "cp w label=tier:db"},
    {.text = "cp w image=other"},
    {.text = "cp w2 label=tier:web taint=gpu:NoSchedule w label=tier:db pod=10.8.0.0/16"},
    {.text = "cp w image=other w2 image=other manifest"},
    {.text = "cp w2 w image=other"},
    {.text = "cp w preload manifest"},
    {.text = "cp cp2"},
    {.text = "cp cp2 cp3"},
    {.text = "cp cp2 cp3 w"},
    {.text = "cp image=other cp2 cp3 mount=/h:/c"},
    {.text = "cp image=other cp2 image=other cp3 image=other w image=other"},
    {.text = "cp3 cp2"},
    {.text = "w cp3 cp2 cp preload"},
    {.text = "cp image=other w image=other label=tier:db"}, /* as it must be named to be adopted */
    {.text = NULL},
    {.text = "cp later", .unsupported = true},
};

enum {
    SIM_VARIANTS = COUNT_OF(sim_variants),
    SIM_SUPPORTED = SIM_VARIANTS - 2,
    SIM_ADOPTABLE = SIM_SUPPORTED - 1
};

struct sim_container {
    bool there;
    const char *owner; /* NULL: upstream's */
    bool adopted;      /* it was upstream's: without a label, a note tells whose it is */
    enum container_status status;
    unsigned id; /* from 1, never used again */
    int made;    /* of which variant */
    char shape[SIM_SHAPE + 1];
    const struct facet_list *recorded; /* of a finished set-up, or NULL */
    bool own_record;                   /* and it is no copy of another's */
    unsigned data;                     /* the cluster whose data was carried into it, or 0 */
    unsigned joined;                   /* the cluster to which its credentials belong, or 0 */
    bool alias;                        /* it answers to the name of the API's endpoint */
    bool detached;                     /* it is in no network */
    bool preloaded;
    bool moved;    /* has another address than it was set up with */
    bool named;    /* etcd calls it by its name */
    bool rerouted; /* finds members wherever they have moved */
    bool silent;   /* its kubelet does not run */
    bool broken;   /* nor will it ever */

    /* Its Node object, if it has joined. */
    int settings;  /* the variant whose labels and taints it has */
    bool drained;  /* the object is gone */
    bool given_up; /* it says that nothing helps */
    unsigned pods;
};

struct sim_world {
    struct sim_container nodes[SIM_NODES];
    bool network, image;
    bool loose;          /* addresses change at each start */
    unsigned kubeconfig; /* the container whose API it leads to, or 0 */
    unsigned last_id;
    struct arena *arena; /* of the life: for records */

    /* What lives in etcd, since the last bootstrap. */
    unsigned cluster;             /* its name for credentials: the container that was first; or 0 */
    unsigned members[SIM_PLANES]; /* containers that are members, or 0 */
    uint64_t addons;              /* bits of kinds */
    const char *proxy;            /* the image by which kube-proxy was given to it */
    int built, manifests;         /* variants: of the bootstrap, of what was applied last */
    bool unsure;                  /* of the manifests, as of a node's settings */

    /*
     * A control plane got the endpoint's name back, and nobody wrote that down:
     * should the wish change now, it keeps it beside a load balancer, which
     * does no harm.
     */
    bool shared_name;
};

static inline void sim_prepare(struct arena *arena)
{
    for (size_t i = 0; i < SIM_VARIANTS; i++) {
        struct sim_variant *variant = &sim_variants[i];
        variant->spec = notation_spec(arena, variant->text);
        if (!variant->spec)
            continue;
        spec_facets(arena, variant->spec, &variant->facets);
        variant->wants[SIM_BALANCER] = variant->spec->balancer;
        for (size_t node = 0; node < SIM_NODES; node++) {
            variant->shapes[node] = facet_shape(arena, &variant->facets, sim_names[node]);
            for (size_t j = 0; j < variant->spec->node_count; j++)
                variant->wants[node] |= strcmp(variant->spec->nodes[j].name, sim_names[node]) == 0;
        }
    }
}

static inline size_t sim_index(const char *name)
{
    size_t index = 0;
    while (index < SIM_NODES && strcmp(sim_names[index], name) != 0)
        index++;
    return index;
}

static inline bool sim_is_ours(const struct sim_container *node)
{
    return node->there && node->owner && strcmp(node->owner, NOTATION_FLEET) == 0;
}

static inline bool sim_is_control_plane(size_t index)
{
    return index < SIM_PLANES;
}

static inline bool sim_has_strangers(const struct sim_world *world)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (world->nodes[i].there && !sim_is_ours(&world->nodes[i]))
            return true;
    }
    return false;
}

static inline bool sim_runs(const struct sim_container *node)
{
    return node->there && node->status == CONTAINER_RUNNING;
}

/* The image of a container; NULL: its variant says nothing of it. */
static inline const char *sim_image(const struct sim_world *world, size_t index)
{
    const struct sim_variant *made = &sim_variants[world->nodes[index].made];
    for (size_t i = 0; made->spec && i < made->spec->node_count; i++) {
        if (strcmp(made->spec->nodes[i].name, sim_names[index]) == 0)
            return made->spec->nodes[i].image ? made->spec->nodes[i].image : "default";
    }
    return NULL;
}

/* The control plane that speaks for the cluster: the first that runs, else the first; or NULL. */
static inline struct sim_container *sim_speaker(struct sim_world *world)
{
    struct sim_container *first = NULL;
    for (size_t i = SIM_PLANES; i-- > 0;) {
        if (world->nodes[i].there && (!first || sim_runs(&world->nodes[i]) || !sim_runs(first)))
            first = &world->nodes[i];
    }
    return first;
}

/*
 * The first that can be read and has a record, else the first that can be
 * read: the record is written to it last; NULL: none.
 */
static inline struct sim_container *sim_witness(struct sim_world *world)
{
    struct sim_container *witness = NULL;
    for (size_t i = SIM_PLANES; i-- > 0;) {
        struct sim_container *node = &world->nodes[i];
        bool readable = node->there && node->owner && node->status != CONTAINER_DEAD;
        if (readable && (node->recorded || !witness || !witness->recorded))
            witness = node;
    }
    return witness;
}

/* One that can be read has no record, although a later one has. */
static inline bool sim_is_partial(struct sim_world *world)
{
    const struct sim_container *witness = sim_witness(world);
    for (size_t i = 0; witness && witness->recorded && &world->nodes[i] != witness; i++) {
        const struct sim_container *node = &world->nodes[i];
        if (node->there && node->owner && node->status != CONTAINER_DEAD)
            return true;
    }
    return false;
}

static inline bool sim_is_member(const struct sim_world *world, size_t index)
{
    const struct sim_container *node = &world->nodes[index];
    return node->there && world->members[index] == node->id;
}

static inline unsigned sim_members(const struct sim_world *world)
{
    unsigned count = 0;
    for (size_t i = 0; i < SIM_PLANES; i++)
        count += world->members[i] != 0;
    return count;
}

/* Members speak to each other where both find the other. */
static inline bool sim_finds(const struct sim_world *world, size_t from, size_t to)
{
    const struct sim_container *other = &world->nodes[to];
    if (other->detached || world->nodes[from].detached)
        return from == to;
    return from == to || !other->moved || other->named || world->nodes[from].rerouted;
}

/* The most members that are there, run and speak to one of them. */
static inline unsigned sim_members_up(const struct sim_world *world)
{
    unsigned most = 0;
    for (size_t i = 0; i < SIM_PLANES; i++) {
        unsigned count = 0;
        for (size_t j = 0; sim_is_member(world, i) && j < SIM_PLANES; j++)
            count += sim_is_member(world, j) && sim_runs(&world->nodes[i]) &&
                     sim_runs(&world->nodes[j]) && sim_finds(world, i, j) && sim_finds(world, j, i);
        most = count > most ? count : most;
    }
    return most;
}

/* It starts again, or is about to: where addresses are the engine's choice, it has another one. */
static inline void sim_move(struct sim_world *world, size_t index)
{
    if (!world->loose || index == SIM_BALANCER || !world->nodes[index].joined)
        return;
    world->nodes[index].moved = true;
    for (size_t i = 0; i < SIM_PLANES; i++)
        world->nodes[i].rerouted = false;
}

static inline bool sim_has_quorum(const struct sim_world *world)
{
    return world->cluster && sim_members_up(world) > sim_members(world) / 2;
}

/* Somebody took a member away: etcd waits for it, and takes no new one. */
static inline bool sim_lacks_member(const struct sim_world *world)
{
    for (size_t i = 0; i < SIM_PLANES; i++) {
        if (world->members[i] && !sim_is_member(world, i))
            return true;
    }
    return false;
}

/* Enough of the members are there to make a majority, if all of them are well. */
static inline bool sim_can_have_quorum(const struct sim_world *world)
{
    unsigned able = 0;
    for (size_t i = 0; i < SIM_PLANES; i++)
        able += sim_is_member(world, i) && world->nodes[i].status != CONTAINER_DEAD;
    return able > sim_members(world) / 2;
}

/* Everybody reaches the API by one name: the load balancer's, or a control plane's alias. */
static inline bool sim_is_named(const struct sim_world *world)
{
    bool named = sim_runs(&world->nodes[SIM_BALANCER]);
    for (size_t i = 0; i < SIM_PLANES; i++)
        named = named || (world->nodes[i].alias && sim_runs(&world->nodes[i]) &&
                          sim_is_member(world, i) && !world->nodes[i].detached);
    return named;
}

static inline bool sim_api_answers(struct sim_world *world)
{
    return sim_has_quorum(world) && sim_is_named(world);
}

static inline bool sim_has_joined(const struct sim_world *world, size_t index)
{
    const struct sim_container *node = &world->nodes[index];
    return node->there && index != SIM_CARRIER && world->cluster &&
           node->joined == world->cluster && !node->drained;
}

/*
 * All that are there, or of those the ones that a variant wants (-1: all), are
 * part of it and well, and pods can reach each other by name.
 */
static inline bool sim_is_ready(struct sim_world *world, int variant)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        bool lost = node->moved && !sim_is_control_plane(i);
        if (variant >= 0 && !sim_variants[variant].wants[i])
            continue;
        if (node->there && i != SIM_BALANCER && i != SIM_CARRIER &&
            (!sim_runs(node) || node->detached || !sim_has_joined(world, i) || lost ||
             node->silent))
            return false;
    }
    return sim_api_answers(world) && world->addons & BIT(CNI) && world->addons & BIT(DNS);
}

/* Where the API is published for users, or NULL. */
static inline struct sim_container *sim_entrance(struct sim_world *world)
{
    struct sim_container *balancer = &world->nodes[SIM_BALANCER];
    struct sim_container *node = balancer->there ? balancer : sim_speaker(world);
    return node && sim_runs(node) && !node->detached ? node : NULL;
}

/* Has it the labels and taints of this variant? */
static inline bool sim_is_settled(const struct sim_world *world, size_t index, int variant)
{
    const struct facet_list *lists[] = {&sim_variants[variant].facets,
                                        &sim_variants[world->nodes[index].settings].facets};
    size_t counts[2] = {0, 0}, alike = 0;
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < lists[side]->count; i++) {
            const struct facet *facet = &lists[side]->items[i];
            if (facet->change != CHANGE_LIVE || !facet->node ||
                strcmp(facet->node, sim_names[index]) != 0)
                continue;
            counts[side]++;
            for (size_t j = 0; side && j < lists[0]->count; j++)
                alike += strcmp(lists[0]->items[j].path, facet->path) == 0 &&
                         strcmp(lists[0]->items[j].value, facet->value) == 0;
        }
    }
    return counts[0] == counts[1] && counts[0] == alike;
}

/* What the cluster says of a node that has joined. */
static inline void sim_look_at_health(const struct sim_container *node, struct node_state *seen)
{
    if (seen->joined != SEEN_YES)
        return;
    seen->silent = node->silent || !sim_runs(node);
    seen->node_ready = seen->silent || node->detached ? SEEN_NO : SEEN_YES;
    seen->given_up = seen->silent && node->given_up ? "its kubelet is broken" : NULL;
}

static inline const char *sim_role(size_t index)
{
    return sim_is_control_plane(index) ? "control-plane"
           : index == SIM_CARRIER      ? ROLE_CARRIER
           : index == SIM_BALANCER     ? ROLE_BALANCER
                                       : "worker";
}

/* What an observer tells of it. nodes: room for SIM_NODES. */
static inline struct cluster_state sim_look(struct sim_world *world, int desired,
                                            struct node_state *nodes)
{
    struct cluster_state look = {.name = "a", .nodes = nodes};
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        if (!node->there)
            continue;
        nodes[look.node_count++] =
            (struct node_state){.name = sim_names[i],
                                .role = sim_role(i),
                                .owner = node->owner,
                                .shape = node->owner && !node->adopted ? node->shape : NULL,
                                .image = sim_image(world, i) ? sim_image(world, i) : "",
                                .loose = world->loose,
                                .moved = !sim_runs(node) ? SEEN_UNKNOWN
                                         : node->moved   ? SEEN_YES
                                                         : SEEN_NO,
                                .status = node->status,
                                .detached = node->detached && sim_runs(node)};
    }
    const struct sim_container *witness = sim_witness(world), *entrance = sim_entrance(world);
    const struct sim_container *carrier = &world->nodes[SIM_CARRIER];
    const struct facet_list *recorded = witness ? witness->recorded : NULL;
    look.carried = recorded != NULL;
    look.succeeded = recorded && witness->own_record;
    look.recorded = look.node_count ? SEEN_UNKNOWN : SEEN_NO;
    if (!recorded && carrier->there && carrier->owner)
        recorded = carrier->recorded;
    if (!witness && !recorded)
        return look;
    look.recorded = SEEN_NO;
    if (!recorded)
        return look;
    look.recorded = SEEN_YES;
    look.record_partial = sim_is_partial(world);
    look.applied = *recorded;
    if (entrance && sim_speaker(world) && sim_is_ours(sim_speaker(world)))
        look.kubeconfig = world->kubeconfig == entrance->id ? SEEN_YES : SEEN_NO;
    if (look.kubeconfig == SEEN_YES)
        look.ready = sim_is_ready(world, -1) ? SEEN_YES : SEEN_NO;
    if (look.kubeconfig == SEEN_YES && sim_api_answers(world))
        look.version = "v1";
    const struct sim_container *speaker = sim_speaker(world);
    for (size_t i = 0; look.ready != SEEN_YES && i < look.node_count; i++) {
        if (&world->nodes[sim_index(nodes[i].name)] == speaker && sim_runs(speaker) &&
            !world->nodes[SIM_BALANCER].there)
            nodes[i].named = speaker->alias ? SEEN_YES : SEEN_NO;
    }
    for (size_t i = 0; look.version && i < look.node_count; i++)
        nodes[i].joined = sim_has_joined(world, sim_index(nodes[i].name)) ? SEEN_YES : SEEN_NO;
    for (size_t i = 0; look.version && i < SIM_NODES; i++)
        look.ready_count +=
            sim_has_joined(world, i) && sim_runs(&world->nodes[i]) && !world->nodes[i].silent;
    for (size_t i = 0; look.version && i < look.node_count; i++) {
        size_t index = sim_index(nodes[i].name);
        if (sim_has_joined(world, index) && sim_variants[desired].wants[index] &&
            !sim_is_settled(world, index, desired))
            nodes[i].drift = "its labels are not those of the spec";
    }
    for (size_t i = 0; look.version && i < look.node_count; i++)
        sim_look_at_health(&world->nodes[sim_index(nodes[i].name)], &nodes[i]);
    return look;
}

#endif
