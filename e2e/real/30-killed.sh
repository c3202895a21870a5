#!/usr/bin/env bash
# Killed at five moments of one cluster's creation; each apply goes on where the last one died, and the last ends Ready.
# takes 45 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=killed-$$
node=$name-control-plane
cluster "$name"

# killed_at STEP WHAT
killed_at() {
    spawn apply -f "$folder/$name.yaml" -o json
    if ! at_step "$1"; then
        not_ok "killed when $2: it never came there: $(tail -n 3 "$folder/spawn.err" "$folder/spawn.out" | cut -c1-300)"
        ended 5 || kill -9 "$spawned"
        return
    fi
    kill -9 "$spawned"
    ended 5 || true
    expect "killed when $2" "$code" 137
    expect "there is one container" "$(containers_of "$name" | wc -l)" 1
}

killed_at "start the container" "the container is made"
id=$(containers_of "$name")
killed_at "certificates" "kubelet is started"
killed_at "control plane" "certificates and credentials are written"
killed_at "cluster DNS" "the API is up, addons are under way"
killed_at "wait for the nodes" "the addons are there, the node is not Ready"

run apply -f "$folder/$name.yaml"
expect_code "the sixth apply converges ($took s)" 0
holds "the node is Ready" nodes_ready "$node"
expect "it is the container that the first apply made" "$(containers_of "$name")" "$id"
expect "the kubeconfig has its context" "$(grep -c "name: kind-$name$" "$KUBECONFIG")" 3
expect "no lock of the kubeconfig is left" "$(find "$folder" -name '*.lock')" ""
pods_run() { ! node_kubectl "$node" -n kube-system get pods --no-headers </dev/null | grep -v Running; }
comes_true 60 "all pods of the system run" pods_run
run apply -f "$folder/$name.yaml"
expect_code "the seventh apply ends well" 0
expect_in "it has nothing to do" "$out" "Nothing to do"
