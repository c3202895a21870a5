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
