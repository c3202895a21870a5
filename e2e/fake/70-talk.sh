#!/usr/bin/env bash
# What is said, to whom, and with which exit code: sums, partial sources, names that are not there, what is not there yet.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 5 --ready-ms 5
mkdir "$folder/lab"
for name in a b c; do cluster $name "$folder/lab/$name.yaml"; done

run diff -f "$folder/lab" --engine "$DOCKER_HOST" --kubeconfig "$KUBECONFIG" --allow-empty
expect_in "the advice repeats what was given" "$out" \
    "Apply with: kind apply -f $folder/lab --engine $DOCKER_HOST --kubeconfig $KUBECONFIG --allow-empty"
run apply -f "$folder/lab" -f "$folder/lab/a.yaml" --wait 1m
expect "a file that is named twice is read once" "$code" 0
expect_in "the sum" "$out" "3 of 3 clusters are as described."
run apply -f "$folder/lab" --wait soon
expect "a wait that is no duration" "$code" 2
expect_in "the hint" "$err" "--wait=soon"
run apply -f "$folder/lab"
expect_in "the sum of nothing" "$out" "Nothing to do: 3 clusters are as described."

# Sources may be a part of the fleet.
run apply -f "$folder/lab/a.yaml"
expect "a part of the fleet: apply ends well" "$code" 0
expect "it is told in two lines" "$out" \
    "2 other clusters of fleet 'default' are not in these sources (b, c); --prune would delete them
Nothing to do: a is as described."
run diff -f "$folder/lab/a.yaml"
expect "a part of the fleet is no change" "$code" 0
run apply -f "$folder/lab/a.yaml" --prune
expect "more is to go than one pass deletes: exit code" "$code" 1
expect_in "the sum says so" "$out" "a is Ready, 1 deleted, 1 not deleted."
expect_in "the error, too" "$err" "1 cluster that should go was not deleted"
run apply -f "$folder/lab"
expect "the three are there again" "$code" 0

# JSON is one document where nothing is done.
run diff -f "$folder/lab/a.yaml" -o json
expect "diff -o json" "$(jq -r .type <<<"$out")" result
run apply -f "$folder/lab/a.yaml" -o json
expect "events have the time of day" "$(head -n 1 <<<"$out" | jq -r .time | tr 0-9 9)" "9999-99-99T99:99:99.999Z"

# Names.
run status a nothere
expect "status of a name that is not there" "$code" 1
expect_in "it shows the other" "$out" "a "
expect_in "it names it" "$err" "'nothere'"
run status a -o json
expect "status says whose it is" "$(jq -r '.clusters[0].owner' <<<"$out")" default
expect "and since when" "$(jq -r '.clusters[0].createdAt' <<<"$out" | tr 0-9 9)" "9999-99-99T99:99:99Z"
run get kubeconfig --name nothere
expect "get kubeconfig of no cluster" "$code" 1
expect_in "upstream's words" "$err" \
    "could not locate any control plane nodes for cluster named 'nothere'; use the --name option to select a different cluster"
run get clusters --fleet default
expect "get clusters of a fleet" "$out" "$(printf 'a\nb\nc')"
run get clusters --fleet other
expect "get clusters of another" "$out" ""
run get nodes -A --fleet other
expect "get nodes of another" "$out" ""
code=0
out=$(env -u HOME -u KUBECONFIG "$kind" get clusters </dev/null 2>&1) || code=$?
expect "get clusters needs no HOME" "$code $out" "0 $(printf 'a\nb\nc')"

# One cluster that cannot be looked at does not hide the others.
fake POST /_fake/fault '{"action":"fail","match":"archive"}' >/dev/null
run status
expect_in "status with a failing look shows all" "$(cut -d' ' -f1 <<<"$out" | tr '\n' ' ')" "a b c "
expect_in "and says unknown" "$out" unknown
engine_stop
engine_start --boot-ms 1 --api-ms 5 --ready-ms 5

# A cluster is deleted under the lock of its own fleet.
run apply -f "$folder/lab/a.yaml" --fleet lab
expect "a cluster of the fleet lab" "$code" 0
lock=$(find "$folder/kind" -name 'lab-*.lock')
expect_in "the lock says what was typed" "$(cat "$lock")" "(kind apply -f $folder/lab/a.yaml --fleet lab)"
exec 9<>"$lock"
flock 9
"$kind" delete cluster --name a >"$folder/out" 2>"$folder/deleting" </dev/null 9<&- &
deleting=$!
for _ in $(seq 200); do
    if grep -qs waiting "$folder/deleting"; then break; fi
    sleep 0.02
done
expect_in "delete waits for the owner" "$(cat "$folder/deleting")" "fleet 'lab' is being worked on"
exec 9<&-
code=0
wait $deleting || code=$?
expect "then it deletes" "$code" 0
run delete cluster --name a
expect "delete of nothing: exit code" "$code" 0
expect "delete of nothing: words" "$out$err" 'There is no cluster "a".'

# Both streams in one file: the error stands last.
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: d}\nspec: {registry: local}\n' >"$folder/d.yaml"
"$kind" apply -f "$folder/d.yaml" >"$folder/both" 2>&1 </dev/null || true
expect_in "what is refused is not made" "$(head -n 1 "$folder/both")" "d: not made, "
expect "the error comes last" "$(tail -n 1 "$folder/both")" "ERROR: changes of 1 of 1 cluster were refused"

run create cluster --name x
expect "what is not there yet: exit code" "$code" 1
expect_in "what is not there yet: words" "$err" "use upstream's kind"

# A signal ends apply as a shell says it.
engine_stop
engine_start --boot-ms 5000
for signal in INT TERM; do
    cluster "by-$(tr '[:upper:]' '[:lower:]' <<<"$signal")" "$folder/signal.yaml"
    env --default-signal=INT "$kind" apply -f "$folder/signal.yaml" >"$folder/out" 2>"$folder/$signal" </dev/null &
    applying=$!
    for _ in $(seq 200); do
        if grep -qs "create node" "$folder/$signal"; then break; fi
        sleep 0.02
    done
    kill -s $signal $applying
    sleep 0.1
    kill -s $signal $applying 2>/dev/null || true
    code=0
    wait $applying || code=$?
    expect "$signal: exit code" "$code" "$((128 + $(kill -l $signal)))"
    expect_in "$signal: words" "$(cat "$folder/$signal")" "goes on from there"
done

# The time of --wait is over: what to ask, and what to do.
cluster late "$folder/late.yaml"
run apply -f "$folder/late.yaml" --wait=1s
expect "too late: exit code" "$code" 1
expect_in "too late: words" "$err" "not Ready after 1 s; \`kind explain late\` looks for the cause, \`kind apply\` goes on from here"
run apply -f "$folder/late.yaml" --wait=60s
expect "later: exit code" "$code" 0
