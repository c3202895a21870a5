#!/usr/bin/env bash
# Kubernetes of three control planes is upgraded by image, one after the other, while the API goes on answering through the load
# balancer and what is in etcd stays there. A snapshot of etcd is kept.
# takes 260 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=planes-up-$$
node=$name-control-plane
old=kind.local/node:v1.20.2 new=kind.local/node-relabelled:v1.20.3
named "$name"
docker image inspect "$new" >/dev/null 2>&1 || stop_here "the engine has no $new; run images/build tests"

# all_of IMAGE: three control planes.
all_of() { cluster "$name" "nodes:" "- {role: control-plane, image: '$1'}" "- {role: control-plane, image: '$1'}" "- {role: control-plane, image: '$1'}"; }
versions() { context get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'; }
containers() { docker ps -a --filter "label=$node_label=$name" --filter 'name=control-plane' --format '{{.Names}}={{.Image}}' | LC_ALL=C sort | tr '\n' ' '; }
# in_system OBJECT JSONPATH
in_system() { context -n kube-system get "$1" -o "jsonpath=$2"; }

all_of "$old"
run apply -f "$folder/$name.yaml"
expect_code "three control planes of v1.20.2, and nobody else ($took s)" 0
holds "all nodes are Ready when it returns" nodes_ready "$node"
host_kubectl "$node"
expect "all three have joined" "$(context get nodes -o name | wc -l)" 3
expect "they keep their taints, as upstream's do" "$(context get nodes -o 'jsonpath={.items[*].spec.taints[*].effect}')" "NoSchedule NoSchedule NoSchedule"
run diff -f "$folder/$name.yaml"
expect_code "then nothing differs" 0
context create configmap kept --from-literal=key=value >/dev/null
server=$(grep server: "$KUBECONFIG")
id=$(context get namespace kube-system -o 'jsonpath={.metadata.uid}')

all_of "$new"
run apply -f "$folder/$name.yaml"
expect_code "without leave it is refused" 1
expect_in "and says what gives it" "$out$err" "needs --allow replace-nodes"

# Somebody asks the API all the time, by the load balancer's address, and each time on a new connection.
address=$(sed -nE 's,.*server: (https://.*),\1,p' "$KUBECONFIG")
(
    while [ ! -e "$folder/over" ]; do
        if curl -fsk -m 3 "$address/healthz" >/dev/null; then echo good; else echo bad; fi
        sleep 0.2
    done
) >"$folder/polls" 2>/dev/null &
poller=$!
children+=("$poller")
run apply --allow replace-nodes -f "$folder/$name.yaml"
touch "$folder/over"
wait "$poller" || true
polls=$(wc -l <"$folder/polls") failed=$(grep -c bad "$folder/polls" || true)
expect_code "an upgrade of three by image ends well ($took s)" 0
printf 'time upgrade of three: %s s, %s of %s polls of the API failed\n' "$took" "$failed" "$polls"
holds "the API went on answering: $failed of $polls polls failed" test $((failed * 20)) -le "$polls"
expect "the nodes say the new version" "$(versions)" "v1.20.3 v1.20.3 v1.20.3"
expect "all is of the new image, and nothing else is left" "$(containers)" "${node}2=$new ${node}3=$new $node=$new "
holds "all are Ready" nodes_ready "$node"
expect "it is the same cluster" "$(context get namespace kube-system -o 'jsonpath={.metadata.uid}')" "$id"
expect "what was written before is there" "$(context get configmap kept -o 'jsonpath={.data.key}')" value
expect "the kubeconfig leads to the same place" "$(grep server: "$KUBECONFIG")" "$server"
expect "the API server is of the new version" "$(context version -o json | jq -r .serverVersion.gitVersion)" v1.20.3
expect_in "kubeadm knows it" "$(in_system configmap/kubeadm-config '{.data.ClusterConfiguration}')" "kubernetesVersion: v1.20.3"
expect_in "kube-proxy is that of the new image" "$(in_system daemonset/kube-proxy '{.spec.template.spec.containers[0].image}')" v1.20.3
# What lost the API while etcd changed is started again by kubelet, which waits longer each time.
comes_true 240 "all pods run and are ready" all_pods_run
snapshots() { in_node "$1" sh -c 'cd /kind/etcd-snapshots 2>/dev/null && stat -c "%a %n" ./*.db' | sed -E "s/ .*-before-/ /"; }
expect "snapshots of etcd are kept, from before the first change on, for root alone" "$(snapshots "${node}2" | tr '\n' ' ')" \
    "600 $node.db 600 ${node}2.db 600 ${node}3.db "
run diff -f "$folder/$name.yaml"
expect_code "nothing is to do" 0

all_of "$old"
run diff --allow replace-nodes -f "$folder/$name.yaml"
expect_in "a downgrade is refused, and says why" "$out" "v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support"
