#!/usr/bin/env bash
# Control planes come and go in a living cluster: one becomes three, one of them is lost and made again, one is replaced, and three
# become one. What was in etcd stays there.
# takes 170 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=planes-$$
node=$name-control-plane
named "$name"
# lab NODE...: the nodes as YAML.
lab() {
    printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: %s\nnodes:\n' "$name" >"$folder/lab.yaml"
    printf -- '- %s\n' "$@" >>"$folder/lab.yaml"
}
plane='{role: control-plane}'
etcd_members() {
    # shellcheck disable=SC2016  # for the node's shell
    in_node "$1" sh -c 'cd /etc/kubernetes/pki/etcd && ETCDCTL_API=3 /proc/$(pgrep -xo etcd)/root/usr/local/bin/etcdctl --cacert=ca.crt \
        --cert=healthcheck-client.crt --key=healthcheck-client.key --endpoints=https://127.0.0.1:2379 member list' | cut -d, -f2,3 | sort | tr -d '\n'
}
# who HOST: who answers to a name inside of the first control plane, as addresses.
who() { in_node "$node" getent ahostsv4 "$1" | awk '{print $1}' | sort -u; }
# well WHAT NODE...: the API answers the user, and has these nodes, all Ready, and the data; and nothing is left to do.
well() {
    local what=$1
    shift
    expect "$what: the nodes" "$(context get nodes -o 'jsonpath={.items[*].metadata.name}')" "$*"
    holds "$what: all are Ready" nodes_ready "$node"
    expect "$what: the data is there" "$(context get configmap keep -o 'jsonpath={.data.a}')" b
    expect "$what: etcd's members" "$(etcd_members "$1")" "$(printf ' started, %s' "$@")"
    run diff -f "$folder/lab.yaml"
    expect_code "$what: nothing differs" 0
}

lab "$plane"
run apply -f "$folder/lab.yaml"
expect_code "apply makes one control plane ($took s)" 0
host_kubectl "$node"
context create configmap keep --from-literal=a=b >/dev/null
began=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node")

lab "$plane" "$plane" "$plane"
run diff -f "$folder/lab.yaml"
expect_in "diff says that the load balancer comes" "$out" "$name-external-load-balancer"
run apply -f "$folder/lab.yaml"
expect_code "one becomes three ($took s)" 0
well "three" "$node" "${node}2" "${node}3"
expect "the first was not touched" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node")" "$began"
expect "the endpoint's name is the load balancer's alone" "$(who "$name-external-load-balancer")" \
    "$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$name-external-load-balancer")"

docker rm -f -v "${node}2" >/dev/null
fault=$SECONDS
run apply -f "$folder/lab.yaml"
expect_code "one that was removed by hand comes back" 0
well "repaired, $((SECONDS - fault)) s after the fault" "$node" "${node}2" "${node}3"

mkdir "$folder/share"
lab "$plane" "$plane" "{role: control-plane, extraMounts: [{hostPath: $folder/share, containerPath: /share}]}"
run apply -f "$folder/lab.yaml"
expect_code "a mount is refused without leave" 1
expect_in "and says what gives it" "$out$err" "--allow replace-nodes"
run apply -f "$folder/lab.yaml" --allow replace-nodes
expect_code "with leave it is replaced ($took s)" 0
expect "it has the mount" "$(docker inspect -f '{{range .Mounts}}{{println .Destination}}{{end}}' "${node}3" | grep -cx /share)" 1
well "replaced" "$node" "${node}2" "${node}3"

lab "$plane"
run apply -f "$folder/lab.yaml"
expect_code "three become one ($took s)" 0
well "one again" "$node"
expect "nothing else is left" "$(containers_of "$name")" "$(container "$node")"
expect "it is still the first container" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node")" "$began"
expect "it answers to the endpoint's name" "$(who "$name-external-load-balancer")" \
    "$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$node")"
