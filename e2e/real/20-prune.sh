#!/usr/bin/env bash
# Two clusters at once beside one of upstream's kind. What leaves the sources goes whole, with --prune only; what others made stays.
# takes 150 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

stay=stay-$$
go=go-$$
theirs=theirs-$$
named "$theirs"
cluster "$stay"
cluster "$go"
upstream=$("$root/e2e/upstream-kind")
upstream() { timeout -k 10 240 "$upstream" "$@" </dev/null; }
# kind for another fleet: all that it says.
of_others() { timeout -k 10 300 "$kind" "$@" --fleet "$fleet-other" 2>&1 </dev/null; }
kubectl_sees() { name=$1 context get nodes; }
count_nodes() { upstream get nodes --name "$1" 2>/dev/null | wc -l; }
mkdir "$folder/lab"
cp "$folder/$stay.yaml" "$folder/$go.yaml" "$folder/lab"

run apply -f "$folder/lab"
expect_code "apply makes two clusters at once ($took s)" 0
host_kubectl "$stay-control-plane"
holds "the first is Ready" nodes_ready "$stay-control-plane"
holds "the second is Ready" nodes_ready "$go-control-plane"
expect "a new kubeconfig is private" "$(stat -c %a "$KUBECONFIG")" 600

holds "upstream's kind makes a cluster of our node image" \
    upstream create cluster --name "$theirs" --image "$node_image" --kubeconfig "$folder/theirs.yaml"
comes_true 60 "upstream's cluster is Ready" nodes_ready "$theirs-control-plane"
lists_all() { [ "$("$@" get clusters 2>/dev/null | grep -cx -e "$stay" -e "$go" -e "$theirs")" = 3 ]; }
holds "upstream's kind lists our clusters and its own" lists_all upstream
holds "ours lists upstream's, too" lists_all "$kind"
expect "upstream's kind prints a kubeconfig of our cluster" \
    "$(upstream get kubeconfig --name "$go" | grep -c "name: kind-$go$")" 3
run status
expect_in "status says that upstream's is another tool's" "$(grep "^$theirs" <<<"$out")" "another tool"

# How upstream's cluster was before all the pruning: it must be so in the end.
theirs_state() { docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.State.Running}}' "$theirs-control-plane"; }
theirs_before=$(theirs_state)
# Of this test: others may make clusters meanwhile.
running_here() { docker ps -q --filter "label=$node_label" --filter "name=-$$-" | wc -l; }
all_before=$(running_here)
volumes=$(volumes_of "$go-control-plane")
expect "a node has a volume" "$(wc -w <<<"$volumes")" 1
rm "$folder/lab/$go.yaml"
still_there() { [ "$(docker inspect -f '{{.State.Running}}' "$go-control-plane")" = true ]; }

run diff -f "$folder/lab"
expect_code "diff without --prune has nothing to do" 0
expect_in "but it tells of the cluster that left the sources" "$out" "$go"
run diff -f "$folder/lab" --prune
expect_code "diff --prune counts it as a change" 1
run apply -f "$folder/lab"
expect_code "apply without --prune ends well" 0
expect_in "it says that the cluster left the sources" "$out$err" "$go"
expect_in "and names --prune" "$out$err" "--prune"
holds "nothing was deleted without --prune" still_there

mkdir "$folder/empty"
run apply -f "$folder/empty" --prune
expect_code "an empty folder is an error" 2
expect_in "it names the folder" "$err" "$folder/empty"
holds "it deletes nothing" still_there
printf '# nothing\n' >"$folder/none.yaml"
run apply -f "$folder/none.yaml" --prune
expect_code "a file that has lost its content is an error" 2
expect_in "it names the file" "$err" "$folder/none.yaml"
holds "it deletes nothing either" still_there
run apply -f "$folder/missing.yaml" --prune
expect_code "a source that is not there is an error" 2
expect_in "it names the source" "$err" "$folder/missing.yaml"
mkdir "$folder/broken"
cp "$folder/$stay.yaml" "$folder/broken"
printf 'kind: Cluster\n  name: {\n' >"$folder/broken/z.yaml"
run apply -f "$folder/broken" --prune
expect_code "a folder with a broken file beside a good one is an error" 2
expect_in "it names file and line" "$err" "$folder/broken/z.yaml:2"
holds "half a folder deletes nothing" still_there

run apply -f "$folder/lab" --prune
expect_code "apply --prune ends well ($took s)" 0
expect "no container is left" "$(containers_of "$go")" ""
for volume in $volumes; do
    if has_volume "$volume"; then not_ok "no volume is left: $volume"; else ok "no volume is left"; fi
done
expect "no entry of the kubeconfig is left" "$(grep -c "kind-$go" "$KUBECONFIG" || true)" 0
expect "the entries of the other cluster are" "$(grep -c "name: kind-$stay$" "$KUBECONFIG")" 3
expect "one container less, and no other" "$((all_before - $(running_here)))" 1
holds "the cluster that stayed is Ready" nodes_ready "$stay-control-plane"
expect "upstream's cluster runs as before" "$(theirs_state)" "$theirs_before"
holds "and is Ready" nodes_ready "$theirs-control-plane"
run diff -f "$folder/lab" --prune
expect_code "then there is nothing to do" 0

# The whole fleet, on purpose.
volumes=$(volumes_of "$stay-control-plane")
run apply -f "$folder/empty" --prune --allow-empty
expect_code "--allow-empty deletes the last one" 0
expect "it is gone" "$(containers_of "$stay")" ""
for volume in $volumes; do
    if has_volume "$volume"; then not_ok "with its volume: $volume"; else ok "with its volume"; fi
done
expect "upstream's cluster still runs as before" "$(theirs_state)" "$theirs_before"

# Upstream's cluster is adopted, and then followed; upstream's kind goes on to know it.
mkdir "$folder/adopt"
printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: %s\nnodes: [{role: control-plane, image: "%s"}]\n' "$theirs" "$node_image" >"$folder/adopt/a.yaml"
run diff -f "$folder/adopt"
expect_in "diff says how it could be adopted" "$out" "adopt it with --adopt"
run apply -f "$folder/adopt" --adopt
expect_code "apply --adopt takes it over ($took s)" 0
expect "its container runs as before" "$(theirs_state)" "$theirs_before"
run apply -f "$folder/adopt"
expect_in "then there is nothing to do" "$out$err" "Nothing to do"
expect_in "another fleet does not get it" "$(of_others apply -f "$folder/adopt" --adopt || true)" "made by fleet '$fleet'"
holds "the kubeconfig leads to it" kubectl_sees "$theirs"
holds "another fleet prunes all its clusters" of_others apply -f "$folder/empty" --prune --allow-empty
expect "this is none of them" "$(theirs_state)" "$theirs_before"
printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: %s\nnodes: [{role: control-plane, image: "%s"}, {role: worker, image: "%s", labels: {tier: db}}]\n' "$theirs" "$node_image" "$node_image" >"$folder/adopt/a.yaml"
run apply -f "$folder/adopt"
expect_code "a worker of ours comes ($took s)" 0
holds "both nodes are Ready" nodes_ready "$theirs-control-plane"
says "with its label" "node/$theirs-worker" node_kubectl "$theirs-control-plane" get nodes -l tier=db -o name
says "upstream's kind counts both" 2 count_nodes "$theirs"
run apply -f "$folder/empty" --prune --allow-empty
expect_code "it goes with its fleet" 0
expect "its containers are gone" "$(containers_of "$theirs")" ""
holds "upstream's kind deletes what is left of its cluster" upstream delete cluster --name "$theirs" --kubeconfig "$folder/theirs.yaml"
