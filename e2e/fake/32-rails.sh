#!/usr/bin/env bash
# Whatever the sources say, and with --prune: what may not go stays, and the plan says why in words.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
lab=$folder/lab
mkdir "$lab"

# fleet_cluster NAME SPEC: of the fleet's own format.
fleet_cluster() {
    printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2" >"$lab/$1.yaml"
}

# untouched WHAT: nothing was changed since the last fake POST /_fake/reset-log.
untouched() {
    expect "$1: nothing is deleted" "$(requests 'map(select(.method == "DELETE")) | length')" 0
    fake POST /_fake/reset-log >/dev/null
}

fleet_cluster a '{}'
fleet_cluster b '{protect: true}'
fleet_cluster c '{}'
fleet_cluster d '{}'
run apply -f "$lab"
expect "four clusters are made" "$code" 0
cluster other "$folder/other.yaml"
run apply -f "$folder/other.yaml" --fleet other
expect "and one of another fleet" "$code" 0
fake POST /_fake/reset-log >/dev/null

mkdir "$folder/empty"
run apply --prune -f "$folder/empty"
expect "an empty folder: exit code" "$code" 2
untouched "an empty folder"
printf '# none today\n' >"$folder/empty/none.yaml"
run apply --prune -f "$folder/empty" --allow-empty=false
expect "a file without a cluster: exit code" "$code" 2
untouched "a file without a cluster"

chmod 0 "$lab/a.yaml"
if [ ! -r "$lab/a.yaml" ]; then # root reads everything
    run apply --prune -f "$lab"
    expect "an unreadable file: exit code" "$code" 2
    expect_in "it is named" "$err" a.yaml
    untouched "an unreadable file among good ones"
fi
chmod 644 "$lab/a.yaml"
ln -s nowhere "$lab/e.yaml"
run apply --prune -f "$lab"
expect "a file that cannot be opened among good ones: exit code" "$code" 2
expect_in "it is named" "$err" e.yaml
untouched "a file that cannot be opened"
rm "$lab/e.yaml"

mv "$lab/a.yaml" "$lab/renamed.yml"
run apply --prune -f "$lab"
expect "a renamed file: exit code" "$code" 0
expect_in "nothing is to be done" "$out" "Nothing to do: 4 clusters are as described."
untouched "a renamed file"

printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: other}\n' >"$lab/other.yaml"
run apply --prune -f "$lab"
expect "a cluster of another owner: exit code" "$code" 1
expect_in "the plan says whose it is" "$out" "was not made by this fleet (made by fleet 'other'); left alone"
untouched "a cluster of another owner"
rm "$lab/other.yaml"
run apply --prune -f "$lab"
expect "nor is it pruned" "$code" 0
untouched "out of our sources"

rm "$lab/b.yaml"
run diff --prune -f "$lab"
expect "a protected one has left: diff" "$code" 1
expect_in "the plan says why it stays" "$out" "not in the sources any more; stays: it is protected (take \`protect: true\` out of its source and apply that first)"
run apply --prune --allow delete -f "$lab"
expect "apply does not delete it" "$code" 1
expect_in "and says so" "$err" "1 cluster that should go was not deleted"
untouched "a protected cluster"
run delete cluster --name b
expect "delete cluster refuses, too" "$code" 1
expect_in "it says how" "$err" "or give --protected to delete it all the same"
untouched "a protected cluster, by hand"
fleet_cluster b '{networking: {podSubnet: 10.8.0.0/16}, protect: true, allow: [recreate, delete]}'
run apply --allow recreate -f "$lab"
expect "nor is it made anew" "$code" 1
expect_in "the plan says why" "$out" "refused: the cluster is protected"
untouched "a protected cluster of other settings"
rm "$lab/b.yaml"

rm "$lab/c.yaml" "$lab/d.yaml"
run diff --prune -f "$lab"
expect_in "one pass deletes one" "$out" "stays for now: one pass deletes at most 1"
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Fleet\nspec: {prune: true, maxDeletions: 2}\n' >"$lab/fleet.yaml"
run diff -f "$lab"
expect "the Fleet may say another number" "$(grep -c 'not in the sources any more; all its data goes' <<<"$out")" 2
run diff -f "$lab" --max-deletions 1
expect "the flag wins" "$(grep -c 'not in the sources any more; all its data goes' <<<"$out")" 1
run diff -f "$lab" --no-prune
expect "also over prune" "$(grep -c 'not in the sources any more; all its data goes' <<<"$out")" 0
untouched "looking"
run apply -f "$lab" --max-deletions 1
expect "apply by the flag: one is left" "$("$kind" get clusters | tr '\n' ' ')" "a b d other "
run apply -f "$lab"
expect "and then the other" "$("$kind" get clusters | tr '\n' ' ')" "a b other "

fleet_cluster b '{}'
run apply -f "$lab"
expect "protection is taken back" "$code" 0
rm "$lab/b.yaml"
run apply -f "$lab"
expect "then it goes" "$("$kind" get clusters | tr '\n' ' ')" "a other "

# A file that said `allow: [delete]`, or for how long, needs no --prune.
rm "$lab/fleet.yaml"
fleet_cluster f '{allow: [delete]}'
fleet_cluster g '{ttl: 1s, suspend: false}'
fleet_cluster h '{ttl: 1s, protect: true}'
fleet_cluster i '{expiresAt: 2026-01-31T18:00:00Z}'
run apply -f "$lab"
expect_in "what has expired is not made" "$out" "expired at 2026-01-31T18:00:00Z; not made again"
expect "the others are" "$("$kind" get clusters | tr '\n' ' ')" "a f g h other "
rm "$lab/f.yaml"
sleep 2.5
run apply -f "$lab" --max-deletions 9
expect_in "its ttl is over, but it is protected" "$out" "stays: it is protected"
expect "f and g go" "$("$kind" get clusters | tr '\n' ' ')" "a h other "
expect "which is not all that should" "$code" 1
run status h -o json
expect "status says that it is protected" "$(jq -r '.clusters[0].protected' <<<"$out")" true
expect "and when it ends" "$(jq -r '.clusters[0].endsAt' <<<"$out" | tr 0-9 9)" "9999-99-99T99:99:99Z"
run delete cluster --name h --protected
expect "by hand it can be deleted all the same" "$code" 0
expect "it is gone" "$("$kind" get clusters | tr '\n' ' ')" "a other "
