#!/usr/bin/env bash
# What really fails is explained: a control plane with a flag that does not exist, a port that is taken, a node that was killed.
# takes 30 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=why-$$
node=$name-control-plane
failures=$XDG_STATE_HOME/kind/failures

# has_cause ID: explain finds this cause.
has_cause() {
    run explain "$name" -o json
    [ "$(jq -r '.causes[0].id' <<<"$out")" = "$1" ]
}

# A port that somebody listens at: seen before anything is made.
python3 - "$folder/port" <<'PYTHON' &
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1], "w") as file:
    file.write(str(listener.getsockname()[1]))
time.sleep(600)
PYTHON
listener=$!
children+=("$listener")
within 10 test -s "$folder/port"
port=$(<"$folder/port")
cluster "$name" "networking:" "  apiServerPort: $port"
run apply -f "$folder/$name.yaml"
expect_code "a port in use: apply ends with 1 ($took s)" 1
expect_in "a port in use: which" "$err" "host port 127.0.0.1:$port is in use by python3 (process $listener)"
expect "a port in use: nothing was made" "$(containers_of "$name")" ""
run explain "$name"
expect_in "a port in use: explain has the cause" "$out" "a host port that the cluster asks for is taken"
kill "$listener"
wait "$listener" 2>/dev/null || true

# A flag that the API server does not know: the only one who says so is the log of its pod.
cluster "$name" "kubeadmConfigPatches:" "- |" "  kind: ClusterConfiguration" "  apiServer:" "    extraArgs:" "      no-such-flag: \"yes\""
spawn apply -f "$folder/$name.yaml" -o json
at_step "wait for the API" || not_ok "the set-up comes to the API: $(tail -n 3 "$folder/spawn.err")"
began=$SECONDS
comes_true 120 "an unknown flag: explain names the cause" has_cause component-flag
echo "      found $((SECONDS - began)) s after the wait for the API began"
run explain "$name"
expect_in "an unknown flag: the line that says so" "$out" "unknown flag: --no-such-flag"
expect_in "an unknown flag: who is at work" "$out" "process $spawned"
expect "it was found in the log of a pod" "$(jq -r '.causes[0].source' <<<"$("$kind" explain "$name" --fleet "$fleet" -o json)")" "pods of kube-system"
kill -INT "$spawned"
sleep 0.2
kill -INT "$spawned" 2>/dev/null || true
ended 60 || not_ok "apply ends when it is interrupted"

# Killed from outside: the engine knows.
docker kill "$node" >/dev/null
run explain "$name"
expect_in "a killed node: what" "$out" "$node is exited"
expect_in "a killed node: cause" "$out" "was stopped or killed from outside"
run explain "$name" -o json
# The certificates' key and the tokens of kubeadm pass through logs and files that evidence is made of.
expect "no secret is told" "$(grep -cE 'BEGIN [A-Z ]*KEY|[a-z0-9]{6}\.[a-z0-9]{16}([^a-z0-9]|$)' <<<"$out" || true)" 0
expect "nor kept" "$(grep -rlE 'BEGIN [A-Z ]*KEY|[^a-z0-9][a-z0-9]{6}\.[a-z0-9]{16}[^a-z0-9]' "$failures" 2>/dev/null)" ""
run delete cluster --name "$name"
expect_code "it can be deleted" 0
expect "and with it goes its report" "$(find "$failures" -type f 2>/dev/null)" ""
