#!/usr/bin/env bash
# Three control planes and a worker: one of them stopped, the load balancer gone.
# takes 120 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=ha-$$
node=$name-control-plane
balancer=$name-external-load-balancer
cluster "$name" "nodes: [{role: control-plane}, {role: control-plane}, {role: control-plane}, {role: worker}]"
run apply -f "$folder/$name.yaml"
expect_code "apply makes three control planes and a worker ($took s)" 0
holds "all nodes are Ready when it returns" nodes_ready "$node"
host_kubectl "$node"
expect "all four have joined" "$(context get nodes -o name | wc -l)" 4
expect "three are control planes" "$(context get nodes -l node-role.kubernetes.io/master -o name | wc -l)" 3
expect "the kubeconfig leads to the load balancer" "$(context config view -o "jsonpath={.clusters[?(@.name==\"kind-$name\")].cluster.server}")" \
    "https://$(docker port "$balancer" 6443/tcp | head -n 1)"
expect "the load balancer is labelled as upstream's" "$(docker inspect -f '{{index .Config.Labels "io.x-k8s.kind.role"}}' "$balancer")" external-load-balancer
members() {
    in_node "$node" sh -c 'ctr -n k8s.io run --rm --net-host --mount type=bind,src=/etc/kubernetes/pki/etcd,dst=/pki,options=rbind:ro \
        k8s.gcr.io/etcd:3.4.13-0 "etcdctl-$$" etcdctl --cacert /pki/ca.crt --cert /pki/server.crt --key /pki/server.key \
        --endpoints https://127.0.0.1:2379 member list' | grep -c started
}
expect "etcd has three members" "$(members)" 3
expect "all control planes have the record" \
    "$(for one in "$node" "${node}2" "${node}3"; do in_node "$one" sh -c 'sha256sum < /kind/fleet.json'; done | sort -u | wc -l)" 1
run apply -f "$folder/$name.yaml"
expect_in "a second apply has nothing to do" "$out$err" "Nothing to do"
context create configmap kept --from-literal=key=value >/dev/null

# One stops, the first of them even: the others go on, through the load balancer.
lists() { context get nodes; }
docker stop -t 5 "$node" >/dev/null
began=$SECONDS
comes_true 30 "with one of three control planes stopped the API answers" lists
echo "# $((SECONDS - began)) s after it was stopped"
holds "also for writing" context create configmap written --from-literal=key=value
run status "$name" -o json
expect "status says that the cluster is not whole" "$(jq -r '.clusters[0].ready' "$folder/out")" no
run apply -f "$folder/$name.yaml"
expect_code "apply starts it again ($took s)" 0
holds "all nodes are Ready" nodes_ready "${node}2"
expect "what was written is there" "$(context get configmap kept written -o 'jsonpath={.items[*].data.key}')" "value value"

# The load balancer gone, with its published port; then stopped. The nodes are not touched.
began=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "${node}2" "${node}3")
since=$(date +%s%N)
docker rm -f "$balancer" >/dev/null
run diff -f "$folder/$name.yaml"
expect_in "diff names the load balancer that is gone" "$out" "+ $balancer"
run apply -f "$folder/$name.yaml"
expect_code "apply makes the load balancer again ($took s)" 0
holds "the API answers through it" lists
repaired "load balancer gone" "$since"
since=$(date +%s%N)
docker stop -t 2 "$balancer" >/dev/null
run diff -f "$folder/$name.yaml"
expect_in "diff names the load balancer that is stopped" "$out" "~ $balancer"
run apply -f "$folder/$name.yaml"
expect_code "apply starts the load balancer again ($took s)" 0
holds "the API answers through it" lists
repaired "load balancer stopped" "$since"
expect "no node was touched" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "${node}2" "${node}3")" "$began"
run diff -f "$folder/$name.yaml"
expect_code "afterwards nothing differs" 0
run delete cluster --name "$name"
expect_code "delete takes everything away" 0
expect "no container is left" "$(containers_of "$name")" ""
