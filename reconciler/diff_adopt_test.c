/* Clusters that another tool made: how they become ours, and what can be done to them then. */
#include "reconciler/diff_rows.h"

/* clang-format off */
static const struct row rows[] = {
    /* --- Whose it is. --- */
    {"nobody asked for it", "cp image=i w image=i", NULL, "cp:running:upstream:image=i w:running:upstream:image=i", "",
     "! a [live]: cluster exists and was not made by this fleet (made by upstream's kind); left alone (adopt it with --adopt, rename the cluster here, or delete the other one)\n"},
    {"it is adopted", "cp image=i w image=i", NULL, "cp:running:upstream:image=i w:running:upstream:image=i", "adopt",
     "adopt a (made by upstream's kind; is this fleet's from now on)\n"},
    {"it stands still", "cp image=i", NULL, "cp:exited:upstream:image=i", "adopt",
     "adopt a (made by upstream's kind; is this fleet's from now on)\n"},
    {"nothing else is allowed by that", "cp image=i w image=i", NULL, "cp:running:upstream:image=i", "adopt recreate delete replace",
     "! a-worker [live]: cannot be adopted: is in the source, but not there; add it afterwards\n"},
    {"of another fleet", "cp image=i", NULL, "cp:running:image=i:fleet=x", "adopt",
     "! a [live]: cluster exists and was not made by this fleet (made by fleet 'x'); left alone (rename the cluster here, or delete the other one)\n"},
    {"adopted by another fleet", "cp image=i", NULL, "cp:running:image=i:adopted:fleet=x", "adopt",
     "! a [live]: cluster exists and was not made by this fleet (made by fleet 'x'); left alone (rename the cluster here, or delete the other one)\n"},
    {"partly another fleet's", "cp image=i w image=i", NULL, "cp:running:upstream:image=i w:running:image=i:fleet=x", "adopt",
     "! a [live]: has containers that were not made by this fleet: a-control-plane (made by upstream's kind), a-worker (made by fleet 'x'); left alone (rename the cluster here, or delete the other one)\n"},
    {"partly ours", "cp image=i w image=i", NULL, "cp:running recorded ready kubeconfig w:running:upstream:image=i", "adopt",
     "! a [live]: has containers that were not made by this fleet: a-worker (made by upstream's kind); left alone (rename the cluster here, or delete the other one)\n"},
    {"not there", "cp", NULL, "", "adopt", "@create"},
    {"it is to go", NULL, "cp", "cp:running:upstream", "adopt delete",
     "! a [delete]: cluster exists and was not made by this fleet (made by upstream's kind); left alone (rename the cluster here, or delete the other one)\n"},
    {"something else is asked for by hand", NULL, "cp", "cp:running:upstream", "adopt stop",
     "! a [delete]: cluster exists and was not made by this fleet (made by upstream's kind); left alone (rename the cluster here, or delete the other one)\n"},

    /* --- As it is. --- */
    {"another image", "cp image=i w image=i", NULL, "cp:running:upstream:image=i w:running:upstream:image=j", "adopt",
     "! a-worker [live]: cannot be adopted: was made of another image; write 'image: j' in its source\n"},
    {"no image is named", "cp", NULL, "cp:running:upstream:image=j", "adopt",
     "! a-control-plane [live]: cannot be adopted: was made of another image; write 'image: j' in its source\n"},
    {"a node too many", "cp image=i", NULL, "cp:running:upstream:image=i w:running:upstream:image=i", "adopt",
     "! a-worker [live]: cannot be adopted: is there, but not in its source; name it there first\n"},
    {"another role", "cp image=i w image=i", NULL, "cp:running:upstream:image=i w:running:upstream:image=i:role=control-plane", "adopt",
     "! a-worker [live]: cannot be adopted: is a control-plane; say so in its source first\n"},
    {"a dead container", "cp image=i", NULL, "cp:dead:upstream:image=i", "adopt",
     "! a-control-plane [live]: cannot be adopted: its container is dead\n"},
    {"several control planes", "cp image=i cp2 image=i", NULL, "cp:running:upstream:image=i cp2:running:upstream:image=i lb:running:upstream", "adopt",
     "! a [live]: cannot be adopted: it has several control planes, behind a load balancer that only its maker knows\n"},
    {"suspended", "cp image=i suspend", NULL, "cp:running:upstream:image=i", "adopt",
     "! a [live]: cannot be adopted: it is suspended by its source\n"},
    {"a setting that is not supported", "cp image=i later", NULL, "cp:running:upstream:image=i", "adopt",
     "! spec.ttl [live]: is not supported yet\n"},
    {"marked by a later version", "cp image=i", NULL, "cp:running:upstream:image=i marks=new", "adopt",
     "! a [live]: is marked 'new', which this version does not know; left alone (use the newer one)\n"},

    /* --- Afterwards. --- */
    {"it is as it should be", "cp image=i w image=i", NULL, "cp:running:adopted w:running:adopted recorded ready kubeconfig marks=owner-lab", "", ""},
    {"also with the word still given", "cp image=i", NULL, "cp:running:adopted recorded ready kubeconfig marks=owner-lab", "adopt", ""},
    {"the endpoint's name is not its", "cp image=i", NULL, "cp:running:adopted:unnamed recorded ready kubeconfig marks=owner-lab", "", ""},
    {"it gets labels, a manifest and an entry", "cp image=i label=a:b manifest", "cp image=i", "cp:running:adopted recorded nokubeconfig marks=owner-lab", "",
     "kubeconfig a (entry is missing or out of date)\n"
     "node-settings a-control-plane (labels a: none -> b)\n"
     "manifests a (manifests app.yaml: none -> sha256:690b80d89912)\n"
     "await-ready a <- 0 1 2 (something changed)\n"
     "record a <- 3 (2 settings differ)\n"},
    {"a worker of another image", "cp image=i w image=j", "cp image=i w image=i", "cp:running:adopted w:running:adopted recorded ready kubeconfig marks=owner-lab", "replace",
     "image j [replace] (image i -> j)\n"
     "check-version a-worker [replace] <- 0 (image i -> j)\n"
     "drain a-worker [replace] <- 1 (image i -> j)\n"
     "delete-node a-worker [replace] <- 2 (image i -> j)\n"},
    {"a worker comes", "cp image=i w image=i", "cp image=i", "cp:running:adopted recorded ready kubeconfig marks=owner-lab", "",
     "network kind (a node is missing)\n"
     "image i (a node is missing)\n"
     "create-node a-worker <- 0 1 (missing)\n"
     "join a-worker <- 2 (a node is missing)\n"
     "await-ready a <- 3 (something changed)\n"
     "record a <- 4 (a node is missing)\n"},
    {"a worker goes", "cp image=i", "cp image=i w image=i", "cp:running:adopted w:running:adopted recorded ready kubeconfig marks=owner-lab", "",
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},
    {"its control plane is not made anew with its data", "cp image=j", "cp image=i", "cp:running:adopted recorded ready kubeconfig marks=owner-lab", "replace",
     "! nodes[a-control-plane].image [recreate]: i -> j; refused: another tool made it, so it cannot be made anew with its data, and all nodes anew need --allow recreate (all its data would go)\n"},
    {"nor gets others", "cp image=i cp2 image=i", "cp image=i", "cp:running:adopted recorded ready kubeconfig marks=owner-lab", "",
     "! nodes[a-external-load-balancer].apiServerAddress [recreate]: another tool made the cluster, whose certificates do not know the load balancer; refused: needs --allow recreate (all its data would go)\n"
     "! nodes[a-external-load-balancer].apiServerPort [recreate]: another tool made the cluster, whose certificates do not know the load balancer; refused: needs --allow recreate (all its data would go)\n"
     "! a-control-plane2 [live]: missing; comes once the load balancer can publish the API\n"},
    {"it goes, where that is allowed", NULL, "cp image=i", "cp:running:adopted recorded ready kubeconfig marks=owner-lab", "delete",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"},
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

static struct plan plan_adoption(struct arena *arena, const char *observed, const char *fleet)
{
    const struct cluster_spec *desired = notation_spec(arena, "cp image=i protect");
    struct cluster_state state = notation_state_beside(arena, desired, desired, observed);
    const struct diff_policy policy = {.fleet = fleet, .network = "kind", .adopt = true};
    struct plan plan;
    diff_cluster(arena, desired, &state, &policy, &plan);
    return plan;
}

/* What is noted of it says whose it is, and goes on to do so. */
static void test_marks(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan = plan_adoption(arena, "cp:running:upstream:image=i", "lab");
    test_equal(marks_print(arena, NULL, &plan.marks), "none+protect+owner-lab");
    plan =
        plan_adoption(arena, "cp:running:adopted recorded ready kubeconfig marks=owner-lab", "lab");
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].kind, ACTION_MARKS);
    test_equal(marks_print(arena, NULL, &plan.marks), "none+protect+owner-lab");
}

static void test_names_of_fleets(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct plan plan = plan_adoption(arena, "cp:running:upstream:image=i", "a+stopped");
    assert_int_equal(plan.count, 0);
    test_equal(plan.refused[0].reason,
               "cannot be adopted: of the fleet's name 'a+stopped' no note can be made");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_same_bytes_twice),
        cmocka_unit_test(test_marks), cmocka_unit_test(test_names_of_fleets)};
    return cmocka_run_group_tests_name("diff_adopt", tests, NULL, NULL);
}
