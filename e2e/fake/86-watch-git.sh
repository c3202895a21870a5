#!/usr/bin/env bash
# A git repository that is watched: commits take effect, broken and unsigned ones do not, and neither
# a server that is away nor one that is killed in the middle of it changes anything.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/repository.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
token=none
watch_pid=
repository_begin lab
lab=$folder/lab
ssh-keygen -q -t ed25519 -N '' -f "$folder/ann"
echo "ann@lab $(cat "$folder/ann.pub")" >"$folder/signers"
signed() { # SUBJECT
    git -C "$lab" add -A
    git -C "$lab" -c gpg.format=ssh -c "user.signingkey=$folder/ann" commit -q -S -m "$1"
}
# said TEXT [TIMES]: waits until the log has it, so often; at most 20 s.
said() {
    for _ in $(seq 400); do
        if [ "$(grep -cF -- "$1" "$folder/log")" -ge "${2:-1}" ]; then return 0; fi
        sleep 0.05
    done
    not_ok "the log does not say '$1' ${2:-once}: $(tail -n 20 "$folder/log")"
}
head_of() {
    git -C "$lab" rev-parse HEAD
}
source_of() { # FIELD
    "$kind" status -o json | jq -r ".watch.sources[0].$1"
}

cluster a "$lab/a.yaml"
signed 'one cluster'
first=$(head_of)
http_start "$folder/http.log"
"$kind" watch --git "http://127.0.0.1:$port/open/lab/.git" --prune --interval 200ms --git-timeout 5s \
    --verify-keys "$folder/signers" --listen 127.0.0.1:0 >"$folder/watch.out" 2>"$folder/log" </dev/null &
watch_pid=$!
servers+=("$watch_pid")
said "a: Ready" && ok "a commit makes its cluster"
said "revision $first is in force: 1 cluster"
expect "status says where it is from" "$(source_of where)" "http://127.0.0.1:$port/open/lab/.git"
expect "and who wrote it" "$(source_of author): $(source_of subject)" "Ann: one cluster"
expect "and who signed it" "$(source_of signer)" "ann@lab"
expect_in "in words, too" "$("$kind" status)" "revision $first by Ann (signed by ann@lab) in force since"
expect "when it was made" "$(date -d "$(source_of revisionAt)" +%s)" "$(git -C "$lab" log -1 --format=%at)"
address=$(grep -oE 'http://127.0.0.1:[0-9]+/' "$folder/log" | head -n 1)
told() { # FIELD
    curl -fsS "${address}api/v1/clusters" | jq -r ".sources[] | select(.kind == \"git\").$1"
}
expect "the API says the same" "$(told signer)" "ann@lab"
soon() { # TIME: within two seconds from now, or a moment ago?
    local distance=$(($(date -d "$1" +%s) - $(date +%s)))
    [ "$distance" -ge -2 ] && [ "$distance" -le 2 ] && echo yes
}
expect "the next look is told" "$(soon "$(told nextAt)") $(soon "$(source_of nextAt)")" "yes yes"

cluster b "$lab/b.yaml"
signed 'two clusters'
said "b: Ready" && ok "another commit makes another"
# What a repository may not ask for is refused, for the one cluster that does.
cluster greedy "$lab/greedy.yaml"
echo '  extraMounts: [{hostPath: /, containerPath: /host}]' >>"$lab/greedy.yaml"
signed 'the whole host'
said "revision $(head_of) is in force: 3 clusters"
said "greedy: " && ok "a mount of the host is refused"
expect "its cluster is not made" "$("$kind" get clusters 2>/dev/null | tr '\n' ' ')" "a b "
rm "$lab/greedy.yaml"
signed 'two clusters again'
said "revision $(head_of) is in force: 2 clusters"
good=$(head_of)
fake POST /_fake/reset-log >/dev/null

