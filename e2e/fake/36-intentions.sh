#!/usr/bin/env bash
# stop, start, suspend, resume: what was asked for by hand holds, whatever the sources say.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
cat >"$folder/ci.yaml" <<'YAML'
apiVersion: fleet.kind/v1alpha1
kind: Cluster
metadata: {name: ci}
spec: {nodes: [{role: control-plane}, {role: worker}]}
YAML
run apply -f "$folder/ci.yaml"
expect "a cluster of two nodes" "$code" 0

mutating() {
    requests 'map(select(.mutating)) | length'
}

fake POST /_fake/reset-log >/dev/null
run stop ci
expect "stop" "$code" 0
expect "it says so" "$out" "ci is stopped"
expect "the note comes first, then the worker, then the control plane" \
    "$(requests '[.[] | select(.mutating) | .path | capture("/(?<what>archive|stop)").what] | join(" ")')" "archive stop stop"
run stop ci
expect "stop again" "$code" 0
fake POST /_fake/reset-log >/dev/null
run apply -f "$folder/ci.yaml"
expect "apply leaves it stopped" "$code" 0
expect_in "and says so" "$out" "stopped by hand; \`kind start ci\` ends that"
expect_in "in sum" "$out" "1 cluster left alone."
run diff -f "$folder/ci.yaml"
expect "that is no difference" "$code" 0
expect_in "diff tells it" "$out" "held"
expect "nothing was changed" "$(mutating)" 0
run status ci
expect_in "status tells it" "$out" "stopped by hand; \`kind start ci\` ends that"
expect "READY is not unknown then, but stopped" "$(awk '$1 == "ci" { print $3 }' <<<"$out")" stopped
run status ci -o json
expect "which is not ready" "$(jq -r '.clusters[0].ready' <<<"$out")" no
expect "for machines, too" "$(jq -r '.clusters[0].stopped' <<<"$out")" true
run start ci
expect "start" "$code" 0
expect "it says so" "$out" "ci is Ready"
run apply -f "$folder/ci.yaml"
expect_in "all is as described" "$out" "Nothing to do: ci is as described."

fake POST /containers/ci-worker/stop >/dev/null
run apply -f "$folder/ci.yaml"
expect_in "what somebody else stopped is drift, and started" "$out" "ci is Ready."

run suspend ci
expect "suspend" "$out" "ci is suspended"
fake POST /containers/ci-worker/stop >/dev/null
fake POST /_fake/reset-log >/dev/null
run apply -f "$folder/ci.yaml"
expect "a suspended cluster is left alone" "$code" 0
expect_in "what waits is told" "$out" "suspended by hand; \`kind resume ci\` ends that; not done: start node ci-worker"
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: another}\nspec: {suspend: true}\n' >"$folder/another.yaml"
run apply --prune -f "$folder/another.yaml"
expect "it is not pruned" "$code" 1
expect_in "and that is said" "$out" "stays: it is suspended by hand; \`kind resume\` ends that"
expect_in "one that its source suspends is not made" "$out" "suspended by its source; not done: network kind"
expect "nothing was changed" "$(mutating)" 0
run status ci
expect_in "status tells it" "$out" "suspended by hand"
run resume ci
expect "resume" "$out" "ci is resumed"
run apply -f "$folder/ci.yaml"
expect_in "then it is mended" "$out" "ci is Ready."

run stop nothere
expect "stop of a cluster that is not there" "$code" 1
expect_in "it names it" "$err" "there is no cluster 'nothere'"
run suspend ci --fleet other
expect "suspend of another fleet's" "$code" 1
expect_in "it is left alone" "$err" "cluster 'ci' is not of fleet 'other'"
run stop
expect "stop of nothing" "$code" 2
