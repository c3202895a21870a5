#!/usr/bin/env bash
# Three control planes and nobody else.
# takes 70 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=ha-alone-$$
node=$name-control-plane
cluster "$name" "nodes: [{role: control-plane}, {role: control-plane}, {role: control-plane}]"
run apply -f "$folder/$name.yaml"
expect_code "apply makes three control planes ($took s)" 0
holds "all nodes are Ready when it returns" nodes_ready "$node"
host_kubectl "$node"
expect "all three have joined" "$(context get nodes -o name | wc -l)" 3
expect "they keep their taints, as upstream's do" "$(context get nodes -o 'jsonpath={.items[*].spec.taints[*].effect}')" "NoSchedule NoSchedule NoSchedule"
run diff -f "$folder/$name.yaml"
expect_code "afterwards nothing differs" 0
