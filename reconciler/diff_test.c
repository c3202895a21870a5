#include "reconciler/diff_rows.h"

/* clang-format off */
static const struct row rows[] = {
    /* --- Set-up. A plan that begins with '@' is a golden file. --- */
    {"nothing is there", "cp", NULL, "", "", "@create"},
    {"without a CNI nobody waits for Ready", "cp nocni", NULL, "", "", "@create-nocni"},
    {"without a proxy, own image", "cp proxy=none image=kind.local/node:v1.20.2", NULL, "", "",
     "@create-noproxy"},
    {"what is supported does not hinder",
     "cp gate=A:true runtime=api/beta:false dns=lab mount=/h:/c publish=80:8080 label=k:v "
     "proxy=ipvs address=0.0.0.0 port=6443 dual patch patch6902 containerd containerd6902 nodepatch "
     "nodepatch6902", NULL, "", "", "@create"},
    {"unfinished: the container is there and runs", "cp", NULL, "cp:running", "", "@resume"},
    {"unfinished: the container is restarting", "cp", NULL, "cp:restarting", "", "@resume"},
    {"unfinished: the container exited", "cp nocni proxy=none", NULL, "cp:exited", "",
     "start-node a-control-plane (exited)\n"
     "bootstrap a-control-plane <- 0 (set-up is not finished)\n"
     "upload-config a <- 1 (set-up is not finished)\n"
     "mark-control-plane a <- 1 (set-up is not finished)\n"
     "token a <- 1 (set-up is not finished)\n"
     "dns a <- 1 (set-up is not finished)\n"
     "storage a <- 1 (set-up is not finished)\n"
     "node-settings a-control-plane <- 1 (set-up is not finished)\n"
     "kubeconfig a <- 1 (set-up is not finished)\n"
     "record a <- 2 3 4 5 6 7 8 (set-up is not finished)\n"},
    {"unfinished: the container was only created", "cp", NULL, "cp:created", "", "@resume-created"},
    {"unfinished: the container is paused", "cp", NULL, "cp:paused", "", "@resume-paused"},
    {"only a worker of it is left", "cp", NULL, "w:running", "",
     "delete-node a-worker [remove] (not in the spec)\n"},
    {"only a worker is left, and the record cannot be read", "cp", NULL, "w:running unreadable", "",
     "delete-node a-worker [remove] (not in the spec)\n"},
    {"unfinished: a container is dead", "cp", NULL, "cp:dead", "",
     "delete-node a-control-plane (the container is dead)\n"},
    {"unfinished: a container is being removed", "cp", NULL, "cp:removing w:running", "",
     "delete-node a-control-plane (the container is being removed)\n"
     "delete-node a-worker (the container is being removed)\n"},
    {"unfinished: of another shape", "cp", NULL, "cp:running:misshapen", "",
     "delete-node a-control-plane (made for other settings, and never finished)\n"},
    {"unfinished: made for another image", "cp image=new", "cp image=old", "cp:exited", "",
     "delete-node a-control-plane (made for other settings, and never finished)\n"},
    {"unfinished: made for another subnet", "cp pod=10.8.0.0/16", "cp", "cp:running", "",
     "delete-node a-control-plane (made for other settings, and never finished)\n"},
    {"unfinished: under another name", "cp", NULL, "cp2:running", "",
     "delete-node a-control-plane2 (is the only control plane, but has another name in the spec)\n"},

    /* --- What is not known is left as it is. --- */
    {"unreadable", "cp", NULL, "cp:running unreadable message=the_engine_is_gone", "",
     "! a [live]: cannot be read now: the engine is gone\n"},
    {"unreadable, of another shape", "cp", NULL, "cp:running:misshapen unreadable", "recreate",
     "! a [live]: cannot be read now: no reason is known\n"},
    {"unreadable, under another name", "cp", NULL, "cp2:running unreadable", "recreate",
     "! a [live]: cannot be read now: no reason is known\n"},
    {"unreadable and stopped", "cp", NULL, "cp:exited unreadable", "",
     "! a [live]: cannot be read now: no reason is known\n"},

    /* --- Complete, and mended. --- */
    {"in sync", "cp", NULL, "cp:running recorded ready kubeconfig", "", ""},
    {"in sync, all kinds of settings",
     "cp gate=A:true runtime=api/beta:false dns=lab mount=/h:/c publish=80:8080 label=k:v", NULL,
     "cp:running recorded ready kubeconfig", "", ""},
    {"readiness unknown", "cp", NULL, "cp:running recorded kubeconfig", "", ""},
    {"nothing known but the record", "cp", NULL, "cp:running recorded", "", ""},
    {"restarting by itself", "cp", NULL, "cp:restarting recorded", "", ""},
    {"not Ready", "cp", NULL, "cp:running recorded unready kubeconfig message=no_CNI", "",
     "await-ready a (not Ready: no CNI)\n"},
    {"not Ready, nobody says why", "cp", NULL, "cp:running recorded unready kubeconfig", "",
     "await-ready a (not Ready)\n"},
    {"not Ready, without a CNI of ours", "cp nocni", NULL, "cp:running recorded unready kubeconfig",
     "", ""},
    {"not Ready, made without a CNI of ours", "cp", "cp nocni",
     "cp:running recorded unready kubeconfig", "",
     "! networking.disableDefaultCNI [recreate]: true -> false; refused: needs --allow recreate (all "
     "its data would go)\n"},
    {"not Ready, made with a CNI of ours", "cp nocni", "cp",
     "cp:running recorded unready kubeconfig", "",
     "await-ready a (not Ready)\n"
     "! networking.disableDefaultCNI [recreate]: false -> true; refused: needs --allow recreate (all "
     "its data would go)\n"},
    {"exited", "cp", NULL, "cp:exited recorded", "",
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"exited, without a CNI of ours", "cp nocni", NULL, "cp:exited recorded", "",
     "start-node a-control-plane (exited)\n"},
    {"paused", "cp", NULL, "cp:paused recorded kubeconfig", "",
     "start-node a-control-plane (paused)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"created", "cp", NULL, "cp:created recorded kubeconfig", "",
     "start-node a-control-plane (created)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"no kubeconfig entry", "cp", NULL, "cp:running recorded ready nokubeconfig", "",
     "kubeconfig a (entry is missing or out of date)\n"},
    {"no kubeconfig entry, so readiness is unknown", "cp", NULL, "cp:running recorded nokubeconfig",
     "", "kubeconfig a (entry is missing or out of date)\n"
         "await-ready a <- 0 (something changed)\n"},
    {"exited, no kubeconfig entry", "cp", NULL, "cp:exited recorded nokubeconfig", "",
     "start-node a-control-plane (exited)\n"
     "kubeconfig a <- 0 (entry is missing or out of date)\n"
     "await-ready a <- 0 1 (something changed)\n"},
    {"a worker too many, never finished", "cp", NULL, "cp:running w:running recorded ready kubeconfig",
     "", "delete-node a-worker [remove] (not in the spec, and never finished)\n"},
    {"a worker too many", "cp", "cp w", "cp:running w:running recorded ready kubeconfig", "",
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},
    {"a control plane too many", "cp", NULL, "cp:running cp2:running recorded ready kubeconfig", "",
     "drain a-control-plane2 [remove] (not in the spec, and never finished)\n"
     "leave-etcd a-control-plane2 [remove] <- 0 (not in the spec, and never finished)\n"
     "delete-node a-control-plane2 [remove] <- 1 (not in the spec, and never finished)\n"},
    {"unfinished: a control plane too many", "cp nocni", NULL, "cp:running cp2:running", "",
     "delete-node a-control-plane (a control plane too many, in a set-up that never finished)\n"
     "delete-node a-control-plane2 (a control plane too many, in a set-up that never finished)\n"},
    {"unfinished: a worker too many", "cp nocni", NULL, "cp:running w:running", "",
     "delete-node a-worker [remove] (not in the spec)\n"},

    /* --- Complete, but different. --- */
    {"another subnet", "cp pod=10.8.0.0/16", "cp", "cp:running recorded ready kubeconfig", "",
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
    {"another subnet, allowed", "cp pod=10.8.0.0/16", "cp", "cp:running recorded ready kubeconfig",
     "recreate",
     "delete-node a-control-plane [recreate] (networking.podSubnet: 10.244.0.0/16 -> 10.8.0.0/16)\n"},
    {"another image", "cp image=new", "cp", "cp:running recorded ready kubeconfig", "recreate",
     "! a-control-plane [replace]: image default -> new; refused: needs --allow replace-nodes (its "
     "data stays; the API is away meanwhile, what the node keeps elsewhere outside of mounts "
     "goes)\n"},
    {"several differences, refused and mended", "cp svc=10.1.0.0/16 port=6443", "cp gate=A:true",
     "cp:exited recorded kubeconfig", "",
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 0 (something changed)\n"
     "! featureGates[A] [recreate]: true -> none; refused: needs --allow recreate (all its data "
     "would go)\n"
     "! networking.serviceSubnet [recreate]: 10.96.0.0/16 -> 10.1.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"
     "! a-control-plane [replace]: apiServerPort 0 -> 6443; refused: needs --allow replace-nodes "
     "(its data stays; the API is away meanwhile, what the node keeps elsewhere outside of mounts "
     "goes)\n"},
    {"several differences, allowed", "cp svc=10.1.0.0/16 label=k:v gate=A:true", "cp",
     "cp:running w:exited recorded ready kubeconfig", "recreate",
     "delete-node a-control-plane [recreate] (featureGates[A]: none -> true, and 1 more)\n"
     "delete-node a-worker [recreate] (featureGates[A]: none -> true, and 1 more)\n"},
    {"DNS search, mounts, ports", "cp dns=lab mount=/h:/c publish=80:8080", "cp",
     "cp:running recorded ready kubeconfig", "",
     "! networking.dnsSearch [recreate]: the host's -> lab; refused: needs --allow recreate (all its "
     "data would go)\n"
     "! a-control-plane [replace]: extraMounts 0: none -> /h:/c, and 1 more; refused: needs --allow "
     "replace-nodes (its data stays; the API is away meanwhile, what the node keeps elsewhere "
     "outside of mounts goes)\n"},
    {"a label", "cp label=tier:db", "cp label=tier:web", "cp:running recorded ready kubeconfig",
     "recreate",
     "node-settings a-control-plane (labels tier: web -> db)\n"
     "record a <- 0 (labels tier: web -> db)\n"},
    {"the record knows a node that is gone", "cp", "cp w", "cp:running recorded ready kubeconfig",
     "",
     "record a (1 node less)\n"},
    {"dead", "cp", NULL, "cp:dead recorded", "",
     "! a-control-plane [recreate]: the container is dead; refused: needs --allow recreate (all its "
     "data would go)\n"},
    {"dead, unreadable", "cp", NULL, "cp:dead unreadable", "",
     "! a-control-plane [recreate]: the container is dead; refused: needs --allow recreate (all its "
     "data would go)\n"},
    {"dead, allowed", "cp", NULL, "cp:dead w:running unreadable", "recreate",
     "delete-node a-control-plane [recreate] (the container is dead)\n"
     "delete-node a-worker [recreate] (the container is dead)\n"},
    {"being removed", "cp", NULL, "cp:removing recorded", "",
     "! a-control-plane [recreate]: the container is being removed; refused: needs --allow recreate (all "
     "its data would go)\n"},
    {"under another name", "cp", NULL, "cp2:running recorded", "",
     "! a-control-plane2 [recreate]: is the only control plane, but has another name in the spec; "
     "refused: needs --allow recreate (all its data would go)\n"},
    {"under another name, allowed", "cp", NULL, "cp2:running recorded", "recreate",
     "delete-node a-control-plane2 [recreate] (is the only control plane, but has another name in "
     "the spec)\n"},

    {"under another name, and dead", "cp", NULL, "cp2:dead unreadable", "",
     "! a-control-plane2 [recreate]: the container is dead; refused: needs --allow recreate (all its "
     "data would go)\n"},
    {"under another name, and dead, allowed", "cp", NULL, "cp2:dead w:running unreadable", "recreate",
     "delete-node a-control-plane2 [recreate] (the container is dead)\n"
     "delete-node a-worker [recreate] (the container is dead)\n"},
    {"a dead worker too many", "cp", NULL, "cp:running w:dead recorded ready kubeconfig", "",
     "delete-node a-worker [remove] (the container is dead)\n"},
    {"too many, and all stand still", "cp", "cp cp2 w",
     "cp:exited cp2:exited lb:exited w:running recorded", "",
     "start-node a-control-plane2 (exited)\n"
     "balancer a-external-load-balancer (exited)\n"
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 0 1 2 (something changed)\n"},
    {"a dead control plane too many", "cp", NULL, "cp:running cp2:dead recorded ready kubeconfig", "",
     "drain a-control-plane2 [remove] (the container is dead)\n"
     "leave-etcd a-control-plane2 [remove] <- 0 (the container is dead)\n"
     "delete-node a-control-plane2 [remove] <- 1 (the container is dead)\n"},

    /* --- Not ours. --- */
    {"made by upstream", "cp", NULL, "cp:running:upstream", "recreate delete",
     "! a [live]: cluster exists and was not made by this fleet (made by upstream's kind); left alone (adopt it with --adopt, rename the cluster here, or delete the other one)\n"},
    {"made by another fleet", "cp", NULL, "cp:exited:fleet=ci w:exited:fleet=ci recorded", "recreate",
     "! a [live]: cluster exists and was not made by this fleet (made by fleet 'ci'); left alone (rename the "
     "cluster here, or delete the other one)\n"},
    {"partly ours", "cp", NULL, "cp:exited w:running:upstream w2:running:fleet=ci", "recreate",
     "! a [live]: has containers that were not made by this fleet: a-worker (made by upstream's "
     "kind), a-worker2 (made by fleet 'ci'); left alone (rename the "
     "cluster here, or delete the other one)\n"},
    {"made by two others", "cp", NULL, "cp:running:upstream w:running:fleet=ci", "",
     "! a [live]: has containers that were not made by this fleet: a-control-plane (made by "
     "upstream's kind), a-worker (made by fleet 'ci'); left alone (rename the "
     "cluster here, or delete the other one)\n"},
    {"not ours, not to exist", NULL, NULL, "cp:running:upstream", "delete",
     "! a [delete]: cluster exists and was not made by this fleet (made by upstream's kind); left "
     "alone (rename the cluster here, or delete the other one)\n"},
    {"partly ours, not to exist", NULL, NULL, "cp:running w:running:upstream", "delete",
     "! a [delete]: has containers that were not made by this fleet: a-worker (made by upstream's "
     "kind); left alone (rename the "
     "cluster here, or delete the other one)\n"},
    {"any owner is for deletion only", "cp", NULL, "cp:running:upstream", "any",
     "! a [live]: cluster exists and was not made by this fleet (made by upstream's kind); left alone (adopt it with --adopt, rename the cluster here, or delete the other one)\n"},

    /* --- Not to exist. --- */
    {"gone", NULL, NULL, "", "delete", ""},
    {"deletion", NULL, NULL, "cp:running w:dead recorded", "delete",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"
     "delete-node a-worker [delete] <- 0 (not wanted any more)\n"},
    {"deletion of what cannot be read", NULL, NULL, "cp:exited unreadable", "delete",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"},
    {"deletion without leave", NULL, NULL, "cp:running recorded", "recreate",
     "! a [delete]: not wanted any more; refused: needs --allow delete (all its data would go)\n"},
    {"deletion by hand, whoever made it", NULL, NULL, "cp:running:upstream w:running:fleet=ci", "any",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"
     "delete-node a-worker [delete] <- 0 (not wanted any more)\n"},

    /* --- Not allowed by a policy: nothing is made, mended, brought up to date or deleted. --- */
    {"a new cluster that is not allowed", "cp refused", NULL, "", "recreate delete",
     "! a [live]: mounts / of the host; refused by hostPaths of policy.yaml\n"},
    {"one whose nodes are stopped", "cp w refused", "cp", "cp:exited recorded", "recreate",
     "! a [live]: mounts / of the host; refused by hostPaths of policy.yaml\n"},
    {"one that was to be a node less", "cp refused", "cp w", "cp:running w:running recorded", "recreate",
     "! a [live]: mounts / of the host; refused by hostPaths of policy.yaml\n"},
    {"one that is left alone beside", "cp refused later", "cp", "cp:running recorded", "",
     "! spec.ttl [live]: is not supported yet\n"
     "! a [live]: mounts / of the host; refused by hostPaths of policy.yaml\n"},

    /* --- Not supported yet: nothing is planned beside it. --- */
    {"a field whose effect comes later", "cp later", "cp", "cp:exited recorded", "recreate",
     "! spec.ttl [live]: is not supported yet\n"},
};
/* clang-format on */

static void test_rows(void **state)
{
    (void)state;
    check_plans(rows, COUNT_OF(rows));
}

static void test_same_bytes_twice(void **state)
{
    (void)state;
    check_same_bytes_twice(rows, COUNT_OF(rows));
}

static void test_strangers_are_safe(void **state)
{
    (void)state;
    check_strangers_are_safe(rows, COUNT_OF(rows));
}

static struct cluster_state many_nodes(struct arena *arena, size_t count)
{
    struct node_state *nodes = arena_array(arena, count, sizeof(*nodes));
    for (size_t i = 0; i < count; i++)
        nodes[i] = (struct node_state){.name = arena_format(arena, "a-worker%04zu", i),
                                       .role = "worker",
                                       .owner = NOTATION_FLEET,
                                       .status = CONTAINER_RUNNING};
    return (struct cluster_state){.name = "a", .nodes = nodes, .node_count = count};
}

static void test_plans_are_bounded(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct cluster_state observed = many_nodes(arena, 2UL * PLAN_ACTIONS_MAX);
    struct diff_policy policy = read_policy("delete");
    static const char *const desired[] = {NULL, "cp"};
    for (size_t i = 0; i < COUNT_OF(desired); i++) {
        struct plan plan;
        struct error *err = NULL;
        diff_cluster(arena, notation_spec(arena, desired[i]), &observed, &policy, &plan);
        assert_int_equal(plan.count, PLAN_ACTIONS_MAX);
        assert_int_equal(plan_check(&plan, &err), 0);
    }
}

static void test_too_much_to_record(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct cluster_spec spec = *notation_spec(arena, "cp");
    struct pair *gates = arena_array(arena, FACET_MAX, sizeof(*gates));
    for (size_t i = 0; i < FACET_MAX; i++)
        gates[i] = (struct pair){arena_format(arena, "Gate%05zu", i), "true"};
    spec.feature_gates = (struct pair_list){gates, FACET_MAX};
    struct cluster_state observed = notation_state(arena, NULL, "");
    struct diff_policy policy = read_policy("");
    struct plan plan;
    diff_cluster(arena, &spec, &observed, &policy, &plan);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.refused_count, 1);
    test_equal(plan.refused[0].reason, "asks for more settings than can be recorded (64 KiB)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_bytes_twice),
        cmocka_unit_test(test_strangers_are_safe),
        cmocka_unit_test(test_plans_are_bounded),
        cmocka_unit_test(test_too_much_to_record),
    };
    return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
