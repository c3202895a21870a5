#!/usr/bin/env bash
# What was asked for by hand holds on a real cluster: stop, start, suspend, resume; and a protected one is not deleted.
# takes 70 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=intent-$$
node=$name-control-plane
named "$name"
cat >"$folder/lab.yaml" <<YAML
apiVersion: fleet.kind/v1alpha1
kind: Cluster
metadata: {name: $name}
spec: {protect: true}
YAML
run apply -f "$folder/lab.yaml"
expect_code "a cluster that is protected" 0
link() { docker cp "$node:/kind/fleet.digest" - 2>/dev/null | tar -tv | sed 's/.* -> //'; }
status_of() { docker inspect -f '{{.State.Status}}' "$node"; }
expect_in "it says so itself" "$(link)" "+protect"
host_kubectl "$node"
context create configmap kept --from-literal=a=b >/dev/null

began=$SECONDS
run stop "$name" --fleet "$fleet"
expect_code "stop" 0
echo "stopped after $((SECONDS - began)) s"
expect "its container stands still" "$(status_of)" exited
expect_in "and knows why" "$(link)" "+stopped"
run apply -f "$folder/lab.yaml"
expect_code "apply leaves it stopped" 0
expect_in "and says so" "$out" "stopped by hand; \`kind start $name\` ends that"
expect "it stands still" "$(status_of)" exited
began=$SECONDS
run start "$name" --fleet "$fleet"
expect_code "start" 0
echo "Ready again after $((SECONDS - began)) s"
expect_in "it is Ready" "$out" "$name is Ready"
expect "its data is there" "$(context get configmap kept -o 'jsonpath={.data.a}')" b
expect_not_in "the note is gone" "$(link)" "stopped"
run apply -f "$folder/lab.yaml"
expect_in "nothing is left to do" "$out" "Nothing to do: $name is as described."

run suspend "$name" --fleet "$fleet"
expect_code "suspend" 0
docker pause "$node" >/dev/null
run apply -f "$folder/lab.yaml"
expect_code "drift of a suspended cluster" 0
expect "is left alone" "$(status_of)" paused
expect_in "and told" "$out" "not done: start node $node"
docker unpause "$node" >/dev/null
run resume "$name" --fleet "$fleet"
expect_code "resume" 0

run delete cluster --name "$name"
expect_code "delete of a protected cluster" 1
expect_in "says why, and how" "$err" "--protected"
printf '# none\n' >"$folder/lab.yaml"
run apply --prune --allow-empty -f "$folder/lab.yaml"
expect_code "nor is it pruned" 1
expect_in "says why" "$out" "stays: it is protected"
expect "it runs" "$(status_of)" running
run delete cluster --name "$name" --protected
expect_code "with leave it goes" 0
expect "it is gone" "$(container "$node")" ""
