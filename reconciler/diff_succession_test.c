#include "reconciler/diff_rows.h"

/* clang-format off: one line says what is there. */
static const struct row rows[] = {
    /* --- A lone control plane is to be made anew. --- */
    {"another image", "cp image=new", "cp", "cp:running recorded ready kubeconfig", "replace",
     "@succeed"},
    {"with workers and images", "cp mount=/h:/c w preload", "cp w preload",
     "cp:running w:running recorded ready kubeconfig", "replace", "@succeed-workers"},
    {"without a proxy and a CNI", "cp nocni proxy=none port=6443", "cp nocni proxy=none",
     "cp:running recorded ready kubeconfig", "replace", "@succeed-bare"},
    {"not now", "cp image=new", "cp", "cp:running recorded unready kubeconfig", "replace",
     "await-ready a (not Ready)\n"},
    {"nobody knows whether now", "cp image=new", "cp", "cp:running recorded kubeconfig", "replace",
     "! a-control-plane [replace]: image default -> new; is replaced once all nodes are there and "
     "Ready\n"},
    {"not while anything of the cluster is refused", "cp image=new pod=10.8.0.0/16", "cp",
     "cp:running recorded ready kubeconfig", "replace",
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"
     "! a-control-plane [replace]: image default -> new; is replaced once nothing else of the "
     "cluster is refused\n"},
    {"before its workers", "cp image=new w image=new", "cp w",
     "cp:running w:running recorded ready kubeconfig", "",
     "! a-control-plane [replace]: image default -> new; refused: needs --allow replace-nodes (its "
     "data stays; the API is away meanwhile, what the node keeps elsewhere outside of mounts "
     "goes)\n"
     "! a-worker [replace]: image default -> new; refused: needs --allow replace-nodes (its pods "
     "move, what it keeps outside of mounts goes)\n"},
    {"to become one of several", "cp image=new cp2", "cp", "cp:running recorded ready kubeconfig",
     "replace",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "endpoint a-control-plane <- 1 (the API is published elsewhere)\n"
     "kubeconfig a <- 1 2 (the API is published elsewhere)\n"
     "image default (a node is missing)\n"
     "create-node a-control-plane2 <- 0 4 (missing)\n"
     "join a-control-plane2 <- 5 1 2 (a node is missing)\n"
     "await-ready a <- 1 2 3 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"
     "! nodes[a-control-plane].image [recreate]: default -> new; refused: needs --allow recreate "
     "(all its data would go)\n"},

    /* --- Versions. --- */
    {"a patch up", "cp image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.2 w image=n:v1.20.2",
     "cp:running w:running recorded ready kubeconfig", "",
     "! a-control-plane [replace]: image n:v1.20.2 -> n:v1.20.3; refused: needs --allow "
     "replace-nodes (its data stays; the API is away meanwhile, what the node keeps elsewhere "
     "outside of mounts goes)\n"
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.20.3; refused: needs --allow replace-nodes "
     "(its pods move, what it keeps outside of mounts goes)\n"},
    {"a patch up, with something in the way", "cp image=n:v1.20.3 w image=n:v1.20.3",
     "cp image=n:v1.20.2 w image=n:v1.20.2", "cp:running w:running recorded kubeconfig", "replace",
     "! a-control-plane [replace]: image n:v1.20.2 -> n:v1.20.3; is replaced once all nodes are "
     "there and Ready\n"
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.20.3; is replaced once the control planes "
     "are\n"},
    {"then the worker", "cp image=n:v1.20.3 w image=n:v1.20.3",
     "cp image=n:v1.20.3 w image=n:v1.20.2", "cp:running w:running recorded ready kubeconfig",
     "replace",
     "image n:v1.20.3 [replace] (image n:v1.20.2 -> n:v1.20.3)\n"
     "check-version a-worker [replace] <- 0 (image n:v1.20.2 -> n:v1.20.3)\n"
     "drain a-worker [replace] <- 1 (image n:v1.20.2 -> n:v1.20.3)\n"
     "delete-node a-worker [replace] <- 2 (image n:v1.20.2 -> n:v1.20.3)\n"},
    {"down", "cp image=n:v1.20.2", "cp image=n:v1.20.3", "cp:running recorded ready kubeconfig",
     "replace",
     "! nodes[a-control-plane].image [recreate]: n:v1.20.3 -> n:v1.20.2; refused: v1.20.3 -> "
     "v1.20.2 is a downgrade, which Kubernetes does not support; keep v1.20.3, or make the cluster "
     "anew with --allow recreate (all its data would go)\n"},
    {"down, with leave for all", "cp image=n:v1.20.2", "cp image=n:v1.20.3",
     "cp:running recorded ready kubeconfig", "recreate",
     "delete-node a-control-plane [recreate] (nodes[a-control-plane].image: n:v1.20.3 -> "
     "n:v1.20.2)\n"},
    {"too far up", "cp image=n:v1.22.0", "cp image=n:v1.20.3",
     "cp:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane].image [recreate]: n:v1.20.3 -> n:v1.22.0; refused: v1.20.3 -> "
     "v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its "
     "data would go)\n"},
    {"a worker newer than the control plane", "cp image=n:v1.20.2 w image=n:v1.20.3",
     "cp image=n:v1.20.2 w image=n:v1.20.2", "cp:running w:running recorded ready kubeconfig",
     "replace",
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.20.3; refused: v1.20.3 is newer than the "
     "control planes' v1.20.2, which Kubernetes does not support; upgrade the control planes "
     "first\n"},
    {"a worker newer than what the control plane says", "cp w image=n:v1.20.3",
     "cp w image=n:v1.20.2", "cp:running w:running recorded ready kubeconfig answers", "replace",
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.20.3; refused: v1.20.3 is newer than the "
     "control planes' v1.20.2, which Kubernetes does not support; upgrade the control planes "
     "first\n"},
    {"a worker newer than a control plane that may not follow",
     "cp image=n:v1.22.3 w image=n:v1.22.3", "cp image=n:v1.20.2 w image=n:v1.20.2",
     "cp:running w:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane].image [recreate]: n:v1.20.2 -> n:v1.22.3; refused: v1.20.2 -> "
     "v1.22.3 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its "
     "data would go)\n"
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.22.3; refused: v1.22.3 is newer than the "
     "control planes' v1.20.2, which Kubernetes does not support; upgrade the control planes "
     "first\n"},

    /* --- A succession that was cut short. --- */
    {"set aside", "cp image=new", "cp", "before:exited recorded", "", "@succeed-aside"},
    {"set aside, and somebody started it", "cp image=new w", "cp w",
     "before:running w:exited recorded", "", "@succeed-aside-running"},
    {"made, and nothing carried", "cp image=new", "cp", "cp:running:anew before:exited recorded",
     "", "@succeed-made"},
    {"made, and stopped", "cp image=new", "cp", "cp:exited:anew before:exited recorded", "",
     "@succeed-stopped"},
    {"carried", "cp image=new", "cp", "cp:running:anew before:exited recorded carried unready", "",
     "@succeed-carried"},
    {"the copy is there, a worker has moved meanwhile", "cp image=new w", "cp w",
     "cp:running:anew before:exited w:running:moved recorded carried unready", "",
     "@succeed-moved"},
    {"carried, and not well", "cp image=new", "cp",
     "cp:running:anew before:exited recorded carried unready answers", "", "@succeed-carried"},
    {"finished", "cp image=new", NULL,
     "cp:running before:exited recorded succeeded ready answers kubeconfig", "",
     "delete-node a-control-plane_before (its data has been carried over)\n"},
    {"the old one is dead, and nothing carried, allowed", "cp image=new", "cp",
     "before:dead recorded", "recreate",
     "delete-node a-control-plane_before [recreate] (the container is dead)\n"},
    {"the old one is dead, and nothing carried, not allowed", "cp image=new", "cp",
     "before:dead recorded", "replace",
     "! a-control-plane_before [recreate]: the container is dead; refused: needs --allow recreate "
     "(all its data would go)\n"},
    {"all of it is to be made anew meanwhile, allowed", "cp image=new pod=10.8.0.0/16", "cp",
     "cp:running:anew before:exited recorded carried unready", "recreate",
     "delete-node a-control-plane [recreate] (is to be made anew)\n"
     "delete-node a-control-plane_before [recreate] <- 0 (is to be made anew)\n"},
    {"set aside, and another worker is dead", "cp image=new w w2", "cp w w2",
     "before:exited w:dead w2:running recorded", "replace",
     "delete-node a-worker (the container is dead)\n"
     "network kind (is being replaced)\n"
     "image new (is being replaced)\n"
     "check-version a-control-plane <- 2 (is being replaced)\n"
     "create-node a-control-plane <- 1 3 (is being replaced)\n"
     "carry-data a-control-plane <- 4 (is being replaced)\n"
     "bootstrap a-control-plane <- 4 5 (is being replaced)\n"
     "upload-config a <- 6 (is being replaced)\n"
     "mark-control-plane a <- 6 (is being replaced)\n"
     "token a <- 6 (is being replaced)\n"
     "proxy a <- 6 (is being replaced)\n"
     "dns a <- 6 (is being replaced)\n"
     "cni a <- 6 (is being replaced)\n"
     "storage a <- 6 (is being replaced)\n"
     "kubeconfig a <- 6 (is being replaced)\n"
     "await-ready a <- 4 7 8 9 10 11 12 13 14 (is being replaced)\n"
     "record a <- 7 8 9 10 11 12 13 14 15 (is being replaced)\n"
     "delete-node a-control-plane_before <- 16 (is being replaced)\n"},
    {"finished, and other settings are wanted already", "cp2 cp", "cp",
     "cp:exited before:exited recorded succeeded", "",
     "delete-node a-control-plane_before (its data has been carried over)\n"},
    {"taken back to what it was, and carried", "cp nocni proxy=none image=new", NULL,
     "cp:running before:exited recorded carried ready answers", "", "@succeed-again"},
    {"the new one is dead, and was finished", "cp image=new", NULL,
     "cp:dead before:exited recorded succeeded", "",
     "! a-control-plane [recreate]: the container is dead; refused: needs --allow recreate (its "
     "data would go; a-control-plane_before holds what it was when this one took its place)\n"},
    {"the new one is dead", "cp image=new", "cp", "cp:dead:anew before:exited recorded", "",
     "delete-node a-control-plane (the container is dead)\n"},
    {"a worker is dead", "cp nocni proxy=none image=new w", "cp nocni proxy=none w",
     "cp:running:anew before:exited w:dead recorded carried", "", "@succeed-worker-dead"},

    /* --- Another wish in between. --- */
    {"another image before it was carried", "cp image=newer", "cp",
     "cp:running:misshapen before:exited recorded", "",
     "delete-node a-control-plane (made for other settings, and never finished)\n"},
    {"another image, and the new one never came up", "cp image=newer", "cp",
     "cp:running:misshapen before:exited recorded carried unready", "replace",
     "delete-node a-control-plane [replace] (made for other settings, and does not answer)\n"},
    {"the same, stopped", "cp image=newer", "cp",
     "cp:exited:misshapen before:exited recorded carried", "replace",
     "start-node a-control-plane (exited)\n"},
    {"the same, and nobody knows", "cp image=newer", "cp",
     "cp:running:misshapen before:exited recorded carried", "replace",
     "! a-control-plane [replace]: is being replaced by a container of other settings than these, "
     "which may hold newer data by now; go back to those until this is done\n"},
    {"the same without leave", "cp", "cp",
     "cp:running:misshapen before:exited recorded carried unready", "",
     "! a-control-plane [replace]: is being replaced by a container that does not answer; refused: "
     "needs --allow replace-nodes to make it anew of the data set aside\n"},
    {"another image, and the new one answers", "cp image=newer", "cp",
     "cp:running:misshapen before:exited recorded carried unready answers", "replace",
     "! a-control-plane [replace]: is being replaced by a container of other settings than these, "
     "which may hold newer data by now; go back to those until this is done\n"},
    {"another subnet", "cp image=new pod=10.8.0.0/16", "cp", "before:exited recorded", "replace",
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused while "
     "a-control-plane is being replaced: set it back until this is done\n"},
    {"another subnet, with leave for all", "cp image=new pod=10.8.0.0/16", "cp",
     "before:exited recorded", "recreate",
     "delete-node a-control-plane_before [recreate] (is to be made anew)\n"},
    {"a downgrade", "cp image=n:v1.20.1", "cp image=n:v1.20.2",
     "cp:running:misshapen before:exited recorded", "replace",
     "! nodes[a-control-plane].image [recreate]: n:v1.20.2 -> n:v1.20.1; refused while "
     "a-control-plane is being replaced: v1.20.2 -> v1.20.1 is a downgrade, which Kubernetes does "
     "not support; keep v1.20.2, or make the cluster anew with --allow recreate\n"},
    {"several control planes", "cp image=new cp2", "cp", "before:exited recorded", "replace",
     "! a-control-plane_before [live]: holds the data of a control plane that is being replaced; "
     "go back to that one control plane until this is done\n"},
    {"another control plane", "cp2", "cp", "before:exited recorded", "replace recreate",
     "! a-control-plane_before [live]: holds the data of a control plane that is being replaced; "
     "go back to that one control plane until this is done\n"},
    {"nothing can be read", "cp image=new", "cp",
     "cp:running:anew before:exited unreadable message=no_answer", "replace",
     "! a [live]: cannot be read now: no answer\n"},
    {"nothing is recorded", "cp image=new", "cp", "before:exited", "replace",
     "! a [live]: cannot be read now: its set-aside control plane has no record\n"},
    {"the cluster is to go", NULL, "cp", "cp:running before:exited recorded", "delete",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"
     "delete-node a-control-plane_before [delete] <- 0 1 (not wanted any more)\n"},

    /* --- What a look at a version has left. --- */
    {"a probe", "cp", NULL, "cp:running probe:created recorded ready kubeconfig", "",
     "delete-node a-control-plane_version [remove] (was only made for a look at its version)\n"},
    {"a probe beside a carrier", "cp image=new", NULL,
     "cp:running before:exited probe:created recorded succeeded ready answers", "",
     "delete-node a-control-plane_before (its data has been carried over)\n"},
    {"a probe and a set-up that never finished", "cp", NULL, "cp:running probe:created", "",
     "delete-node a-control-plane_version [remove] (not in the spec)\n"},
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

/* What is written down is what the new container was made by, and nothing that is not done. */
static void test_record(void **state)
{
    (void)state;
    static const struct row made = {"record", "cp image=new label=a:b w manifest",
                                    "cp w",   "before:exited w:running recorded",
                                    "",       NULL};
    cleanup_arena struct arena *arena = arena_new();
    const struct cluster_spec *desired = notation_spec(arena, made.desired);
    struct cluster_state observed =
        notation_state(arena, notation_spec(arena, made.made), made.observed);
    struct diff_policy policy = read_policy(made.policy);
    struct plan plan;
    struct facet_list want;
    diff_cluster(arena, desired, &observed, &policy, &plan);
    spec_facets(arena, notation_spec(arena, "cp image=new w"), &want);
    assert_int_equal(plan.record.count, want.count);
    for (size_t i = 0; i < want.count; i++) {
        test_equal(plan.record.items[i].path, want.items[i].path);
        test_equal(plan.record.items[i].value, want.items[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_bytes_twice),
        cmocka_unit_test(test_strangers_are_safe),
        cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests_name("diff_succession", tests, NULL, NULL);
}
