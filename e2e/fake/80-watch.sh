#!/usr/bin/env bash
# A folder that is watched: what is broken changes nothing, what is killed is repaired, signals are heard.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/watching.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
lab=$folder/lab
mkdir "$lab"
names() {
    "$kind" get clusters | tr '\n' ' '
}

cluster a "$lab/a.yaml"
cluster b "$lab/b.yaml"
watch -f "$lab" --prune
said "a: Ready" && said "b: Ready" && ok "both are made"
fake POST /_fake/reset-log >/dev/null
before=$(wc -l <"$folder/log")

"$kind" status >"$folder/out"
expect_in "status says who watches" "$(cat "$folder/out")" "watched by process $watch_pid (kind watch -f $lab --prune)"
expect_in "and the revision" "$(cat "$folder/out")" "$lab: revision "
expect "the file is ours alone" "$(stat -c %a "$XDG_RUNTIME_DIR"/kind/*.watch.json)" 600

mv "$lab/b.yaml" "$lab/renamed.yml"
poll
said "is in force: 2 clusters" 2
echo 'nodes: [' >"$lab/c.yaml"
rm "$lab/renamed.yml"
poll
said "is refused, what was in force stays in force"
run status -o json
expect "a broken file among good ones shows" "$(jq -r '.watch.sources[0].problem' <<<"$out" | head -n 1)" "$lab/c.yaml:2:1: error: not valid YAML: did not find expected node content"
expect_in "in words, too" "$("$kind" status)" "refused: "
rm "$lab/c.yaml" "$lab/a.yaml"
poll
said "holds no *.yaml or *.yml file"
expect "a renamed, a broken and an empty folder delete nothing" "$(requests 'map(select(.method == "DELETE")) | length')" 0
cluster a "$lab/a.yaml"
cluster b "$lab/b.yaml"
poll
said "is in force: 2 clusters" 3

fake POST '/_fake/exit?container=b-control-plane&code=137' >/dev/null
said "b: start node b-control-plane done" && ok "a container that was killed is started again"
said "b: Ready" 2
printf -- '- {role: worker, image: "kind.local/node:v1.20.2"}\n' >>"$lab/a.yaml"
began=$SECONDS
said "a: Ready, 2 nodes" && ok "a worker more"
expect "without being asked, at once" "$([ $((SECONDS - began)) -lt 15 ] && echo yes)" yes
rm "$lab/b.yaml"
poll
said "b: is to go: not in the sources any more"
said "b: gone" && ok "what left goes, with --prune"
expect "one is left" "$(names)" "a "

run watch -f "$folder/nothing" -f -
expect "standard input cannot be watched" "$code" 2
run watch
expect "nor nothing" "$code" 2
timeout 3 "$kind" apply -f "$lab" >"$folder/out" 2>&1 || true
expect_in "apply beside it says who works" "$(cat "$folder/out")" "fleet 'default' is being worked on by process $watch_pid (kind watch -f $lab --prune); waiting"
run apply -f "$lab" --wait=1s
expect "and waits to its deadline" "$code" 1
# Waiting for a watcher would be in vain.
for command in stop start suspend resume; do
    code=0
    timeout 20 "$kind" "$command" a >"$folder/out" 2>&1 || code=$?
    expect "$command beside it ends at once" "$code" 1
    expect_in "and says who watches" "$(cat "$folder/out")" "fleet 'default' is watched by process $watch_pid (kind watch -f $lab --prune)"
done
run diff -f "$lab"
expect "diff beside it does not wait" "$code" 0

lines=$(wc -l <"$folder/log")
sleep 1
expect "an idle second leaves no line" "$(wc -l <"$folder/log")" "$lines"
kill -TERM "$watch_pid"
ended
expect "SIGTERM ends it" "$code" 143
expect "the file is gone" "$(find "$XDG_RUNTIME_DIR/kind" -name '*.watch.json' | wc -l)" 0
run status
expect "status says nothing of watchers then" "$(grep -c 'watched by' <<<"$out")" 0

watch -f "$lab" --prune --log-format json
said '"event":"settled","cluster":"a"'
expect "each line is JSON" "$(jq -r .level "$folder/log" | sort -u | tr '\n' ' ')" "info "
fake POST /_fake/settings '{"boot_ms": 3000}' >/dev/null
cluster d "$lab/d.yaml"
poll
said '"event":"plan","cluster":"d"'
kill -9 "$watch_pid"
ended
fake POST /_fake/settings '{"boot_ms": 1}' >/dev/null
run status
expect "one that was killed does not watch" "$(grep -c 'watched by' <<<"$out")" 0
watch -f "$lab"
said "d: Ready" && ok "after kill -9 the next goes on"
kill -INT "$watch_pid"
ended
expect "SIGINT ends it" "$code" 130
