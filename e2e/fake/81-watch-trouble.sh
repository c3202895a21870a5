#!/usr/bin/env bash
# Bad days of a watcher: no engine, no room, many changes at once; and a repository, and a service's own kubeconfigs.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/watching.sh"
. "$(dirname "$0")/repository.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
deleted() { requests 'map(select(.method == "DELETE")) | length'; }

repository_begin lab
cluster a "$folder/lab/a.yaml"
commit lab 'begin with one cluster'
mkdir "$folder/own"
STATE_DIRECTORY=$folder/own watch --git "$folder/lab" --prune --interval 1h
said "is in force: 1 cluster"
said "a: Ready" && ok "a repository is watched"
expect "a service has a kubeconfig for each cluster" "$(ls "$folder/own/kubeconfig")" a.kubeconfig
expect "in which that cluster is the current one" "$(grep current-context "$folder/own/kubeconfig/a.kubeconfig")" "current-context: kind-a"
expect "and leaves the user's alone" "$([ -e "$KUBECONFIG" ] && echo there)" ""
expect "status asks the cluster by it" "$("$kind" status -o json | jq -r '.clusters[0].ready')" yes
fake POST /_fake/reset-log >/dev/null

printf 'kind: Cluster\n' >"$folder/lab/b.yaml"
git -C "$folder/lab" rm -q a.yaml
commit lab 'break it'
poll
said "is refused, what was in force stays in force: b.yaml:1:1"
run status -o json
expect "status has both revisions" "$(jq -r '.watch.sources[0] | [.revision, .pending, .author] | map(length > 2) | all' <<<"$out")" true
mv "$folder/lab" "$folder/gone"
poll
said "what is there is refused"
expect "neither deletes anything" "$(deleted)" 0
mv "$folder/gone" "$folder/lab"
cluster a "$folder/lab/a.yaml"
cluster b "$folder/lab/b.yaml"
commit lab 'mend it'
poll
said "b: Ready" && ok "a good commit takes effect"
git -C "$folder/lab" rm -q b.yaml
commit lab 'one less'
poll
said "b: gone" && ok "one that leaves goes"
expect "with its kubeconfig" "$(ls "$folder/own/kubeconfig")" a.kubeconfig
kill "$watch_pid"
ended

# The engine goes, and comes back.
lab=$folder/files
mkdir "$lab"
for name in a c d; do cluster $name "$lab/$name.yaml"; done
watch -f "$lab" --prune
for name in a c d; do said "$name: Ready"; done
fake POST /_fake/fault '{"action": "drop", "match": "GET", "count": 100000, "where": "engine"}'
fake POST /_fake/end-events
said "the engine is away, nothing is begun until it is back"
fake POST '/_fake/exit?container=c-control-plane&code=137' >/dev/null
sleep 2
expect_in "status says so" "$("$kind" status 2>&1 || true; cat "$XDG_RUNTIME_DIR"/kind/*.watch.json)" '"engineThere": false'
fake POST /_fake/reset-log >/dev/null
fake POST /_fake/clear
said "answers" 2
said "c: start node c-control-plane done" && ok "what happened meanwhile is repaired when it is back"
sleep 0.5
expect "with one list of all" "$(requests 'map(select(.path | test("^/v[0-9.]+/containers/json\\?all=1&filters=%7B%22label%22%3A%5B%22io.x-k8s.kind.cluster%22%5D%7D$"))) | length')" 1
expect "and few requests for the others" "$(requests 'map(select(.method == "HEAD")) | length < 5')" true

# A storm of changes ends in what is there at last.
fake POST /_fake/reset-log >/dev/null
cp "$lab/d.yaml" "$folder/d.yaml"
# shellcheck disable=SC2016 # perl's own words
perl -e 'chdir $ARGV[0] or die; for (1 .. 5000) { rename "d.yaml", "x.yaml" or die; rename "x.yaml", "d.yaml" or die }' "$lab"
expect "10,000 renames are made" "$(cmp "$lab/d.yaml" "$folder/d.yaml" && echo same)" same
poll
sleep 1
expect "a storm of renames changes nothing" "$(requests 'map(select(.mutating)) | length')" 0
said "c: Ready" 2

# No room for the file that status reads.
kill "$watch_pid"
ended
mkdir "$folder/small"
if mount -t tmpfs -o size=16k tmpfs "$folder/small" 2>/dev/null; then
    mkdir -m 700 "$folder/small/kind"
    XDG_RUNTIME_DIR=$folder/small watch -f "$lab" --prune
    said "a: Ready"
    dd if=/dev/zero of="$folder/small/fill" bs=1k count=64 2>/dev/null || true
    echo 'nodes: [' >"$lab/e.yaml"
    poll
    said "is refused"
    rm "$lab/e.yaml"
    cluster e "$lab/e.yaml"
    poll
    said "e: Ready" && ok "without room for its file it goes on"
    kill "$watch_pid"
    ended
    umount "$folder/small"
else
    not_ok "no small file system to fill; this test wants root"
fi

# A second watcher waits, and says for whom.
watch -f "$lab"
said "a: Ready"
first=$watch_pid
mv "$folder/log" "$folder/first.log"
watch -f "$lab"
said "fleet 'default' is being worked on by process $first (kind watch -f $lab); waiting" && ok "a second watcher waits"
kill -9 "$first"
{ wait "$first" || true; } 2>/dev/null
said "a: Ready" && ok "and takes over"
kill "$watch_pid"
ended
expect "it ends by its signal" "$code" 143
