#!/usr/bin/env bash
# The engine is restarted, and nodes come back with other addresses: one control plane with a worker, and three control planes, go on
# with their data. On a network that kind made they keep their addresses. In a private engine of its own: the shared one stays up.
# takes 200 s
# alone: five nodes come up at once, beside an engine of their own
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

shared=$DOCKER_HOST
# A folder whose engine would have a bridge, and so a range of addresses, that nobody has.
number=$$
while ip link show "$(KIND_E2E_DIR=/var/lib/kind-e2e-$number "$root/e2e/engine" bridge)" >/dev/null 2>&1; do number=$((number + 1)); done
export KIND_E2E_DIR=/var/lib/kind-e2e-$number
# shellcheck disable=SC2317,SC2329  # called when the test ends
away() {
    docker ps -aq | xargs -r docker rm -fv >/dev/null 2>&1
    "$root/e2e/engine" stop 2>/dev/null
    rm -rf "$KIND_E2E_DIR"
}
undo+=(away)
DOCKER_HOST=$("$root/e2e/engine" private 2>/dev/null) || { away; stop_here "no engine of its own"; }
images=$(DOCKER_HOST=$shared docker image ls --format '{{.Repository}}:{{.Tag}}' kind.local/haproxy | head -n 1)
# shellcheck disable=SC2086  # two names
DOCKER_HOST=$shared docker save "$node_image" $images | docker load >/dev/null
docker network create lab >/dev/null

one=one-$$ three=three-$$ kept=kept-$$
plane=$three-control-plane
named "$one" "$three" "$kept"
cluster "$kept"
cat >"$folder/lab.yaml" <<YAML
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: $one
nodes: [{role: control-plane}, {role: worker}]
---
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: $three
nodes: [{role: control-plane}, {role: control-plane}, {role: control-plane}]
YAML

# The cluster of a network that kind makes belongs to a fleet of its own, so that both are set up, and mended, side by side.
in_lab() { KIND_EXPERIMENTAL_DOCKER_NETWORK=lab ours "$1" -f "$folder/lab.yaml"; }
in_kind() { timeout -k 10 300 "$kind" "$1" -f "$folder/$kept.yaml" --fleet "$fleet-kept" --kubeconfig "$folder/kept.conf"; }
# shellcheck disable=SC2034  # code is for expect_code
# both COMMAND: leaves $code and $seconds of the first, $kept_code and $kept_seconds of the other.
both() {
    local began=$SECONDS other
    code=0 kept_code=0
    (
        in_kind "$1" >"$folder/kept.out" 2>&1 || kept_code=$?
        echo "$kept_code $((SECONDS - began))" >"$folder/kept.took"
    ) &
    other=$!
    in_lab "$1" >"$folder/out" 2>"$folder/err" || code=$?
    seconds=$((SECONDS - began))
    wait "$other"
    read -r kept_code kept_seconds <"$folder/kept.took"
}
addresses() { docker inspect -f '{{.Name}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$@" | sort; }
address() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }

both apply
expect_code "1+1 and 3+0 come up on a network of the user's ($seconds s)" 0
expect "and one node on a network of kind's ($kept_seconds s)" "$kept_code" 0
host_kubectl "$plane"
# pod NAME NODE: a small web server on that very node.
pod() {
    context apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: default}
spec:
  nodeName: $2
  terminationGracePeriodSeconds: 0
  tolerations: [{operator: Exists}]
  containers:
  - name: web
    image: kind.local/busybox:v1
    imagePullPolicy: Never
    command: [sh, -c, "echo hello > /tmp/index.html && exec httpd -f -p 8080 -h /tmp"]
YAML
}
reaches() { fetches "$1" "http://$(context get pod "$2" -o 'jsonpath={.status.podIP}'):8080/" hello; }
for name in "$one" "$three"; do
    context create configmap before --from-literal=a="$name" >/dev/null
done
name=$one && pod near "$one-control-plane" && pod far "$one-worker"
name=$three && pod near "$plane" && pod far "${plane}3"
for name in "$one" "$three"; do comes_true 60 "pods of $name on two nodes reach each other" reaches near far; done

mapfile -t lab < <(docker ps --format '{{.Names}}' --filter network=lab)
addresses "${lab[@]}" >"$folder/before"
before_kept=$(addresses "$kept-control-plane")
# Those of the user's network stand still until all addresses that they had can be others'. The engine starts those of kind's by itself.
docker update --restart=no "${lab[@]}" >/dev/null
began=$SECONDS
"$root/e2e/engine" restart >/dev/null 2>&1
expect "the engine has started the node on kind's network again" "$(docker inspect -f '{{.State.Running}}' "$kept-control-plane")" true
expect "with the address that it had" "$(addresses "$kept-control-plane")" "$before_kept"

# The engine gives the lowest address that is free. One that it gives to the same node again goes to a stranger.
placeholder() { docker run -d --rm --network lab --entrypoint sleep "$node_image" 1000 >/dev/null; }
mapfile -t backwards < <(sort -r -k 2 -V "$folder/before" | sed -nE "s,^/(${three}[^ ]*) .*,\1,p")
for node in "${backwards[@]}"; do
    docker start "$node" >/dev/null
    if grep -qx "/$node $(address "$node")" "$folder/before"; then
        docker kill "$node" >/dev/null
        placeholder
        docker start "$node" >/dev/null
    fi
done
# Nodes of the other cluster are left for kind to start.
placeholder
placeholder
expect "no control plane of $three has the address that it had" \
    "$(addresses "$plane" "${plane}2" "${plane}3" | grep -cxFf "$folder/before" || true)" 0
both apply
expect_code "kind apply brings 1+1 and 3+0 back ($((SECONDS - began)) s from the fault, apply took $seconds s)" 0
expect "and the node on kind's network ($kept_seconds s)" "$kept_code" 0
expect "no node of the user's network has the address that it had" "$(addresses "${lab[@]}" | grep -cxFf "$folder/before" || true)" 0
expect "all containers are those from before" "$(docker ps --format '{{.Names}}' --filter "label=$node_label" | wc -l)" $((${#lab[@]} + 1))

for name in "$one" "$three"; do
    expect "the ConfigMap of $name is there" "$(context get configmap before -o 'jsonpath={.data.a}')" "$name"
    # shellcheck disable=SC2046  # names of nodes
    expect "the cluster knows its nodes by their addresses" \
        "$(context get nodes -o json | jq -r '.items[].status.addresses[] | select(.type == "InternalIP").address' | sort)" \
        "$(addresses $(context get nodes -o 'jsonpath={.items[*].metadata.name}') | cut -d' ' -f2 | sort)"
    comes_true 90 "pods on two nodes reach each other" reaches near far
    comes_true 30 "and the other way round" reaches far near
done
holds "all nodes of $one are Ready" nodes_ready "$one-control-plane"
holds "all nodes of $three are Ready" nodes_ready "$plane"
expect "certificates of etcd have the address" "$(in_node "${plane}2" openssl x509 -in /etc/kubernetes/pki/etcd/peer.crt -noout -ext subjectAltName | grep -cF "$(address "${plane}2")," || true)" 1
expect "no rules are left" "$(for node in "$plane" "${plane}2" "${plane}3"; do in_node "$node" iptables-save -t nat; done | grep -c KIND-PEERS || true)" 0
both diff
expect_code "afterwards nothing differs" 0
expect "also on kind's network" "$kept_code" 0
