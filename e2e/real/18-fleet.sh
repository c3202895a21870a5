#!/usr/bin/env bash
# fleet.kind objects and patches: version, defaults, limits, taints, images, manifests; and upstream's patches beside them.
# takes 80 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=fleet-$$
node=$name-control-plane
named "$name"
version=${node_image#*:}
mkdir "$folder/lab"
cat >"$folder/lab/app.yaml" <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {colour: blue}
YAML
cat >"$folder/lab/fleet.yaml" <<YAML
apiVersion: fleet.kind/v1alpha1
kind: Fleet
spec:
  images: {$version: "$node_image"}
  defaults: {networking: {podSubnet: 10.50.0.0/16}}
---
apiVersion: fleet.kind/v1alpha1
kind: Cluster
metadata: {name: $name}
spec:
  version: ${version%.*}
  manifests: [app.yaml]
  preload: ["kind.local/haproxy:2.6"]
  kubeadmConfigPatches:
  - |
    kind: ClusterConfiguration
    apiServer: {extraArgs: {event-ttl: 30m0s}}
  - |
    kind: Misspelt
  containerdConfigPatches:
  - |
    [plugins."io.containerd.grpc.v1.cri".registry.mirrors."lab:5000"]
      endpoint = ["http://lab:5000"]
  nodes:
  - role: control-plane
  - role: worker
    name: small
    resources: {memory: 1536Mi, cpus: 0.5}
    taints: ["dedicated=db:NoSchedule"]
    kubeadmConfigPatches:
    - |
      kind: JoinConfiguration
      nodeRegistration: {kubeletExtraArgs: {node-labels: "special=yes"}}
YAML
run apply -f "$folder/lab"
expect_code "apply makes what a folder of fleet objects says ($took s)" 0
expect_in "a patch that matches nothing is told" "$err" "kubeadmConfigPatches[1] has no effect"
holds "all nodes are Ready when it returns" nodes_ready "$node"
host_kubectl "$node"
small=$name-small
of_small() { context get node "$small" -o "jsonpath={$1}"; }
expect "the node is called by its key" "$(context get nodes -o 'jsonpath={.items[*].metadata.name}')" "$node $small"
expect "the version chose the image" "$(docker inspect -f '{{.Config.Image}}' "$small")" "$node_image"
expect "the defaults gave the pod network" "$(of_small .spec.podCIDR)" 10.50.1.0/24
expect "its container is limited" "$(docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' "$small")" "1610612736 500000000"
expect "its kubelet knows" "$(of_small .status.allocatable.memory) $(of_small .status.allocatable.cpu)" "1536Mi 500m"
expect "it has its taint" "$(of_small '.spec.taints[?(@.key=="dedicated")].effect')" NoSchedule
expect "and the label of its patch" "$(of_small .metadata.labels.special)" yes
expect "the manifest beside the file is applied" "$(context get configmap -n shop settings -o 'jsonpath={.data.colour}')" blue
for one in "$node" "$small"; do
    expect "the image is preloaded on $one" "$(in_node "$one" ctr -n k8s.io images list -q | grep -c 'kind.local/haproxy:2.6')" 1
    expect "containerd is patched on $one" "$(in_node "$one" sh -c 'containerd config dump | grep -c "http://lab:5000"')" 1
done
expect "kubeadm's patch is in force" "$(in_node "$node" grep -c -- --event-ttl=30m0s /etc/kubernetes/manifests/kube-apiserver.yaml)" 1
run apply -f "$folder/lab"
expect_in "a second apply has nothing to do" "$out$err" "Nothing to do"
