#!/usr/bin/env bash
# Containers that carry a cluster's name, but not our label, are never touched.
. "$(dirname "$0")/session.sh"
engine_start
cluster a

create() { # NAME LABELS-JSON
    curl -sS --unix-socket "$folder/engine" -H 'Content-Type: application/json' \
        -d "{\"Image\":\"kind.local/node:v1.20.2\",\"Labels\":$2}" \
        "http://fake/v1.41/containers/create?name=$1" >/dev/null
}

untouched() { # WHAT ID-BEFORE
    expect "$1: nothing was changed" "$(requests 'map(select(.mutating and .status < 400)) | map(.path) | join(" ")' |
        tr ' ' '\n' | grep -c "containers/" || true)" 0
    expect "$1: the container is still there" \
        "$(curl -sS --unix-socket "$folder/engine" http://fake/v1.41/containers/a-control-plane/json | jq -r .Id)" "$2"
}

id_of() {
    curl -sS --unix-socket "$folder/engine" http://fake/v1.41/containers/a-control-plane/json | jq -r .Id
}

create a-control-plane '{}'
id=$(id_of)
fake POST /_fake/reset-log >/dev/null
run apply -f "$folder/a.yaml"
expect "a taken name is an error" "$((code > 0))" 1
expect_in "it says whose it is not" "$err" "a-control-plane"
untouched "a container of that name" "$id"
curl -sS --unix-socket "$folder/engine" -X DELETE "http://fake/v1.41/containers/$id?force=1" >/dev/null

create a-control-plane '{"io.x-k8s.kind.cluster":"a","io.x-k8s.kind.role":"control-plane"}'
id=$(id_of)
fake POST /_fake/reset-log >/dev/null
run apply -f "$folder/a.yaml"
expect "a cluster of another tool is an error" "$((code > 0))" 1
expect_in "it says so" "$out$err" "left alone"
untouched "a cluster of another tool" "$id"
curl -sS --unix-socket "$folder/engine" -X DELETE "http://fake/v1.41/containers/$id?force=1" >/dev/null

create a-control-plane '{"io.x-k8s.kind.cluster":"a","io.x-k8s.kind.role":"control-plane","fleet.kind/owner":"other"}'
id=$(id_of)
fake POST /_fake/reset-log >/dev/null
run apply -f "$folder/a.yaml"
expect "a cluster of another fleet is an error" "$((code > 0))" 1
untouched "a cluster of another fleet" "$id"

# A cluster that another tool made is adopted when somebody asks for it, by one fleet.
curl -sS --unix-socket "$folder/engine" -X DELETE "http://fake/v1.41/containers/$id?force=1" >/dev/null
printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: a\nnodes:\n- {role: control-plane, image: "kind.local/node:v1.20.2"}\n- {role: worker, image: "kind.local/node:v1.20.2"}\n' >"$folder/a.yaml"
run apply -f "$folder/a.yaml"
expect "a cluster of our own" "$code" 0
for node in a-control-plane a-worker; do fake POST "/_fake/disown?container=$node"; done
fake POST /_fake/reset-log >/dev/null
run diff -f "$folder/a.yaml"
expect_in "is another tool's now, and diff says how to adopt it" "$out$err" "adopt it with --adopt"
run diff -f "$folder/a.yaml" --adopt
expect "diff --adopt sees a change" "$code" 1
expect_in "and what it is" "$out" "is this fleet's from now on"
expect_in "and how to do it" "$out" "--adopt"
expect "and does nothing" "$(requests 'map(select(.mutating)) | length')" 0
run apply -f "$folder/a.yaml" --prune --allow delete --allow recreate
expect "apply without that word leaves it alone" "$((code > 0))/$(requests 'map(select(.mutating)) | length')" 1/0
run apply -f "$folder/a.yaml" --adopt
expect "apply --adopt takes it over" "$code" 0
expect "by one file" "$(requests 'map(select(.mutating and .where == "engine")) | map(.method) | join(" ")')" PUT
run apply -f "$folder/a.yaml"
expect_in "then it is like any other" "$out$err" "Nothing to do"
run status
expect_in "status tells whose it is" "$out" "a "
run apply -f "$folder/a.yaml" --adopt --fleet other
expect_in "another fleet does not get it" "$out$err" "made by fleet 'default'"
mkdir -p "$folder/empty"
run apply -f "$folder/empty" --allow-empty --prune --fleet other
expect "nor does that fleet prune it" "$(fake GET /_fake/state | jq '.containers | length')" 2
run apply -f "$folder/empty" --allow-empty --prune
expect "its own does" "$(fake GET /_fake/state | jq '.containers | length')" 0
