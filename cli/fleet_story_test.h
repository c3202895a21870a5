/*
 * fleet_story_test.h - a fleet's status for tests: clusters that are well, work, failed, wait, are
 * held and refused something; a folder, and a repository with a revision that is refused.
 */
#ifndef CLI_FLEET_STORY_TEST_H
#define CLI_FLEET_STORY_TEST_H

#include "base/memory.h"
#include "reconciler/fleet_status.h"

struct fleet_story {
    struct fleet_status *status;
    struct arena *arena;
    uint64_t now_ms;
};

static inline const struct cluster_spec *story_spec(struct fleet_story *story, const char *name,
                                                    size_t nodes)
{
    struct cluster_spec *spec = arena_alloc(story->arena, sizeof(*spec));
    *spec = (struct cluster_spec){.name = arena_string(story->arena, name), .node_count = nodes};
    return spec;
}

/* One control plane and workers; those from the first `ready` on are not Ready. */
static inline const struct cluster_state *story_state(struct fleet_story *story, const char *name,
                                                      size_t nodes, size_t ready)
{
    struct cluster_state *state = arena_alloc(story->arena, sizeof(*state));
    struct node_state *list = arena_array(story->arena, nodes + 1, sizeof(*list));
    for (size_t i = 0; i < nodes; i++)
        list[i] = (struct node_state){
            .name = i == 0   ? arena_format(story->arena, "%s-control-plane", name)
                    : i == 1 ? arena_format(story->arena, "%s-worker", name)
                             : arena_format(story->arena, "%s-worker%zu", name, i),
            .role = i == 0 ? "control-plane" : "worker",
            .image = "kind.local/node:v1.20.2",
            .status = CONTAINER_RUNNING,
            .node_ready = i < ready ? SEEN_YES : SEEN_NO,
            .trouble = i < ready ? NULL : "container runtime network not ready",
        };
    *state = (struct cluster_state){.name = arena_string(story->arena, name),
                                    .nodes = list,
                                    .node_count = nodes,
                                    .ready = ready == nodes ? SEEN_YES : SEEN_NO,
                                    .ready_count = ready,
                                    .version = "v1.20.2"};
    return state;
}

static inline void story_tell(struct fleet_story *story, const char *name, size_t nodes,
                              struct report report)
{
    struct plan none;
    plan_init(&none, story->arena, name);
    report.now_ms = story->now_ms;
    report.cluster = name;
    report.plan = report.plan ? report.plan : &none;
    report.total = report.plan->count;
    report.desired = story_spec(story, name, nodes);
    fleet_status_report(story->status, &report);
}

static inline void story_well(struct fleet_story *story, const char *name, size_t nodes)
{
    story_tell(
        story, name, nodes,
        (struct report){.kind = REPORT_SETTLED, .state = story_state(story, name, nodes, nodes)});
}

static inline struct plan story_plan(struct fleet_story *story, const char *name)
{
    struct plan plan;
    plan_init(&plan, story->arena, name);
    const char *worker = arena_format(story->arena, "%s-worker", name);
    const char *second = arena_format(story->arena, "%s-worker2", name);
    plan_add(&plan, ACTION_CREATE_NODE, CHANGE_LIVE, worker, "missing");
    plan_add(&plan, ACTION_CREATE_NODE, CHANGE_LIVE, second, "missing");
    plan_add(&plan, ACTION_JOIN, CHANGE_LIVE, worker, "missing");
    plan_add(&plan, ACTION_JOIN, CHANGE_LIVE, second, "missing");
    plan_add(&plan, ACTION_AWAIT_READY, CHANGE_LIVE, name, "nodes are new");
    return plan;
}

static inline void story_works(struct fleet_story *story, const char *name)
{
    struct plan plan = story_plan(story, name);
    story_tell(story, name, 3,
               (struct report){
                   .kind = REPORT_PLANNED, .plan = &plan, .state = story_state(story, name, 1, 1)});
    for (size_t i = 0; i < 2; i++)
        story_tell(story, name, 3,
                   (struct report){
                       .kind = REPORT_ACTION_BEGINS, .plan = &plan, .action = &plan.actions[i]});
    story_tell(story, name, 3,
               (struct report){.kind = REPORT_ACTION_ENDS,
                               .plan = &plan,
                               .action = &plan.actions[0],
                               .done = 1,
                               .elapsed_ms = 1900});
    story_tell(
        story, name, 3,
        (struct report){
            .kind = REPORT_ACTION_BEGINS, .plan = &plan, .action = &plan.actions[2], .done = 1});
    story_tell(story, name, 3,
               (struct report){.kind = REPORT_STEP,
                               .plan = &plan,
                               .action = &plan.actions[2],
                               .done = 1,
                               .step = "wait for the kubelet"});
}

