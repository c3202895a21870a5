#!/usr/bin/env bash
# Bad days of a folder that is watched: nothing is deleted that should not be, memory stays flat, the state is told, and it recovers by itself.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
lab=$folder/lab policy=$folder/policy.yaml
mkdir "$lab" "$folder/srv"
watch_pid=

# said TEXT [TIMES]: waits until the log has it, so often; at most 30 s.
said() {
    for _ in $(seq 600); do
        if [ "$(grep -cF -- "$1" "$folder/log")" -ge "${2:-1}" ]; then return 0; fi
        sleep 0.05
    done
    not_ok "the log does not say '$1' ${2:-once}: $(tail -n 20 "$folder/log")"
}

# again: empties both logs, so that what follows stands alone.
again() {
    : >"$folder/log"
    fake POST /_fake/reset-log >/dev/null
}

# asked: the watcher reads now what it would read in a moment, or in a minute where no event tells.
asked() {
    kill -HUP "$watch_pid"
}

# well: waits until nothing is wrong with the source any more; at most 30 s.
well() {
    asked
    for _ in $(seq 300); do
        if [ "$("$kind" status -o json | jq -r '.watch.sources[0].problem')" = null ]; then return 0; fi
        sleep 0.1
    done
    not_ok "the source is well again: $("$kind" status)"
}

# unharmed WHAT: no container was deleted since.
unharmed() {
    expect "$1: nothing is deleted" "$(requests 'map(select(.method == "DELETE" and (.path | contains("/containers/")))) | length')" 0
}

# resident: of the watcher, in KiB.
resident() {
    awk '/^VmRSS/ {print $2}' "/proc/$watch_pid/status"
}

fleet_cluster() { # NAME SPEC
    printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2"
}

printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPaths: [{path: %s}]}\n' "$folder/srv" >"$policy"
fleet_cluster a '{}' >"$lab/a.yaml"
: >"$folder/log"
"$kind" watch -f "$lab" --prune --policy "$policy" >"$folder/out" 2>>"$folder/log" </dev/null &
watch_pid=$!
said "a: Ready" && ok "a cluster is made"

# A cluster that asks for the whole host, beside one that does not.
again
fleet_cluster wild '{nodes: [{role: control-plane, extraMounts: [{hostPath: /, containerPath: /host}]}]}' >"$folder/wild.yaml"
fleet_cluster tame '{nodes: [{role: control-plane, extraMounts: [{hostPath: '"$folder/srv"', containerPath: /data}]}]}' >"$folder/tame.yaml"
mv "$folder/wild.yaml" "$folder/tame.yaml" "$lab"
asked
said "tame: Ready" && ok "the one that may is made"
said "refused by hostPaths of $policy" && ok "the log says what the other may not"
expect "nothing of it is made" "$(fake GET '/containers/json?all=1' | jq '[.[] | select(.Labels["io.x-k8s.kind.cluster"] == "wild")] | length')" 0

# One that is there and asks for more than it may stays as it is, also when its container dies.
again
fleet_cluster tame '{expiresAt: "2000-01-01T00:00:00Z", nodes: [{role: control-plane, extraMounts: [{hostPath: /etc, containerPath: /data}]}]}' >"$lab/tame.yaml"
asked
said "mounts /etc of the host" && ok "more than it may is refused"
unharmed "a policy's refusal"
fleet_cluster tame '{nodes: [{role: control-plane, extraMounts: [{hostPath: '"$folder/srv"', containerPath: /data}]}]}' >"$lab/tame.yaml"
asked
said "is in force: 3 clusters" && ok "and taken back"
rm "$lab/wild.yaml"
asked
said "is in force: 2 clusters" && ok "a refused one that leaves is forgotten"

# The policy is read again with SIGHUP, and one that cannot be used changes nothing.
again
policy_of() { # FIELD
    "$kind" status -o json | jq -r ".watch.sources[] | select(.kind == \"policy\").$1"
}
before=$(policy_of revision)
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPath: [{path: /}]}\n' >"$policy"
fleet_cluster wild '{nodes: [{role: control-plane, extraMounts: [{hostPath: /, containerPath: /host}]}]}' >"$lab/wild.yaml"
asked
said "the policy $policy is refused, what was in force stays in force" && ok "a policy with an error is refused"
said "wild: refused: wild-control-plane: mounts / of the host" && ok "and the one before judges what comes"
expect "nothing of that is made" "$(fake GET '/containers/json?all=1' | jq '[.[] | select(.Labels["io.x-k8s.kind.cluster"] == "wild")] | length')" 0
expect_in "status tells the place" "$(policy_of problem)" "policy.yaml:3:8: error: spec: unknown field"
expect "and the one in force" "$(policy_of revision)" "$before"
expect_in "in words, too" "$("$kind" status)" "refused: revision $(policy_of pending) since"
asked
rm "$policy"
asked
said "the policy $policy is refused, what was in force stays in force" 2 && ok "one that is gone is refused, too"
expect "each once" "$(grep -c 'is refused, what was in force' "$folder/log")" 2
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPaths: [{path: /nowhere}]}\n' >"$policy"
# The sources are as they were, and even broken: what is in force is judged.
echo 'nodes: [' >"$lab/broken.yaml"
asked
said "the policy $policy is in force as it is now" && ok "a stricter one counts"
said "tame: refused: tame-control-plane: mounts $folder/srv" && ok "for what was allowed before"
unharmed "a stricter policy"
expect "nothing is wrong with it any more" "$(policy_of problem)" null
rm "$lab/broken.yaml"
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {base: permissive}\n' >"$policy"
asked
said "wild: Ready" && ok "a looser one lets in what was refused"
rm "$lab/wild.yaml"
asked
said "wild: gone" && ok "which goes with its file"
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {hostPaths: [{path: %s}]}\n' "$folder/srv" >"$policy"
asked
said "the policy $policy is in force as it is now" 3 && well && ok "and back"

