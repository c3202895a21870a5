#!/usr/bin/env bash
# One control plane and two workers: everything that more than one node brings with it.
# takes 90 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=workers-$$
node=$name-control-plane
mkdir -p "$folder/share"
echo 'from the host' >"$folder/share/file"
port=$(free_port)
cluster "$name" "nodes:" \
    "- role: control-plane" \
    "- role: worker" \
    "  labels: {tier: web, fleet.kind/e2e: \"yes\"}" \
    "  extraPortMappings: [{containerPort: 30080, hostPort: $port, listenAddress: 127.0.0.1}]" \
    "  extraMounts: [{hostPath: $folder/share, containerPath: /share, readOnly: true}]" \
    "- role: worker" \
    "  labels: {tier: db}"

run apply -f "$folder/$name.yaml"
expect_code "apply makes a cluster of three nodes ($took s)" 0
expect_in "it says Ready" "$err" "$name: Ready, 3 nodes"
holds "all nodes are Ready when it returns" nodes_ready "$node"
host_kubectl "$node"
expect "all three have joined" "$(context get nodes -o 'jsonpath={.items[*].metadata.name}')" "$node $name-worker $name-worker2"
expect "a worker has the labels of the file" "$(context get nodes -l tier=web,fleet.kind/e2e=yes -o name)" "node/$name-worker"
expect "and those that every node has" "$(context get node "$name-worker2" -o 'jsonpath={.metadata.labels.kubernetes\.io/hostname} {.metadata.labels.kubernetes\.io/os}')" \
    "$name-worker2 linux"
expect "upstream's provider id" "$(context get node "$name-worker" -o 'jsonpath={.spec.providerID}')" "kind://docker/$name/$name-worker"
expect "with workers beside it the control plane keeps its taint" \
    "$(context get node "$node" -o 'jsonpath={.spec.taints[*].effect}')" NoSchedule
expect "workers have none" "$(context get node "$name-worker" "$name-worker2" -o 'jsonpath={.items[*].spec.taints}')" ""
expect "each has a pod network of its own" \
    "$(context get nodes -o 'jsonpath={.items[*].spec.podCIDR}' | tr ' ' '\n' | sort -u | wc -l)" 3
expect "no bootstrap token is left" "$(context get secrets -n kube-system --field-selector type=bootstrap.kubernetes.io/token -o name)" ""
# shellcheck disable=SC2016  # the node's shell
expect "nobody joined without looking at the CA" "$(in_node "$name-worker" sh -c 'grep -c "caCertHashes" /kind/kubeadm.conf; grep -c unsafeSkip /kind/kubeadm.conf')" $'1\n0'

# Pods on each node, a service before them, a claim on a worker.
context apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
YAML
# pod NAME SELECTOR COMMAND [VOLUMES]
#
# With some grace, so that a deleted pod is gone only when kubelet has ended it. Without any the API forgets it at once, and kubelet takes
# two seconds more: an exec in another pod of its name may meet the old one's container as it dies.
pod() {
    context apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $1}}
spec:
  terminationGracePeriodSeconds: 1
  nodeSelector: {$2}
  tolerations: [{operator: Exists}]
  volumes: [${4:-}]
  containers:
  - name: main
    image: kind.local/busybox:v1
    imagePullPolicy: Never
    command: [sh, -c, "$3"]
    volumeMounts: [${4:+{name: data, mountPath: /data\}}]
YAML
}
claim="{name: data, persistentVolumeClaim: {claimName: data}}"
pod web "tier: web" "echo hello from web > /tmp/index.html && exec httpd -f -p 8080 -h /tmp"
pod db "tier: db" "exec sleep 3600" "$claim"
pod top "kubernetes.io/hostname: $node" "exec sleep 3600"
for one in web db top; do
    comes_true 60 "pod $one runs on its node" pod_runs "$one"
done
address=$(context get pod web -o 'jsonpath={.status.podIP}')
for one in db top; do
    comes_true 20 "pod $one reaches a pod on another node by address" fetches "$one" "http://$address:8080/" "hello from web"
    comes_true 20 "pod $one reaches it by the name of its service" fetches "$one" http://web/ "hello from web"
done
comes_true 20 "the mapped port of a worker answers on the host" answers "http://127.0.0.1:$port/" "hello from web"

holds "a pod can write to its claim" context exec db -- sh -c 'echo kept > /data/file'
expect "the claim is bound" "$(context get pvc data -o 'jsonpath={.status.phase}')" Bound
context delete pod db >/dev/null
pod db "tier: db" "exec sleep 3600" "$claim"
comes_true 60 "another pod with the claim runs" pod_runs db
says "the data has survived its pod" kept context exec db -- cat /data/file

expect "an extra mount shows the host's file" "$(in_node "$name-worker" cat /share/file)" "from the host"
expect "read-only" "$(in_node "$name-worker" sh -c 'echo x >/share/file' 2>&1 | grep -c 'Read-only')" 1

# Nothing to do, in few requests.
run apply -f "$folder/$name.yaml"
expect_in "a second apply has nothing to do" "$out$err" "Nothing to do"
run status "$name" -o json
expect "status counts three nodes" "$(jq -r '.clusters[0] | "\(.synced) \(.ready) \(.nodes | length)"' "$folder/out")" "yes yes 3"

# A worker that somebody removed comes again, and only that one.
others=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")
docker rm -fv "$name-worker2" >/dev/null
run diff -f "$folder/$name.yaml"
expect_code "diff sees that a worker is gone" 1
expect_in "and names it" "$out" "$name-worker2"
run apply -f "$folder/$name.yaml"
expect_code "apply makes it again ($took s)" 0
holds "all nodes are Ready" nodes_ready "$node"
expect "the others were not touched" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")" "$others"
comes_true 20 "the port still answers" answers "http://127.0.0.1:$port/" "hello from web"
run diff -f "$folder/$name.yaml"
expect_code "afterwards nothing differs" 0
expect "still no bootstrap token is left" "$(context get secrets -n kube-system --field-selector type=bootstrap.kubernetes.io/token -o name)" ""