static inline void story_fails(struct fleet_story *story, const char *name, unsigned failures,
                               const char *words, const char *journal)
{
    struct plan plan = story_plan(story, name);
    const struct action *join = &plan.actions[2];
    struct diagnosis *diagnosis = diagnosis_new();
    struct error *failure = NULL;
    error_set(&failure, ERROR_TIMEOUT, "%s", words);
    evidence_add(&diagnosis->evidence, EVIDENCE_KUBELET, join->subject, journal, strlen(journal));
    diagnosis_conclude(diagnosis, name, join->subject);
    story_tell(story, name, 3,
               (struct report){
                   .kind = REPORT_PLANNED, .plan = &plan, .state = story_state(story, name, 3, 1)});
    story_tell(story, name, 3,
               (struct report){.kind = REPORT_ACTION_BEGINS, .plan = &plan, .action = join});
    story_tell(story, name, 3,
               (struct report){.kind = REPORT_ACTION_ENDS,
                               .plan = &plan,
                               .action = join,
                               .failure = failure,
                               .diagnosis = diagnosis,
                               .done = 2,
                               .elapsed_ms = 64000});
    story_tell(story, name, 3,
               (struct report){.kind = failures < 3 ? REPORT_RETRY : REPORT_STALLED,
                               .plan = &plan,
                               .failure = failure,
                               .diagnosis = diagnosis,
                               .failures = failures,
                               .wait_ms = failures < 3 ? 40000 : 0});
    error_free(failure);
    diagnosis_free(diagnosis);
}

static inline void story_refused(struct fleet_story *story, const char *name)
{
    struct plan plan;
    plan_init(&plan, story->arena, name);
    plan_refuse(&plan, CHANGE_RECREATE, "networking.podSubnet",
                "10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow recreate (all its data "
                "would go)");
    for (int i = 0; i < 2; i++)
        story_tell(story, name, 1,
                   (struct report){.kind = i ? REPORT_SETTLED : REPORT_PLANNED,
                                   .plan = &plan,
                                   .state = story_state(story, name, 1, 1)});
}

static inline void story_held(struct fleet_story *story, const char *name)
{
    struct plan plan;
    plan_init(&plan, story->arena, name);
    plan_hold(&plan, "stopped by hand; `kind start` ends that");
    for (int i = 0; i < 2; i++)
        story_tell(story, name, 1,
                   (struct report){.kind = i ? REPORT_SETTLED : REPORT_PLANNED,
                                   .plan = &plan,
                                   .state = story_state(story, name, 1, 0)});
}

static inline void story_sources(struct fleet_story *story)
{
    const uint64_t now_ms = story->now_ms;
    const struct source_status folder = {
        .kind = "folder", .where = "/etc/kind/lab", .revision = "3 files", .checked_at_ms = now_ms};
    const struct source_status git = {
        .kind = "git",
        .where = "https://git.example/lab.git, main, lab/",
        .revision = "3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90",
        .author = "Ada Lovelace",
        .subject = "lab: give ci a second worker",
        .revision_at_s = 1700000000,
        .signer = "ada@lab.example",
        .pending = "9d8c7b6a5f4e3d2c1b0a99887766554433221100",
        .problem = "lab/ci.yaml:7:3: unknown field 'worker'; did you mean 'workers'?\n"
                   "lab/nightly.yaml:2:7: kind 'Custer' is not known",
        .checked_at_ms = now_ms,
        .changed_at_ms = now_ms - 500,
        .next_at_ms = now_ms + 60000,
        .failures = 2,
        .checks_total = 40,
        .failed_total = 3,
    };
    fleet_status_engine(story->status, now_ms, "unix:///var/run/docker.sock", NULL);
    fleet_status_source(story->status, now_ms, &folder);
    fleet_status_source(story->status, now_ms, &git);
}

static inline void story_open(struct fleet_story *story, uint64_t now_ms)
{
    *story =
        (struct fleet_story){.status = fleet_status_new(), .arena = arena_new(), .now_ms = now_ms};
}

/* All of them. */
static inline void story_run(struct fleet_story *story)
{
    story_sources(story);
    story_well(story, "ci", 3);
    story_works(story, "nightly");
    story_fails(story, "storage", 2, "storage-worker: kubeadm join: not done after 300 s",
                "kubelet: inotify_init: too many open files\n");
    story_fails(story, "legacy", 3, "legacy-worker: kubeadm join: exit code 1",
                "kubelet: Failed to frobnicate the \"thing\": error 42\n");
    story_refused(story, "network");
    story_held(story, "demo");
    fleet_status_desire(story->status, story->now_ms, "queued", story_spec(story, "queued", 2));
    fleet_status_queue(story->status, 1, 2);
}

static inline void story_close(struct fleet_story *story)
{
    fleet_status_free(story->status);
    arena_free(story->arena);
}

#endif