# A bomb: aliases that would be gigabytes.
again
before=$(resident)
{
    echo 'a: &a [x,x,x,x,x,x,x,x,x]'
    for pair in ab bc cd de ef fg gh hi ij; do
        echo "${pair:1}: &${pair:1} [*${pair:0:1},*${pair:0:1},*${pair:0:1},*${pair:0:1},*${pair:0:1},*${pair:0:1},*${pair:0:1},*${pair:0:1},*${pair:0:1}]"
    done
} >"$lab/bomb.yaml"
asked
said "is refused, what was in force stays in force" && ok "a bomb is refused"
unharmed "a bomb"
expect "a bomb takes less than 16 MiB" "$(($(resident) - before < 16384))" 1
expect_in "status shows where it is" "$("$kind" status)" "bomb.yaml:"
rm "$lab/bomb.yaml"
well && ok "and gone with its file"

# A link to what is no description: refused without a word of what it holds.
again
printf 'root:secret-of-root:19000:0:99999:7:::\nann:secret-of-ann:19000:::::\n' >"$folder/shadow"
ln -s "$folder/shadow" "$lab/shadow.yaml"
asked
said "is refused, what was in force stays in force" && ok "a link to a file of accounts is refused"
expect "and nothing of it is told" "$(grep -c 'secret-of' "$folder/log")" 0
expect "nor in status" "$("$kind" status | grep -c 'secret-of')" 0
unharmed "a link to a file of accounts"
rm "$lab/shadow.yaml"
well && ok "and gone with the link"

# The folder goes, and comes back.
again
mv "$lab" "$folder/away"
asked
said "what was in force stays in force" && ok "a folder that is gone is told"
# At once: between two copies a cluster would be missing.
mkdir "$folder/again"
cp "$folder/away/a.yaml" "$folder/away/tame.yaml" "$folder/again"
mv "$folder/again" "$lab"
well && ok "a folder that is back is read"
unharmed "a folder that went and came back"
again
fleet_cluster late '{}' >"$lab/late.yaml"
asked
said "late: Ready" && ok "and watched"

# As Kubernetes exchanges what a volume holds.
again
# Made beside it: file by file, each that is not there yet would be a cluster to delete.
next=$folder/next
mkdir -p "$next/..1" && cp "$folder/away/a.yaml" "$folder/away/tame.yaml" "$next/..1"
fleet_cluster late '{}' >"$next/..1/late.yaml"
ln -s ..1 "$next/..data"
for name in a tame late; do ln -s "..data/$name.yaml" "$next/$name.yaml"; done
mv "$lab" "$folder/before" && mv "$next" "$lab"
well && sleep 0.5 && ok "links into ..data are read"
cp -r "$lab/..1" "$lab/..2"
fleet_cluster late '{nodes: [{}, {role: worker}]}' >"$lab/..2/late.yaml"
ln -s ..2 "$lab/..data_tmp"
mv -T "$lab/..data_tmp" "$lab/..data"
asked
said "late: Ready" && ok "..data is exchanged"
expect "the cluster has its worker" "$(fake GET '/containers/json?all=1' | jq '[.[] | select(.Labels["io.x-k8s.kind.cluster"] == "late")] | length')" 2
unharmed "..data"

# 10,000 renames in a second or so.
mkdir "$lab/storm"
for i in $(seq 2000); do : >"$lab/storm/f$i.txt"; done
sleep 0.5
again
before=$(resident)
perl -e 'chdir shift or die; for my $r (1..5) { for my $i (1..2000) { my ($a, $b) = $r % 2 ? ("f$i.txt", "g$i.txt") : ("g$i.txt", "f$i.txt"); rename $a, $b or die; } }' "$lab/storm"
fleet_cluster after '{}' >"$lab/storm/after.yaml"
asked
said "after: Ready" && ok "what comes with a storm is seen"
unharmed "a storm"
# A sanitizer keeps what was freed for a while, to know it again.
most=4096
if grep -q AddressSanitizer "$kind"; then most=65536; fi
expect "a storm takes less than $most KiB" "$(($(resident) - before < most))" 1

kill "$watch_pid"
code=0
wait "$watch_pid" || code=$?
expect "it ends as told" "$code" 143
