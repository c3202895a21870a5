#!/usr/bin/env bash
# Kubernetes is upgraded by image: the lone control plane with its data, then the worker. What is not possible is refused, and says why.
# takes 220 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=upgrade-$$
node=$name-control-plane
old=kind.local/node:v1.20.2 new=kind.local/node-relabelled:v1.20.3
named "$name"
docker image inspect "$new" >/dev/null 2>&1 || stop_here "the engine has no $new; run images/build tests"

# all_of IMAGE: a control plane and a worker.
all_of() {
    cluster "$name" "nodes:" "- {role: control-plane, image: '$1'}" "- {role: worker, image: '$1'}"
}
versions() { context get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'; }
containers() { docker ps -a --filter "label=$node_label=$name" --format '{{.Names}}={{.Image}}' | sort | tr '\n' ' '; }
pod_answers() { context exec kept -- cat /data/kept | grep -qx kept; }

all_of "$old"
run apply -f "$folder/$name.yaml"
expect_code "a cluster of v1.20.2" 0
host_kubectl "$node"
context create configmap kept --from-literal=key=value >/dev/null
# A volume of the control plane's node is data, too.
context apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: kept}
spec:
  nodeSelector: {kubernetes.io/hostname: $node}
  tolerations: [{operator: Exists}]
  terminationGracePeriodSeconds: 1
  containers:
  - name: kept
    image: kind.local/busybox:v1
    imagePullPolicy: Never
    command: [sh, -c, "test -e /data/kept || echo kept > /data/kept; exec sleep 100000"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: kept}}]
YAML
comes_true 60 "a pod with a volume on the control plane runs" pod_answers
server=$(grep server: "$KUBECONFIG")
id=$(context get namespace kube-system -o 'jsonpath={.metadata.uid}')

all_of "$new"
run apply -f "$folder/$name.yaml"
expect_in "without leave it is refused" "$out$err" "needs --allow replace-nodes"
run diff --allow replace-nodes -f "$folder/$name.yaml"
expect_in "the plan says what it costs" "$out" "image $old -> $new; the API is away meanwhile, its data stays"
run apply --allow replace-nodes -f "$folder/$name.yaml"
expect_code "an upgrade by image ends well, in $took s" 0
expect "the nodes say the new version" "$(versions)" "v1.20.3 v1.20.3"
expect "all is of the new image, and nothing else is left" "$(containers)" "$node=$new $name-worker=$new "
expect "it is the same cluster" "$(context get namespace kube-system -o 'jsonpath={.metadata.uid}')" "$id"
expect "what was written before is there" "$(context get configmap kept -o 'jsonpath={.data.key}')" value
expect_in "the API server is of the new version" "$(context version -o json | jq -r .serverVersion.gitVersion)" v1.20.3
expect_in "kubeadm knows it" "$(context -n kube-system get configmap kubeadm-config -o yaml)" "kubernetesVersion: v1.20.3"
expect "the kubeconfig leads to the same place" "$(grep server: "$KUBECONFIG")" "$server"
comes_true 90 "the pod has its volume again" pod_answers
comes_true 90 "all pods run and are ready" all_pods_run
run diff -f "$folder/$name.yaml"
expect_code "nothing is to do" 0

all_of "$old"
run diff --allow replace-nodes -f "$folder/$name.yaml"
expect_in "a downgrade is refused, and says why" "$out" "v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support"
run apply --allow replace-nodes -f "$folder/$name.yaml"
expect "and changes nothing" "$(containers)" "$node=$new $name-worker=$new "
