/* What may become of a cluster: held, protected, marked, and asked for by hand. */
#include "reconciler/diff_rows.h"

#define READY "cp:running recorded ready kubeconfig"
#define LIFT "(take `protect: true` out of its source and apply that first"

/* clang-format off */
static const struct row rows[] = {
    /* --- Suspended: nothing is done, and what waits is told. --- */
    {"suspended by hand, in sync", "cp", NULL, READY " marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that\n"},
    {"suspended by its source, in sync", "cp suspend", "cp", READY, "",
     "= suspended by its source\n"},
    {"suspended by both", "cp suspend", "cp", READY " marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that\n"},
    {"suspended and stopped", "cp", NULL, "cp:exited recorded marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that; not done: start node a-control-plane, and 1 more\n"},
    {"suspended, and one change waits", "cp label=tier:db", "cp", "cp:running recorded ready kubeconfig marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that; not done: node labels and taints a-control-plane, and 1 more\n"},
    {"suspended, and one is missing its entry", "cp", NULL, "cp:running recorded ready nokubeconfig marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that; not done: write kubeconfig a\n"},
    {"suspended, a change and a refusal wait", "cp pod=10.8.0.0/16", "cp", "cp:running recorded ready nokubeconfig marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that; not done: write kubeconfig a, and more\n"},
    {"suspended, and only refusals wait", "cp pod=10.8.0.0/16", "cp", READY " marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that; its settings differ\n"},
    {"suspended before it was made", "cp suspend", NULL, "", "",
     "= suspended by its source; not done: network kind, and 13 more\n"},
    {"suspended in its set-up", "cp", NULL, "cp:running marks=suspended", "",
     "= suspended by hand; `kind resume a` ends that; not done: bootstrap a-control-plane, and 11 more\n"},
    {"suspended, and out of the sources", NULL, "cp", READY " marks=suspended", "delete",
     "= suspended by hand; `kind resume a` ends that; not done: remove from kubeconfig a, and 1 more\n"},
    {"suspended, and deleted by hand", NULL, "cp", READY " marks=suspended", "any",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"},
    {"suspended, and another's", "cp", NULL, "cp:running:fleet=x recorded marks=suspended", "",
     "! a [live]: cluster exists and was not made by this fleet (made by fleet 'x'); left alone "
     "(rename the cluster here, or delete the other one)\n"},

    /* --- Stopped by hand. --- */
    {"stopped", "cp w", NULL, "cp:exited w:exited recorded marks=stopped", "",
     "= stopped by hand; `kind start a` ends that\n"},
    {"stopped, and somebody started it", "cp", NULL, READY " marks=stopped", "",
     "= stopped by hand; `kind start a` ends that\n"},
    {"stopped, and out of the sources", NULL, "cp", "cp:exited recorded marks=stopped", "delete",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"},

    /* --- Protected. --- */
    {"protected, in sync", "cp protect", NULL, READY " marks=protect", "recreate delete", ""},
    {"protected, and out of the sources", NULL, "cp", READY " marks=protect", "delete",
     "! a [delete]: not wanted any more; refused: the cluster is protected " LIFT ")\n"},
    {"protected, and over", NULL, "cp", READY " marks=protect", "delete expired",
     "! a [delete]: its ttl of 1h is over; refused: the cluster is protected " LIFT ")\n"},
    {"over", NULL, "cp", READY, "delete expired",
     "forget a [delete] (its ttl of 1h is over)\n"
     "delete-node a-control-plane [delete] <- 0 (its ttl of 1h is over)\n"},
    {"protected, and deleted by hand", NULL, "cp", READY " marks=protect", "any",
     "! a [delete]: not wanted any more; refused: the cluster is protected " LIFT
     ", or give --protected to delete it all the same)\n"},
    {"protected, deleted by hand all the same", NULL, "cp", READY " marks=protect", "any unprotect",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"},
    {"protected by its source, but never made", NULL, "cp", "", "delete", ""},
    {"protected, with leave to be made anew", "cp protect pod=10.8.0.0/16", "cp", READY " marks=protect", "recreate",
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: the cluster is protected (all its data would go)\n"},
    {"protected as it says itself alone", "cp mayrecreate pod=10.8.0.0/16", "cp", READY " marks=protect", "",
     "delete-node a-control-plane [recreate] (networking.podSubnet: 10.244.0.0/16 -> 10.8.0.0/16)\n"},
    {"protected from now on, and made anew", "cp protect mayrecreate pod=10.8.0.0/16", "cp", READY, "",
     "marks a (protect: false -> true)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: the cluster is protected (all its data would go)\n"},
    {"protected, and its only control plane is dead", "cp protect", NULL, "cp:dead recorded marks=protect", "recreate",
     "! a-control-plane [recreate]: the container is dead; refused: the cluster is protected (all its data would go)\n"},
    {"protected, and only a worker is left", "cp w protect", NULL, "w:running unreadable", "",
     "! a [recreate]: the first control plane is gone; refused: the cluster is protected " LIFT ")\n"},
    {"protected, and the record was lost", "cp protect", NULL, "cp:running:misshapen marks=protect", "",
     "! a [recreate]: made for other settings, and never finished; refused: the cluster is protected " LIFT ")\n"},
    {"protected by its source, and never finished", "cp protect", NULL, "cp:running:misshapen", "",
     "delete-node a-control-plane (made for other settings, and never finished)\n"},
    {"protected: workers still come and go", "cp protect", "cp w", "cp:running w:running recorded ready kubeconfig marks=protect", "",
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},

    /* --- Leave in the spec. --- */
    {"may be made anew", "cp mayrecreate pod=10.8.0.0/16", "cp", READY, "",
     "delete-node a-control-plane [recreate] (networking.podSubnet: 10.244.0.0/16 -> 10.8.0.0/16)\n"},
    {"its nodes may be replaced", "cp w mayreplace image=new", "cp w image=old", "cp:running w:running recorded ready kubeconfig", "",
     "image new [replace] (image old -> new)\n"
     "check-version a-worker [replace] <- 0 (image old -> new)\n"
     "drain a-worker [replace] <- 1 (image old -> new)\n"
     "delete-node a-worker [replace] <- 2 (image old -> new)\n"},

    /* --- Marked. --- */
    {"protected from now on", "cp protect", "cp", READY, "", "marks a (protect: false -> true)\n"},
    {"no longer protected", "cp", NULL, READY " marks=protect", "", "marks a (protect: true -> false)\n"},
    {"lives for an hour", "cp ttl=3600", "cp", READY, "", "marks a (ttl: none -> 1h)\n"},
    {"lives on", "cp", NULL, READY " marks=ttl-5400", "", "marks a (ttl: 1h30m -> none)\n"},
    {"ends", "cp expires=1769882400", "cp", READY " marks=expires-60", "",
     "marks a (expiresAt: 1970-01-01T00:01:00Z -> 2026-01-31T18:00:00Z)\n"},
    {"does not end", "cp", "cp", READY " marks=expires-1769882400", "",
     "marks a (expiresAt: 2026-01-31T18:00:00Z -> none)\n"},
    {"may be deleted", "cp maydelete", "cp", READY, "", "marks a (allow: delete is given)\n"},
    {"may not be deleted", "cp", "cp", READY " marks=allow-delete", "", "marks a (allow: delete is withdrawn)\n"},
    {"marked as it should be", "cp maydelete ttl=60 expires=99 protect", "cp", READY " marks=allow-delete+ttl-60+expires-99+protect", "", ""},
    {"marked before all else, and the record waits for it", "cp protect label=tier:db", "cp", READY, "",
     "marks a (protect: false -> true)\n"
     "node-settings a-control-plane (labels tier: none -> db)\n"
     "record a <- 1 0 (labels tier: none -> db)\n"},
    {"marked while it cannot be mended", "cp protect", "cp", "cp:exited recorded", "",
     "marks a (protect: false -> true)\n"
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 1 (something changed)\n"},
    {"marked when the set-up is recorded, not before", "cp protect nocni proxy=none", NULL, "cp:exited", "",
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
    {"marked by a later version", "cp", NULL, "cp:exited recorded marks=protect+new-9+newer", "recreate",
     "! a [live]: is marked 'new-9', which this version does not know; left alone (use the newer one)\n"},
    {"marked by a later version, and out of the sources", NULL, "cp", READY " marks=new", "delete",
     "! a [delete]: is marked 'new', which this version does not know; left alone (use the newer one)\n"},
    {"marked by a later version, and stopped by hand", NULL, "cp", READY " marks=new", "stop any",
     "! a [live]: is marked 'new', which this version does not know; left alone (use the newer one)\n"},
    {"marked by a later version, and deleted by hand", NULL, "cp", READY " marks=new", "any",
     "forget a [delete] (not wanted any more)\n"
     "delete-node a-control-plane [delete] <- 0 (not wanted any more)\n"},

    /* --- Asked for by hand. --- */
    {"stop", NULL, "cp cp2 w w2", "cp:running cp2:paused lb:running w:running w2:restarting recorded ready kubeconfig", "stop",
     "marks a (stopped by hand)\n"
     "stop-node a-worker <- 0 (asked for by hand)\n"
     "stop-node a-worker2 <- 0 (asked for by hand)\n"
     "stop-node a-control-plane <- 0 1 2 (asked for by hand)\n"
     "stop-node a-control-plane2 <- 0 1 2 (asked for by hand)\n"
     "stop-node a-external-load-balancer <- 0 1 2 3 4 (asked for by hand)\n"},
    {"stop what is stopped", NULL, "cp", "cp:exited recorded marks=stopped", "stop", ""},
    {"stop, and go on where it ended", NULL, "cp w", "cp:running w:exited recorded marks=stopped", "stop",
     "stop-node a-control-plane (asked for by hand)\n"},
    {"stop what stands still of itself", NULL, "cp", "cp:exited recorded", "stop", "marks a (stopped by hand)\n"},
    {"stop another's", NULL, "cp", "cp:running:upstream recorded", "stop",
     "! a [delete]: cluster exists and was not made by this fleet (made by upstream's kind); left "
     "alone (rename the cluster here, or delete the other one)\n"},
    {"start", NULL, "cp w", "cp:exited w:exited recorded marks=stopped+protect", "start",
     "marks a (started by hand)\n"
     "start-node a-control-plane (exited)\n"
     "start-node a-worker (exited)\n"
     "await-ready a <- 1 2 (not Ready)\n"},
    {"start, and it comes up", NULL, "cp", "cp:running recorded unready kubeconfig", "start", "await-ready a (not Ready)\n"},
    {"start, and its port is another", NULL, "cp", "cp:running recorded nokubeconfig", "start",
     "kubeconfig a (entry is missing or out of date)\n"},
    {"start what runs", NULL, "cp", READY, "start", ""},
    {"start what was never finished", NULL, "cp", "cp:exited", "start", "start-node a-control-plane (exited)\n"},
    {"suspend", NULL, "cp", READY, "suspend", "marks a (suspended by hand)\n"},
    {"suspend what is suspended", NULL, "cp", READY " marks=suspended", "suspend", ""},
    {"resume", NULL, "cp", READY " marks=suspended", "resume", "marks a (resumed by hand)\n"},
    {"resume what is not suspended", NULL, "cp", READY, "resume", ""},
};
/* clang-format on */

static void plans(void **state)
{
    (void)state;
    check_plans(rows, COUNT_OF(rows));
}

/* What is written afterwards: what was asked for by hand stays, what the source says comes. */
static void marks_after(void **state)
{
    (void)state;
    static const struct {
        const char *desired, *observed, *policy, *want;
    } after[] = {
        {"cp", READY, "", "none"},
        {"cp protect ttl=60", READY, "", "none+protect+ttl-60"},
        {"cp", READY " marks=protect+stopped", "", "none+stopped"},
        {NULL, READY " marks=protect+expires-9", "stop", "none+protect+expires-9+stopped"},
        {NULL, READY " marks=suspended+stopped", "start", "none+suspended"},
        {NULL, READY " marks=suspended+stopped", "resume", "none+stopped"},
        {"cp maydelete", "", "", "none+allow-delete"},
    };
    for (size_t i = 0; i < COUNT_OF(after); i++) {
        cleanup_arena struct arena *arena = arena_new();
        const struct cluster_spec *desired = notation_spec(arena, after[i].desired);
        struct cluster_state observed =
            notation_state(arena, notation_spec(arena, "cp"), after[i].observed);
        struct diff_policy policy = read_policy(after[i].policy);
        struct plan plan;
        diff_cluster(arena, desired, &observed, &policy, &plan);
        test_row(after[i].want);
        test_equal(marks_print(arena, NULL, &plan.marks), after[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans), cmocka_unit_test(marks_after)};
    return cmocka_run_group_tests_name("diff_life", tests, NULL, NULL);
}
