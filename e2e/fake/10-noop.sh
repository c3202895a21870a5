#!/usr/bin/env bash
# Apply makes a cluster; a second apply looks, changes nothing, and says so.
. "$(dirname "$0")/session.sh"
engine_start
cluster a
run diff -f "$folder/a.yaml"
expect "diff of a new cluster exits 1" "$code" 1
run apply -f "$folder/a.yaml"
expect "apply makes the cluster" "$code" 0
expect "its kubeconfig has one context" "$(grep -c '^- context' "$KUBECONFIG")" 1
expect "the current context is not set" "$(grep -c '^current-context: kind' "$KUBECONFIG" || true)" 0
expect "the kubeconfig is private" "$(stat -c %a "$KUBECONFIG")" 600

fake POST /_fake/reset-log >/dev/null
before=$(md5sum <"$KUBECONFIG")
run apply -f "$folder/a.yaml"
expect "a second apply ends well" "$code" 0
expect_in "a second apply says that there is nothing to do" "$out" "Nothing to do"
expect "it changes nothing" "$(requests 'map(select(.mutating)) | length')" 0
engine_requests=$(requests 'map(select(.where == "engine")) | length')
expect "it makes 3 engine requests" "$engine_requests" 3
expect "the kubeconfig is as before" "$(md5sum <"$KUBECONFIG")" "$before"

fake POST /_fake/reset-log >/dev/null
run diff -f "$folder/a.yaml"
expect "diff exits 0" "$code" 0
expect "diff changes nothing" "$(requests 'map(select(.mutating)) | length')" 0

run get clusters
expect "get clusters names it" "$out" a
run get nodes --name a
expect "get nodes names its node" "$out" a-control-plane
run get kubeconfig --name a
expect_in "get kubeconfig prints it" "$out" "server: https://127.0.0.1:"
run get kubeconfig --name a --internal
expect_in "get kubeconfig --internal names the endpoint" "$out" ":6443"
run status -o json
expect "status says Ready" "$(echo "$out" | jq -r '.clusters[0].ready')" yes
