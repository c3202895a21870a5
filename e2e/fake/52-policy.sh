#!/usr/bin/env bash
# What a policy does not allow is refused, cluster by cluster: nothing of it is made, changed or deleted, and the others go on.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
lab=$folder/lab policy=$folder/policy.yaml
mkdir "$lab" "$folder/srv" "$folder/srv/data"

# fleet_cluster NAME SPEC: of the fleet's own format.
fleet_cluster() {
    printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2" >"$lab/$1.yaml"
}

# policy SPEC
policy() {
    printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: %s\n' "$1" >"$policy"
}

# about CLUSTER: how many changes were asked of the engine that name it, since the log was emptied.
about() {
    requests "map(select(.mutating and (.path | contains(\"$1\")))) | length"
}

mount() {
    echo "{nodes: [{role: control-plane, extraMounts: [{hostPath: $1, containerPath: /data}]}]}"
}

fleet_cluster bad "$(mount /)"
fleet_cluster good "$(mount "$folder/srv/data")"
policy "{hostPaths: [{path: $folder/srv}]}"

run diff -f "$lab" --policy "$policy"
expect "diff: exit code" "$code" 1
expect_in "diff: the rule and the place" "$out" "mounts / of the host ($lab/bad.yaml:4:52); refused by hostPaths of $policy; it allows $folder/srv"
expect_in "diff: the advice keeps the policy" "$out" "--policy $policy"
run diff -f "$lab" --policy "$policy" -o json
expect "diff as JSON: what is refused" "$(jq -r '.clusters[] | select(.cluster == "bad") | .plan.refused[0].subject' <<<"$out")" bad-control-plane
expect "diff as JSON: nothing is planned beside it" "$(jq -r '.clusters[] | select(.cluster == "bad") | .plan.actions | length' <<<"$out")" 0

run apply -f "$lab" --policy "$policy"
expect "apply: exit code" "$code" 1
expect_in "apply: in words" "$out$err" "refused by hostPaths"
expect "the other cluster is made" "$(fake GET '/containers/json?all=1' | jq -r '.[].Labels["io.x-k8s.kind.cluster"]')" good
expect "and nothing of the refused one" "$(about bad)" 0
not_zero=$(about good)
expect "though the log tells of it" "$((not_zero > 0))" 1

# One that is there already is left as it is, whatever becomes of its file.
run apply -f "$lab"
expect "without a policy one's own files may ask for anything" "$code" 0
for spec in "$(mount /)" '{nodes: [{role: control-plane, image: evil/node:v1}]}' \
    '{expiresAt: "2000-01-01T00:00:00Z", nodes: [{role: control-plane, extraMounts: [{hostPath: /etc, containerPath: /x}]}]}' \
    '{nodes: [{role: control-plane, extraPortMappings: [{containerPort: 80, hostPort: 8080}]}]}'; do
    fleet_cluster bad "$spec"
    fake POST /_fake/reset-log >/dev/null
    run apply -f "$lab" --policy "$policy" --prune --allow delete,recreate,replace-nodes
    expect "a cluster that is there: exit code with $spec" "$code" 1
    expect_in "a cluster that is there: refused in words" "$out$err" "refused by"
    expect "a cluster that is there: nothing is asked for" "$(requests 'map(select(.mutating)) | length')" 0
done

# Links: where they lead counts.
ln -s /etc "$folder/srv/link"
fleet_cluster bad "$(mount "$folder/srv/link/ssl")"
run diff -f "$lab" --policy "$policy"
expect_in "a link out of what is allowed" "$out" "which is /etc/ssl"
fleet_cluster bad "$(mount "$folder/srv/../secret")"
run diff -f "$lab" --policy "$policy"
expect_in "up and out of what is allowed" "$out" "mounts $folder/secret of the host"

# The Fleet's own policy refuses more, and cannot allow more.
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Fleet\nspec: {policy: {base: permissive, clusterNames: [good]}}\n' >"$lab/fleet.yaml"
fleet_cluster bad '{}'
run diff -f "$lab"
expect_in "the Fleet's policy" "$out" "the name is bad ($lab/bad.yaml:1:1); refused by clusterNames of the Fleet's policy"
fleet_cluster good "$(mount /)"
run diff -f "$lab" --policy "$policy"
expect_in "is no leave from the host's" "$out" "refused by hostPaths of $policy"
rm "$lab/fleet.yaml"

# A policy that cannot be had ends the run before anything is asked.
fake POST /_fake/reset-log >/dev/null
run apply -f "$lab" --policy "$folder/none.yaml"
expect "no such policy: exit code" "$code" 2
expect_in "no such policy" "$err" "none.yaml: No such file"
policy '{hostPath: [/]}'
run apply -f "$lab" --policy "$policy"
expect "a wrong policy: exit code" "$code" 2
expect_in "a wrong policy: its place" "$err" "policy.yaml:3:8: error: spec: unknown field"
cp "$policy" "$lab/policy.yaml"
run apply -f "$lab"
expect "a policy among the sources: exit code" "$code" 2
expect_in "a policy among the sources" "$err" "is not taken from a source"
expect "nothing was asked of the engine" "$(requests length)" 0