# What is refused: once in the log, and in status as long as it lasts.
rm "$lab/b.yaml"
commit lab 'not signed'
said "revision $(head_of) is refused" && ok "an unsigned commit does not take effect"
expect "the good one stays in force" "$(source_of revision)" "$good"
expect "the other one is told" "$(source_of pending)" "$(head_of)"
echo 'nodes: [' >"$lab/a.yaml"
signed 'broken'
said "revision $(head_of) is refused" && ok "nor does a broken one"
expect_in "status says why" "$(source_of problem)" "a.yaml:2:1: error: not valid YAML"
sleep 1
expect "once in the log" "$(grep -cF "revision $(head_of) is refused" "$folder/log")" 1
git -C "$lab" mv b.yaml c.yaml 2>/dev/null || true
git -C "$lab" rm -q --cached -r .
rm -f "$lab"/*.yaml
signed 'empty'
said "holds no *.yaml or *.yml file" && ok "nor an empty one"
git -C "$lab" reset -q --hard "$good"
said "as in force again" && ok "taken back, all is well"

# The server goes, and comes back at the same place.
pushed=$port
kill "${servers[0]}"
said "is refused, what was in force stays in force" 4 && ok "a server that is gone is told"
mv "$lab" "$folder/gone"
expect "nothing was deleted" "$(requests 'map(select(.method == "DELETE" and (.path | contains("/containers/")))) | length')" 0
mv "$folder/gone" "$lab"
expect "what was in force still is" "$(source_of revision)" "$good"

# The same place.
python3 "$root/e2e/fake/git_server.py" "$folder" "$token" --port "$pushed" >"$folder/http2.log" 2>&1 </dev/null &
servers+=($!)
kill -HUP "$watch_pid"
said "as in force again" 2 && ok "it is back, and asked at once when somebody says so"

# It answers no more, but takes every call. Meanwhile what dies is repaired.
kill "${servers[-1]}"
wait "${servers[-1]}" 2>/dev/null || true
python3 -c 'import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
calls = []
while True: calls.append(listener.accept())' "$pushed" </dev/null &
servers+=($!)
fake POST /_fake/reset-log >/dev/null
said "not read within 5 s" && ok "a server that never answers is told"
fake POST '/_fake/exit?container=b-control-plane&code=137' >/dev/null
said "b: start node b-control-plane done" && ok "and keeps nobody from repairs"
expect "nothing was deleted for want of an answer" "$(requests 'map(select(.method == "DELETE" and (.path | contains("/containers/")))) | length')" 0
expect "what was in force is, still" "$(source_of revision)" "$good"
kill "${servers[-1]}"
wait "${servers[-1]}" 2>/dev/null || true
python3 "$root/e2e/fake/git_server.py" "$folder" "$token" --port "$pushed" >"$folder/http3.log" 2>&1 </dev/null &
servers+=($!)
kill -HUP "$watch_pid"
said "as in force again" 3 && ok "one that answers again ends the matter"

# History is replaced.
git -C "$lab" checkout -q --orphan anew
rm "$lab/b.yaml"
signed 'history made anew'
git -C "$lab" branch -qM main
kill -HUP "$watch_pid"
said "history was replaced" && ok "replaced history is told"
said "revision $(head_of) is in force: 1 cluster" && ok "and counts"
await "b is gone" sh -c "! $kind get clusters 2>/dev/null | grep -qx b"
expect "what it does not name goes" "$("$kind" get clusters 2>/dev/null)" a

# Killed in the middle of a fetch, watcher and all.
kill -KILL "$watch_pid"
wait "$watch_pid" 2>/dev/null || true
head -c 400000 /dev/urandom >"$lab/noise"
cluster c "$lab/c.yaml"
signed 'much to fetch'
slow() {
    "$kind" watch --git "http://127.0.0.1:$pushed/slow/lab/.git" --interval 200ms >"$folder/watch.out" 2>"$folder/log" </dev/null &
    watch_pid=$!
    servers+=("$watch_pid")
}
grows() { [ -n "$(find "$XDG_CACHE_HOME" -name '*_git2_*' -size +64k)" ]; }
slow
child=$(fetcher "$watch_pid")
await "a pack on its way" grows
kill -KILL "$child"
said "ended by signal 9" && ok "the fetch is killed: told, and tried again"
said "c: Ready" && ok "and then it goes well"
kill -KILL "$watch_pid"
wait "$watch_pid" 2>/dev/null || true
rm -rf "$cache" && mkdir -p "$cache"
slow
child=$(fetcher "$watch_pid")
await "a pack on its way again" grows
kill -KILL "$watch_pid"
wait "$watch_pid" 2>/dev/null || true
if is_gone "$child"; then ok "no fetch outlives its watcher"; else not_ok "the fetch lives on"; fi
slow
said "is in force: 2 clusters" && ok "the next watcher fetches it"
child=$(fetcher "$watch_pid")
kill -TERM "$watch_pid"
code=0
wait "$watch_pid" || code=$?
expect "told to end, it ends" "$code" 143
expect "with no child left" "$(pgrep -P "$watch_pid" | wc -l)" 0

run watch --git "http://u:secret@lab/x"
refused "an address that is none" "holds a password"
run watch --git "$lab" -f "$lab"
refused "a folder and a repository" "cannot be given together"
