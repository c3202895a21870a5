#!/usr/bin/env bash
# Drift: what somebody breaks in a living cluster is told by diff, mended by apply, and touches nothing else.
# takes 200 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=drift-$$
node=$name-control-plane
worker=$name-worker
second=$name-worker2
cluster "$name" "nodes: [{role: control-plane}, {role: worker, labels: {tier: web}}, {role: worker}]"
run apply -f "$folder/$name.yaml"
expect_code "apply makes one control plane and two workers ($took s)" 0
host_kubectl "$node"
holds "something is kept in it" context create configmap kept --from-literal=key=value

container_facts() { docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}' "$@" 2>&1; }
ready_is() { [ "$(context get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = "$2" ]; }
ready() { ready_is "$1" True; }
not_ready() { [[ $(context get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == @(False|Unknown) ]]; }
kept() { context get configmap kept -o 'jsonpath={.data.key}'; }

# fault CASE COMMAND...: from here on time is measured.
fault() {
    what=$1 began=$(date +%s%N)
    shift
    holds "$what: made" "$@"
}

# told NODE-OR-ENTRY WORDS: diff names it.
told() {
    run diff -f "$folder/$name.yaml"
    expect_code "$what: diff sees it" 1
    expect_in "$what: diff names it" "$out" "$1"
    expect_in "$what: diff says what it is" "$out" "$2"
}

# mended NODE UNTOUCHED...: apply repairs it; the node is Ready, the others are as they were.
mended() {
    local subject=$1 before
    shift
    before=$(container_facts "$@")
    run apply -f "$folder/$name.yaml"
    expect_code "$what: apply repairs it" 0
    comes_true 30 "$what: the node is Ready" ready "$subject"
    repaired "$what" "$began"
    expect "$what: the data is there" "$(kept)" value
    expect "$what: the others were not touched" "$(container_facts "$@")" "$before"
}

fault "container killed" docker kill "$worker"
told "$worker" "exited"
mended "$worker" "$node" "$second"

fault "container stopped" docker stop -t 2 "$worker"
told "$worker" "exited"
mended "$worker" "$node" "$second"

fault "container deleted" docker rm -fv "$worker"
told "$worker" "add worker"
mended "$worker" "$node" "$second"

fault "container paused" docker pause "$worker"
told "$worker" "paused"
mended "$worker" "$node" "$second"

fault "label removed" context label node "$worker" tier-
told "$worker" "tier"
mended "$worker" "$node" "$worker" "$second"
expect "the label is there again" "$(context get node "$worker" -o 'jsonpath={.metadata.labels.tier}')" web

fault "Node object deleted" context delete node "$worker"
told "$worker" "has not registered"
mended "$worker" "$node" "$worker" "$second"
expect "with its label" "$(context get node "$worker" -o 'jsonpath={.metadata.labels.tier}')" web

# The user's own act is left as it is.
context cordon "$second" >/dev/null
run diff -f "$folder/$name.yaml"
expect_code "a node that was cordoned is no drift" 0
context uncordon "$second" >/dev/null

cp "$KUBECONFIG" "$folder/entry"
fault "kubeconfig entry missing" "$folder/kubectl" config unset "clusters.kind-$name"
told "kubeconfig" "missing or out of date"
mended "$worker" "$node" "$worker" "$second"

# Three faults at once, since the cluster needs 40 s to see that a kubelet is silent: a control plane's kubelet, a worker's containerd,
# and a kubelet that never starts again.
in_node "$second" sh -c 'mkdir -p /etc/systemd/system/kubelet.service.d
    printf "[Service]\nExecStartPre=/bin/false\n" >/etc/systemd/system/kubelet.service.d/99-broken.conf; systemctl daemon-reload'
lost=$(container "$second")
fault "kubelet and containerd dead" in_node "$node" systemctl stop kubelet
holds "$what: a containerd" in_node "$worker" systemctl stop containerd
holds "$what: a kubelet, for ever" in_node "$second" systemctl stop kubelet
for one in "$node" "$worker" "$second"; do comes_true 90 "$what: the cluster has noticed $one" not_ready "$one"; done
echo "time drift: the cluster noticed them after $((($(date +%s%N) - began) / 1000000000)) s"
told "$node" "kubelet does not report"
expect_in "$what: a dead containerd is told, too" "$out" "~ $worker "
run status "$name" -o json
expect "status says that the cluster is not Ready" "$(jq -r '.clusters[0].ready' "$folder/out")" no
mended "$second" "$node" "$worker"
holds "all nodes are Ready" nodes_ready "$node"
expect_in "$what: it is told what was started" "$out$err" "kubelet is inactive"
if [ "$(container "$second")" != "$lost" ]; then ok "$what: what was beyond help was made anew"; else not_ok "$what: what was beyond help was made anew"; fi
in_sync() { ours diff -f "$folder/$name.yaml"; }
comes_true 60 "afterwards nothing differs" in_sync
