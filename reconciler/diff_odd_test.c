/* What is seldom seen: many strangers, containers that go, notes beside what cannot be known. */
#include "reconciler/diff_rows.h"

/* clang-format off */
static const struct row rows[] = {
    {"many strangers beside one of ours", "cp", NULL,
     "cp:running cp2:running:upstream cp3:running:upstream w:running:upstream w2:running:upstream "
     "w10:running:upstream lb:running:upstream", "recreate",
     "! a [live]: has containers that were not made by this fleet: a-control-plane2 (made by upstream's kind), a-control-plane3 (made by upstream's kind), a-worker (made by upstream's kind), a-worker2 (made by upstream's kind), a-worker10 (made by upstream's kind) and 1 more; left alone (rename the cluster here, or delete the other one)\n"},
    {"many strangers of two makers", "cp", NULL,
     "cp:running:fleet=ci cp2:running:upstream cp3:running:upstream w:running:upstream "
     "w2:running:upstream", "",
     "! a [live]: has containers that were not made by this fleet: a-control-plane (made by fleet 'ci'), a-control-plane2 (made by upstream's kind), a-control-plane3 (made by upstream's kind), a-worker (made by upstream's kind), a-worker2 (made by upstream's kind); left alone (rename the cluster here, or delete the other one)\n"},
    {"a worker is being removed", "cp w", NULL, "cp:running w:removing recorded ready kubeconfig", "",
     "delete-node a-worker (the container is being removed)\n"},
    {"the kubeconfig cannot be read", "cp", NULL, "cp:running recorded ready message=it_is_a_folder", "",
     "! kubeconfig [live]: cannot be checked, so nothing is written to it: it is a folder\n"},
    {"the kubeconfig cannot be read, while a node is started", "cp", NULL,
     "cp:exited recorded message=it_is_a_folder", "",
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"another label on what somebody else changed, too", "cp w label=k:v", "cp w",
     "cp:running w:running:drift recorded ready kubeconfig", "",
     "node-settings a-worker (labels k: none -> v)\n"
     "record a <- 0 (labels k: none -> v)\n"},
    {"a label was changed by somebody, and its node is stopped", "cp w", NULL,
     "cp:running w:exited:drift recorded ready kubeconfig", "",
     "start-node a-worker (exited)\n"
     "node-settings a-worker <- 0 (label tier is missing)\n"
     "await-ready a <- 0 1 (something changed)\n"},
    {"a label was changed by somebody on a node that is wanted no more", "cp", "cp w",
     "cp:running w:running:drift recorded ready kubeconfig", "",
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},
    {"a mount of a control plane that is not there", "cp cp2 cp3 mount=/h:/c", "cp cp2 cp3",
     "cp:running cp2:running lb:running recorded unready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane3 <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane3 <- 3 0 (its container is gone)\n"
     "create-node a-control-plane3 <- 3 1 2 (missing)\n"
     "join a-control-plane3 <- 5 0 4 (a node is missing)\n"
     "await-ready a <- 0 4 6 (not Ready)\n"
     "record a <- 7 (a node is missing)\n"},
    {"the load balancer is stopped, and a worker is wanted no more", "cp cp2 cp3", "cp cp2 cp3 w",
     "cp:running cp2:running cp3:running w:running lb:exited recorded kubeconfig", "",
     "balancer a-external-load-balancer (exited)\n"
     "await-ready a <- 0 (something changed)\n"},
};
/* clang-format on */

static void plans(void **state)
{
    (void)state;
    check_plans(rows, COUNT_OF(rows));
}

static void same_bytes_twice(void **state)
{
    (void)state;
    check_same_bytes_twice(rows, COUNT_OF(rows));
}

static void strangers_are_safe(void **state)
{
    (void)state;
    check_strangers_are_safe(rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans),
        cmocka_unit_test(same_bytes_twice),
        cmocka_unit_test(strangers_are_safe),
    };
    return cmocka_run_group_tests_name("diff, seldom", tests, NULL, NULL);
}
