#!/usr/bin/env bash
# Wrong input: an error with place, cause and next step; exit code 2; nothing is asked of the engine.
. "$(dirname "$0")/session.sh"
engine_start

# refused WHAT PART: the last run is an input error that says PART.
refused() {
    expect "$1: exit code" "$code" 2
    expect_in "$1: message" "$err" "$2"
}

head='apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster'
file=$folder/x.yaml

run apply
refused "no source" "-f"
run apply -f "$folder/none.yaml"
refused "a missing file" "none.yaml"
mkdir "$folder/nothing"
run apply -f "$folder/nothing"
refused "a folder without YAML" "no *.yaml"
printf 'a: [\n}' >"$file"
run apply -f "$file"
refused "broken YAML" "x.yaml:2:1"
printf '%s\nname: a\nnodse: []\n' "$head" >"$file"
run apply -f "$file"
refused "an unknown field" "x.yaml:4:1"
expect_in "an unknown field: suggestion" "$err" "nodes"
printf '%s\nname: a\n---\n%s\nname: a\n' "$head" "$head" >"$file"
run apply -f "$file"
refused "two clusters of one name" "x.yaml:"
printf '%s\nname: Lab\n' "$head" >"$file"
run apply -f "$file"
refused "a name with capitals" "lab"
printf '%s\nname: a\nnetworking: {podSubnet: nonsense, apiServerPort: 99999}\n' "$head" >"$file"
run apply -f "$file"
refused "all errors at once: subnet" "podSubnet"
expect_in "all errors at once: port" "$err" "apiServerPort"
run apply --prnue -f "$file"
refused "an unknown option" "--prune"
expect "nothing was asked of the engine" "$(requests length)" 0

printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: a}\nspec: {registry: local}\n' >"$file"
run apply -f "$file"
expect "what is not supported yet is refused" "$code" 1
expect_in "and named" "$out$err" "not supported yet"
expect "without a change" "$(requests 'map(select(.mutating)) | length')" 0

DOCKER_HOST=unix://$folder/no-engine run apply -f "$file"
expect "an engine that is down" "$code" 1
expect_in "it names the socket" "$err" "$folder/no-engine"
cluster b
sed -i 's/v1.20.2/v9.9.9/' "$folder/b.yaml"
run apply -f "$folder/b.yaml"
expect "a missing image fails" "$((code > 0))" 1
expect_in "it says how to make one" "$err" "make node-image"
