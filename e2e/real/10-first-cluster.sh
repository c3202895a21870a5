#!/usr/bin/env bash
# The first cluster: apply makes it, people can use it, and a second apply has nothing to do.
# takes 60 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=first-$$
node=$name-control-plane
cluster "$name"
# A kubeconfig that somebody already uses: its current context must stay.
install -m 0600 /dev/null "$KUBECONFIG"
cat >"$KUBECONFIG" <<'YAML'
apiVersion: v1
kind: Config
current-context: work
clusters: [{name: work, cluster: {server: "https://work.example:6443"}}]
users: [{name: me, user: {token: secret}}]
contexts: [{name: work, context: {cluster: work, user: me}}]
YAML

run diff -f "$folder/$name.yaml"
expect_code "diff before says that there are changes" 1
run apply -f "$folder/$name.yaml"
expect_code "apply makes the cluster ($took s)" 0
expect_in "it says Ready" "$err" "$name: Ready, 1 node"
holds "all nodes are Ready when it returns" nodes_ready "$node"

# What people ask next.
run get clusters
expect_in "get clusters names it" $'\n'"$out"$'\n' $'\n'"$name"$'\n'
run get nodes --name "$name"
expect "get nodes names its node" "$out" "$node"
run get kubeconfig --name "$name"
expect_code "get kubeconfig prints one" 0
printf '%s\n' "$out" >"$folder/alone.yaml"
run status "$name" -o json
expect "status says synced" "$(jq -r '.clusters[0].synced' "$folder/out")" yes
expect "status says ready" "$(jq -r '.clusters[0].ready' "$folder/out")" yes

# The kubeconfig: private, merged, current context as it was.
expect "the kubeconfig is private" "$(stat -c %a "$KUBECONFIG")" 600
docker cp -q -L "$node:/usr/bin/kubectl" "$folder/kubectl" 2>/dev/null || docker cp -L "$node:/usr/bin/kubectl" "$folder/kubectl" >/dev/null
here() { "$folder/kubectl" --request-timeout=10s "$@"; }
expect "the current context is untouched" "$(here config current-context)" work
expect "the other entries are kept" "$(here config view -o 'jsonpath={.clusters[?(@.name=="work")].cluster.server}')" https://work.example:6443
expect "kubectl on the host sees the node Ready" \
    "$(here --context "kind-$name" get nodes -o 'jsonpath={.items[*].metadata.name} {.items[*].status.conditions[?(@.type=="Ready")].status}')" "$node True"
expect "kubectl with the printed kubeconfig, too" "$(here --kubeconfig "$folder/alone.yaml" --context "kind-$name" get nodes -o name)" "node/$node"

# curl with what is in the kubeconfig: certificate, key, authority, address.
entry() { here config view --raw -o "jsonpath={$1}"; }
entry ".clusters[?(@.name==\"kind-$name\")].cluster.certificate-authority-data" | base64 -d >"$folder/ca.crt"
entry ".users[?(@.name==\"kind-$name\")].user.client-certificate-data" | base64 -d >"$folder/client.crt"
entry ".users[?(@.name==\"kind-$name\")].user.client-key-data" | base64 -d >"$folder/client.key"
server=$(entry ".clusters[?(@.name==\"kind-$name\")].cluster.server")
expect "curl with the kubeconfig's certificate lists the node" "$(curl -sS -m 10 --cacert "$folder/ca.crt" --cert "$folder/client.crt" \
    --key "$folder/client.key" "$server/api/v1/nodes" | jq -r '.items[].metadata.name')" "$node"

# Pods: they run, reach each other by address and by name, the API by name, and a volume.
here --context "kind-$name" apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: standard, resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: kind.local/busybox:v1
    imagePullPolicy: Never
    command: [sh, -c, "echo hello from web > /tmp/index.html && exec httpd -f -p 8080 -h /tmp"]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
  containers:
  - name: client
    image: kind.local/busybox:v1
    imagePullPolicy: Never
    command: [sleep, "3600"]
    volumeMounts: [{name: data, mountPath: /data}]
YAML
context() { here --context "kind-$name" "$@"; }
pod_runs() { [ "$(context get pod "$1" -o 'jsonpath={.status.phase}')" = Running ]; }
claim_bound() { [ "$(context get pvc data -o 'jsonpath={.status.phase}')" = Bound ]; }
comes_true 60 "a claim of class standard is bound" claim_bound
comes_true 60 "a pod of an image in the node runs" pod_runs web
comes_true 60 "a pod with the claim runs" pod_runs client
holds "it can write to the volume" context exec client -- sh -c 'echo kept > /data/file && grep -q kept /data/file'
address=$(context get pod web -o 'jsonpath={.status.podIP}')
# Not wget's own -T: Debian's busybox dies of it.
fetches() { [[ $(context exec client -- timeout 3 wget -qO- "$1") == "$2" ]]; }
comes_true 20 "a pod reaches another by address" fetches "http://$address:8080/" "hello from web"
comes_true 20 "a pod reaches another by the name of its service" fetches http://web/ "hello from web"
comes_true 20 "also by the full name" fetches http://web.default.svc.cluster.local/ "hello from web"
comes_true 20 "a pod reaches the API by its name" fetches https://kubernetes.default/healthz ok
# The rest goes to the node's own resolver, which knows the containers of its network.
comes_true 20 "cluster DNS forwards other names" context exec client -- nslookup "$node."

# Nothing to do: nothing done.
state() {
    containers_of "$name"
    docker inspect -f '{{.State.StartedAt}} {{.RestartCount}}' "$node"
    docker cp "$node:/kind/fleet.json" - | tar -tvf - --full-time
    stat -c '%i %y' "$KUBECONFIG"
}
before=$(state)
since=$(date +%s.%N)
run apply -f "$folder/$name.yaml"
until=$(date +%s.%N)
expect_code "a second apply ends well" 0
expect_in "it says so" "$out$err" "Nothing to do"
# archive-path is a file that was read: the record.
expect "the engine saw no change of the cluster" "$(docker events --since "$since" --until "$until" --filter "label=$node_label=$name" \
    --format '{{.Action}}' | grep -vx archive-path || true)" ""
expect "container, record and kubeconfig are the same" "$(state)" "$before"
run diff -f "$folder/$name.yaml"
expect_code "diff afterwards finds no change" 0
expect "the current context is still untouched" "$(here config current-context)" work
