/* Nodes that run, but are not Ready: what the plan does about them. */
#include "reconciler/diff_rows.h"

/* clang-format off */
static const struct row rows[] = {
    {"its kubelet is silent", "cp w w2", NULL,
     "cp:running:joined w:running:silent w2:running:joined unwell kubeconfig recorded", "",
     "revive a-worker (kubelet does not report)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"it is not Ready, and says why", "cp w", NULL,
     "cp:running:joined w:running:ill unwell kubeconfig recorded", "",
     "revive a-worker (not Ready: container runtime is down)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"nor says why", "cp w", NULL, "cp:running:joined w:running:sick unwell kubeconfig recorded", "",
     "revive a-worker (not Ready)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"a control plane", "cp", NULL, "cp:running:silent unwell kubeconfig recorded", "",
     "revive a-control-plane (kubelet does not report)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"that is never given up", "cp", NULL, "cp:running:hopeless unwell kubeconfig recorded", "",
     "revive a-control-plane (kubelet does not report)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"without a CNI nodes need not be Ready", "cp nocni w", NULL,
     "cp:running:ill w:running:sick unwell kubeconfig recorded", "", ""},
    {"but a silent kubelet is one", "cp nocni w", NULL,
     "cp:running:ill w:running:silent unwell kubeconfig recorded", "",
     "revive a-worker (kubelet does not report)\n"},
    {"what stands still is started, not revived", "cp w", NULL,
     "cp:running:joined w:exited:silent unwell kubeconfig recorded", "",
     "start-node a-worker (exited)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"one stands still, another is silent", "cp w w2", NULL,
     "cp:running:joined w:paused:silent w2:running:silent unwell kubeconfig recorded", "",
     "start-node a-worker (paused)\n"
     "revive a-worker2 <- 0 (kubelet does not report)\n"
     "await-ready a <- 0 1 (not Ready)\n"},
    {"images come into its store when that is there", "cp w preload", "cp w",
     "cp:running:joined w:running:ill unwell kubeconfig recorded", "",
     "revive a-worker (not Ready: container runtime is down)\n"
     "preload a-control-plane (preload busybox:v1: none -> wanted)\n"
     "preload a-worker <- 0 (preload busybox:v1: none -> wanted)\n"
     "await-ready a <- 0 1 2 (not Ready)\n"
     "record a <- 3 (preload busybox:v1: none -> wanted)\n"},
    {"a worker that does not come back", "cp w w2", NULL,
     "cp:running:joined w:running:hopeless w2:running:joined unwell kubeconfig recorded", "",
     "delete-node a-worker (does not come back: kubelet is failed)\n"},
    {"nor is wanted", "cp w2", "cp w w2",
     "cp:running:joined w:running:hopeless w2:running:joined unwell kubeconfig recorded", "",
     "delete-node a-worker [remove] (does not come back: kubelet is failed)\n"},
    {"one goes, the other is looked after in the next round", "cp w w2", NULL,
     "cp:running:joined w:running:hopeless w2:running:silent unwell kubeconfig recorded", "",
     "delete-node a-worker (does not come back: kubelet is failed)\n"},
    {"one that is not wanted is silent", "cp", "cp w",
     "cp:running:joined w:running:silent unready kubeconfig recorded", "",
     "revive a-worker (kubelet does not report)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"one that was never finished is silent", "cp w", "cp",
     "cp:running:joined w:running:silent:anew unwell kubeconfig recorded", "",
     "revive a-worker (kubelet does not report)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "node-settings a-worker <- 1 (not known to have joined)\n"
     "await-ready a <- 0 1 2 (not Ready)\n"
     "record a <- 3 (a node is missing)\n"},
    {"nobody can ask for it: first it can be asked, since it may never join", "cp w", "cp",
     "cp:running w:running:anew nokubeconfig recorded", "",
     "kubeconfig a (entry is missing or out of date)\n"
     "join a-worker (not known to have joined)\n"
     "node-settings a-worker <- 1 (not known to have joined)\n"
     "await-ready a <- 0 1 2 (something changed)\n"
     "record a <- 3 (a node is missing)\n"},
    {"nor is the way there open: what stands still, the entry, what is missing", "cp cp2 w", "cp cp2",
     "cp:running cp2:running lb:exited w:running:anew nokubeconfig recorded", "",
     "balancer a-external-load-balancer (exited)\n"
     "kubeconfig a <- 0 (entry is missing or out of date)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "node-settings a-worker <- 2 0 (not known to have joined)\n"
     "await-ready a <- 0 1 2 3 (something changed)\n"
     "record a <- 4 (a node is missing)\n"},
};
/* clang-format on */

static void test_rows(void **state)
{
    (void)state;
    check_plans(rows, COUNT_OF(rows));
}

static void test_strangers_are_safe(void **state)
{
    (void)state;
    check_strangers_are_safe(rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_strangers_are_safe)};
    return cmocka_run_group_tests_name("diff_revive", tests, NULL, NULL);
}
