#!/usr/bin/env bash
# A living cluster follows its file: workers come and go while a Deployment keeps answering; labels, taints, manifests and images
# change; a worker is replaced.
# takes 170 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=scale-$$
node=$name-control-plane
named "$name"
mkdir "$folder/lab"
# lab LINE...: the nodes beside the control plane, as lines of YAML.
lab() {
    {
        printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: %s}\nspec:\n' "$name"
        printf '  manifests: [app.yaml]\n  nodes:\n  - {role: control-plane}\n'
        printf '  - %s\n' "$@"
    } >"$folder/lab/lab.yaml"
}
# app LINE...: a Deployment of two, and what else is given.
app() {
    cat >"$folder/lab/app.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: kind.local/busybox:v1
        imagePullPolicy: Never
        command: [sh, -c, "echo hello > /tmp/index.html && exec httpd -f -p 8080 -h /tmp"]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
YAML
    [ $# -eq 0 ] || printf -- '---\n%s\n' "$@" >>"$folder/lab/app.yaml"
}
app "{apiVersion: v1, kind: ConfigMap, metadata: {name: old, namespace: default}, data: {a: b}}"
lab '{role: worker}'
run apply -f "$folder/lab"
expect_code "apply makes one control plane and one worker ($took s)" 0
host_kubectl "$node"
available() { context get deployment web -o 'jsonpath={.status.availableReplicas}'; }
both() { [ "$(available)" = 2 ]; }
comes_true 60 "both replicas are available" both

# Somebody looks all the time: how many replicas are there, and how many of them available? A zero is left out of the status, so
# "2/" says that none was, and an empty line that the API did not answer.
(
    while :; do
        context get deployment web -o 'jsonpath={.status.replicas}/{.status.availableReplicas}'
        echo
        sleep 0.2
    done
) >"$folder/seen" 2>/dev/null &
watcher=$!
children+=("$watcher")
nodes() { context get nodes -o 'jsonpath={.items[*].metadata.name}'; }

lab '{role: worker}' '{role: worker}' '{role: worker}'
began=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")
run diff -f "$folder/lab"
expect_code "diff of two workers more" 1
run apply -f "$folder/lab"
expect_code "two workers are added ($took s)" 0
expect "they are there" "$(nodes)" "$node $name-worker $name-worker2 $name-worker3"
holds "and Ready" nodes_ready "$node"
expect "the others were not touched" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")" "$began"
# The pods move to those that will go: the worst case for what follows.
context cordon "$name-worker" >/dev/null
context rollout restart deployment web >/dev/null
holds "the Deployment is rolled out" timeout 90 "$folder/kubectl" --context "kind-$name" rollout status deployment web
context uncordon "$name-worker" >/dev/null
expect "all replicas are on workers that will go" "$(context get pods -l app=web -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .spec.nodeName' | grep -c "^$name-worker$" || true)" 0

lab '{role: worker}'
run diff -f "$folder/lab"
expect_in "diff says what will be removed" "$out" "$name-worker3"
run apply -f "$folder/lab"
expect_code "two workers are removed ($took s)" 0
expect "their nodes are gone" "$(nodes)" "$node $name-worker"
expect "and their containers" "$(containers_of "$name" | wc -l)" 2
comes_true 30 "both replicas are available again" both
kill "$watcher" 2>/dev/null || true
expect "the Deployment never lost its last replica" "$(grep -cE '^[0-9]*/0?$' "$folder/seen" || true)" 0
holds "somebody looked often" test "$(grep -cE '^[0-9]+/[12]$' "$folder/seen" || true)" -gt 50
run diff -f "$folder/lab"
expect_code "afterwards nothing differs" 0

# Labels, taints and manifests, live.
lab '{role: worker, labels: {tier: web}, taints: ["lab=yes:PreferNoSchedule"]}'
app "{apiVersion: v1, kind: ConfigMap, metadata: {name: new, namespace: default}, data: {a: b}}"
began=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")
run apply -f "$folder/lab"
expect_code "labels, taints and manifests change ($took s)" 0
expect "the label is there" "$(context get node "$name-worker" -o 'jsonpath={.metadata.labels.tier}')" web
expect "the taint is there" "$(context get node "$name-worker" -o 'jsonpath={.spec.taints[?(@.key=="lab")].effect}')" PreferNoSchedule
expect "what the manifests hold now is there, what they held is gone" \
    "$(context get configmap -n default -o 'jsonpath={.items[*].metadata.name}' | tr ' ' '\n' | grep -E '^(old|new)$')" new
lab '{role: worker}'
run apply -f "$folder/lab"
expect "a label that left the file is gone" "$(context get node "$name-worker" -o 'jsonpath={.metadata.labels.tier}{.spec.taints}')" ""
expect "no container was touched" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")" "$began"

# A mount cannot change in a living container.
mkdir "$folder/share"
lab "{role: worker, extraMounts: [{hostPath: $folder/share, containerPath: /share}]}"
run apply -f "$folder/lab"
expect_code "a mount is refused without leave" 1
expect_in "and says what gives it" "$out$err" "--allow replace-nodes"
expect "nothing was done" "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$node" "$name-worker")" "$began"
run apply -f "$folder/lab" --allow replace-nodes
expect_code "with leave the worker is replaced ($took s)" 0
holds "all nodes are Ready" nodes_ready "$node"
expect "it has the mount" "$(docker inspect -f '{{range .Mounts}}{{.Destination}}{{"\n"}}{{end}}' "$name-worker" | grep -cx /share)" 1
comes_true 60 "both replicas are available" both
run diff -f "$folder/lab"
expect_code "afterwards nothing differs" 0
