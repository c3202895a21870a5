#!/usr/bin/env bash
# dependsOn: what others build upon comes first, and where it does not come the others are not begun.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
fleet_cluster() {
    printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: %s}\nspec: %s\n---\n' "$1" "$2"
}
{
    fleet_cluster app '{dependsOn: [web, db]}'
    fleet_cluster db '{}'
    fleet_cluster web '{dependsOn: [db]}'
} >"$folder/lab.yaml"
run diff -f "$folder/lab.yaml"
expect "diff waits for nobody" "$code" 1
expect "and tells who is waited for" "$(grep -c 'is waited for until it is Ready' <<<"$out")" 3
run apply -f "$folder/lab.yaml"
expect "three clusters, one after the other" "$code" 0
expect_in "who waits says so" "$err" "waits until db is Ready"
expect "in their order" \
    "$(requests '[.[] | select(.method == "POST" and (.path | test("/containers/create"))) | .path | capture("name=(?<n>[a-z]*)").n] | join(" ")')" "db web app"
fake POST /_fake/reset-log >/dev/null
run apply -f "$folder/lab.yaml"
expect_in "one that is Ready costs nothing" "$out" "Nothing to do: 3 clusters are as described."
expect "nothing was changed" "$(requests 'map(select(.mutating)) | length')" 0

run stop db
run apply -f "$folder/lab.yaml"
expect "one is stopped: those upon it are not begun" "$code" 1
expect_in "they say why" "$err" "not begun: it depends on db, which is held"
expect_in "and those upon them, too" "$err" "not begun: it depends on web, which failed"
run start db
run delete clusters app web db
{
    fleet_cluster db '{expiresAt: 2026-01-31T18:00:00Z}'
    fleet_cluster web '{dependsOn: [db]}'
} >"$folder/lab.yaml"
run apply -f "$folder/lab.yaml"
expect "one is not made: exit code" "$code" 1
expect_in "nor is the one upon it" "$err" "not begun: it depends on db, which is not made in this run"
expect "nothing is there" "$("$kind" get clusters 2>/dev/null | wc -l)" 0
{
    fleet_cluster db '{dependsOn: [web]}'
    fleet_cluster web '{dependsOn: [db]}'
} >"$folder/lab.yaml"
run apply -f "$folder/lab.yaml"
expect "a circle: exit code" "$code" 2
expect_in "it has a place" "$err" "lab.yaml:4:20: error: spec.dependsOn: waits for itself: db -> web -> db"
