#!/usr/bin/env bash
# A folder that is watched: it brings a real cluster up, a change adds a worker, a container that is killed by hand is repaired, and
# what leaves the folder goes.
# takes 100 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=watch-$$
named "$name"
mkdir "$folder/lab" "$folder/run"
export XDG_RUNTIME_DIR=$folder/run

# lab [WORKERS]: the cluster's file, replaced as editors do it.
lab() {
    {
        printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: %s\nnodes:\n- {role: control-plane, image: %s}\n' "$name" "$node_image"
        for _ in $(seq "${1:-0}"); do printf -- '- {role: worker, image: %s}\n' "$node_image"; done
    } >"$folder/lab/.new"
    mv "$folder/lab/.new" "$folder/lab/lab.yaml"
}

# said FROM-LINE PATTERN SECONDS: waits for a line of the log behind that one, and prints when it was said, in ms since 1970.
said() {
    local line end=$((SECONDS + $3))
    while [ "$SECONDS" -lt "$end" ]; do
        line=$(tail -n +"$1" "$folder/log" | grep -m 1 -E "$2" || true)
        if [ -n "$line" ]; then
            date -d "$(jq -r .time <<<"$line")" +%s%3N
            return 0
        fi
        sleep 0.05
    done
    echo "the log does not say $2: $(tail -n 5 "$folder/log")" >&2
    return 1
}

lines() { echo $(($(wc -l <"$folder/log") + 1)); }

# watch OPTION...: in the background; all that it says is in $folder/log, as JSON lines.
watch() {
    "$kind" watch -f "$folder/lab" --fleet "$fleet" --log-format json --listen 127.0.0.1:0 "$@" >/dev/null 2>>"$folder/log" </dev/null &
    watch_pid=$!
    children+=("$watch_pid")
}

# took WHAT MS: for those who read how quick it is.
took() { printf 'time watch %-42s %s ms\n' "$1:" "$2"; }

# Behind $from the log tells that the cluster is Ready with so many nodes.
ready() { if said "$from" "\"settled\".*Ready, $2 node" 200 >"$folder/at"; then ok "$1"; else not_ok "$1"; fi; }

refused() { [ "$("$kind" status --fleet "$fleet" -o json | jq -r '.watch.sources[0].problem')" != null ]; }
ids() { docker ps -aq --no-trunc --filter "label=$node_label=$name" | sort; }

: >"$folder/log"
from=1
lab
watch --prune
ready "the folder's cluster is Ready" 1
address=$(jq -r 'select(.message | startswith("listening at")) | .message | ltrimstr("listening at ")' "$folder/log")

before=$(ids)
echo 'nodes: [' >"$folder/lab/broken.yaml"
comes_true 10 "a broken file is refused" refused
status=$("$kind" status --fleet "$fleet")
expect_in "status shows it, and who watches" "$status" "watched by process $watch_pid"
expect_in "with its place" "$status" "broken.yaml:"
expect_in "the metrics show it" "$(curl -fsS "${address}metrics")" "kind_source_problem{source=\"$folder/lab\"} 1"
expect_in "the API shows it" "$(curl -fsS "${address}api/v1/clusters" | jq -r '.sources[] | select(.kind == "folder").problem')" "broken.yaml:"
expect "it changes nothing" "$(ids)" "$before"
rm "$folder/lab/broken.yaml"

from=$(lines) began=$(date +%s%3N)
lab 1
at=$(said "$from" '"plan"' 70)
took "file saved to plan" $((at - began))
ready "a worker more" 2
expect "the control plane is the one that was there" "$(comm -12 <(ids) <(echo "$before"))" "$before"

# At once, when what was told of its own making is hardly over; and a little later.
slowest=0
for rest in 0 1; do
    sleep "$rest"
    from=$(lines) began=$(date +%s%3N)
    docker kill "$name-worker" >/dev/null
    at=$(said "$from" '"plan"' 30)
    ready "a killed worker is repaired" 2
    # When it died, by the engine: its program for the command line takes its time, too.
    died=$(docker events --since "$((began / 1000))" --until "$(($(date +%s) + 1))" --filter "container=$name-worker" \
        --filter event=die --format '{{.TimeNano}}' | tail -n 1)
    [ "$((at - died / 1000000))" -le "$slowest" ] || slowest=$((at - died / 1000000))
    took "container dead to plan, to Ready" "$((at - died / 1000000)), $(($(<"$folder/at") - died / 1000000))"
done
# The engine itself takes 0.2 s to list it as dead, and longer where others use the machine; without its events it takes a minute.
expect "a repair is begun within a moment" "$([ "$slowest" -le 3000 ] && echo yes || echo "$slowest ms")" yes

from=$(lines)
rm "$folder/lab/lab.yaml"
if said "$from" 'is refused.*holds no' 10 >/dev/null; then ok "an empty folder deletes nothing"; else not_ok "an empty folder deletes nothing"; fi
kill "$watch_pid"
code=0
wait "$watch_pid" || code=$?
expect "SIGTERM ends it" "$code" 143
from=$(lines)
watch --prune --allow-empty
if said "$from" '"settled".*gone' 60 >/dev/null; then ok "with leave for that it goes"; else not_ok "with leave for that it goes"; fi
expect "nothing is left of it" "$(ids)" ""
kill "$watch_pid"
