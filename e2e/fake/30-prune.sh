#!/usr/bin/env bash
# What left the sources goes with --prune only, by the rails, and nothing foreign ever goes.
. "$(dirname "$0")/session.sh"
engine_start
mkdir "$folder/lab"
for name in a b; do cluster $name "$folder/lab/$name.yaml"; done
run apply -f "$folder/lab"
expect "two clusters at once" "$code" 0
fake POST '/_fake/populate?clusters=1&nodes=1' >/dev/null
foreign=$("$kind" get clusters | grep -v '^[ab]$')
expect "a cluster of another tool is there" "$(wc -w <<<"$foreign")" 1

rm "$folder/lab/b.yaml"
run apply -f "$folder/lab"
expect_in "without --prune it stays, and that is said" "$out$err" "b"
expect "b is still there" "$("$kind" get clusters | grep -c '^b$')" 1

fake POST /_fake/reset-log >/dev/null
run diff --prune -f "$folder/lab"
expect "diff --prune exits 1" "$code" 1
expect "diff --prune changes nothing" "$(requests 'map(select(.mutating)) | length')" 0

run apply --prune -f "$folder/lab"
expect "apply --prune ends well" "$code" 0
expect "b is gone, the others stay" "$("$kind" get clusters | tr '\n' ' ')" "$(printf '%s\n' a "$foreign" | sort | tr '\n' ' ')"
expect "its kubeconfig entry is gone" "$(grep -c 'kind-b' "$KUBECONFIG" || true)" 0
expect "no volume is left of it" "$(fake GET /_fake/state | jq '.volumes | length')" \
    "$(fake GET /_fake/state | jq '.containers | length')"

mkdir "$folder/empty"
run apply --prune -f "$folder/empty"
expect "an empty folder is refused" "$code" 2
printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nnaem: x\n' >"$folder/lab/broken.yaml"
run apply --prune -f "$folder/lab"
expect "a broken file among good ones is refused" "$code" 2
expect_in "the error has file, line and a suggestion" "$err" "broken.yaml:3:"
rm "$folder/lab/broken.yaml"
expect "a is still there" "$("$kind" get clusters | grep -c '^a$')" 1

run delete cluster --name a
expect "delete cluster ends well" "$code" 0
run delete cluster --name a
expect "delete cluster again, too" "$code" 0
expect "no entry is left" "$(grep -c 'kind-a' "$KUBECONFIG" || true)" 0
