#!/usr/bin/env bash
# Failure with reasons: evidence, cause and cure, what is kept of it, explain and status; and that no secret is in any of it.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 5 --ready-ms 5
cluster a
failures=$XDG_STATE_HOME/kind/failures
token=abcdef.0123456789abcdef

# A cluster that is well, and one that is not there.
run explain a
expect "explain of nothing: exit code" "$code" 1
expect_in "explain of nothing: words" "$err" "there is no cluster 'a' on this engine"
run apply -f "$folder/a.yaml"
expect "a cluster" "$code" 0
expect "what goes well leaves no report" "$(ls "$failures" 2>/dev/null)" ""
run explain a
expect "explain of a healthy cluster: exit code" "$code" 0
expect "explain of a healthy cluster: words" "$out" "a is Ready: 1 node, v1.20.2, nothing to explain"
run explain a -o json
expect "the same as JSON" "$(jq -c '[.well, .causes, [.conditions[] | .type + "=" + .status]]' <<<"$out")" \
    '[true,[],["Synced=True","Ready=True","Stalled=False"]]'
run status a -o json
expect "conditions in status" "$(jq -c '.clusters[0].conditions[1] | [.type, .status, .reason, .lastTransitionTime]' <<<"$out")" \
    '["Ready","True","NodesReady",null]'
fake POST /_fake/reset-log
run apply -f "$folder/a.yaml"
expect "nothing to do costs no more than before" "$(requests 'map(select(.where == "engine")) | length')" 3

# An action that fails three times: told with cause and cure, and kept.
run delete cluster --name a
fake POST /_fake/journal "$(jq -n --arg token "$token" '{kubelet:
    "kubelet[1]: I1121 all is well\nkubelet[1]: using token \($token) and password=hunter2\nkubelet[1]: F1121 inotify_init: too many open files\n"}')"
fake POST /_fake/fault '{"action":"fail","match":"POST /networks/create","count":100000,"status":500,"message":"could not find an available, non-overlapping IPv4 address pool"}'
fake DELETE /networks/kind
run apply -f "$folder/a.yaml" --wait 2m
expect "an engine without addresses: exit code" "$code" 1
expect_in "it tells the cause" "$err" "a: cause: the engine has no address range left for another network"
expect_in "and the cure" "$err" "a: cure: docker network prune"
expect_in "and where there is more" "$err" "\`kind explain a\` tells more"
expect "the cause is told once, and at the end" "$(grep -c 'a: cause:' <<<"$err")" 2
expect "one report" "$(find "$failures" -type f | wc -l)" 1
expect "for this user alone" "$(stat -c %a "$failures" "$failures"/*)" "$(printf '700\n600')"
run explain a
expect "explain of what never came to be: exit code" "$code" 0
expect_in "it is not there" "$out" "a is not there; an apply failed "
expect_in "what" "$out" "  what      kind: "
expect_in "cause" "$out" "  cause     the engine has no address range left"
expect_in "evidence" "$out" "  evidence  error: "
expect_in "cure" "$out" "  cure      docker network prune"
expect_in "next" "$out" "  next      given up after 3 failures in a row; when it is mended, \`kind apply\` tries again"
run apply -f "$folder/a.yaml" -o json --wait 2m
expect "JSON has the cause" "$(tail -n 1 <<<"$out" | jq -r '.clusters[0].failure.cause.id')" address-pools
expect "and each event of it" "$(jq -r 'select(.type == "stalled") | .failure.cause.id' <<<"$out")" address-pools
fake POST /_fake/clear

# A node that cannot be set up: the journal of its kubelet says why.
fake POST /_fake/fault '{"action":"fail","match":"PUT /containers","count":100000,"status":500,"message":"write: it did not work with token: '$token'"}'
run apply -f "$folder/a.yaml" --wait 2m
expect "a node that cannot be set up: exit code" "$code" 1
expect_in "the cause is in its journal" "$err" "a: cause: the host's inotify instances are used up"
expect_in "with its cure" "$err" "a: cure: sysctl -w fs.inotify.max_user_instances=1024"
run status
expect_in "status says so" "$out" "given up: the host's inotify instances are used up; \`kind explain a\` tells more"
run status -o wide
expect_in "status -o wide has the reason" "$out" "InotifyInstances"
run status a -o json
expect "stalled is a condition" "$(jq -c '.clusters[0].conditions[2] | [.type, .status, .reason]' <<<"$out")" \
    '["Stalled","True","InotifyInstances"]'
expect "it has a time" "$(jq -r '.clusters[0].conditions[2].lastTransitionTime' <<<"$out" | tr 0-9 9)" "9999-99-99T99:99:99Z"
run explain a
expect_in "explain: headline" "$out" "a is not Ready, for "
expect_in "explain: evidence" "$out" "  evidence  kubelet of a-control-plane: kubelet[1]: F1121 inotify_init: too many open files"
run explain a -o json
expect "explain -o json: cause" "$(jq -r '.causes[0].id' <<<"$out")" inotify-instances
expect_in "explain -o json: evidence" "$(jq -r '.evidence[] | select(.source == "kubelet") | .lines[]' <<<"$out")" "inotify_init"
expect "no secret is kept" "$(grep -rlE '0123456789abcdef|hunter2' "$failures")" ""
expect_in "but what was around it" "$(cat "$failures"/*)" "using token abcdef.(removed) and password=(removed)"
for view in "explain a" "explain a -o json" "status" "status -o json"; do
    # shellcheck disable=SC2086 # two words
    run $view
    case "$out$err" in *0123456789abcdef* | *hunter2*) not_ok "$view shows a secret" ;; *) ok "$view shows no secret" ;; esac
done

# A full disk is told as such, and not as a cause of another kind.
fake POST /_fake/clear
fake POST /_fake/journal '{"kubelet":"all is well\n"}'
fake POST /_fake/fault '{"action":"fail","match":"PUT /containers","count":100000,"status":500,"message":"write /kind/kubeadm.conf: no space left on device"}'
run apply -f "$folder/a.yaml" --wait 2m
expect_in "a full disk" "$err" "a: cause: the disk of the engine (or of TMPDIR) is full"

# When it goes well, the report is gone; and nothing decides by one.
fake POST /_fake/clear
run apply -f "$folder/a.yaml"
expect "what is mended goes well" "$code" 0
expect "and its report is gone" "$(find "$failures" -type f | wc -l)" 0
run status a
expect_in "status is well again" "$out" "a        yes     yes"
printf 'no json' >"$failures/a@00000000.json"
run explain a
expect_in "a broken report is none" "$out" "nothing to explain"

# What nobody has applied is looked at now.
fake POST "/_fake/exit?container=a-control-plane&code=137"
run explain a
expect "explain of a killed node: exit code" "$code" 0
expect_in "explain of a killed node: what" "$out" "  what      a-control-plane is exited"
expect_in "explain of a killed node: cause" "$out" "  cause     the container of a-control-plane was stopped or killed from outside"
expect_in "explain of a killed node: next" "$out" "  next      \`kind apply\` goes on from what is there"
run explain a --fleet other
expect_in "explain of another's" "$out" "a is not of this fleet"

# Without a place for reports all goes on.
XDG_STATE_HOME=/proc/nowhere run apply -f "$folder/a.yaml"
expect "no place for reports" "$code" 0

# Before anything is made: a port that somebody listens at, on an engine of this host.
fake POST /_fake/info "{\"Name\":\"$(uname -n)\",\"KernelVersion\":\"$(uname -r)\",\"DockerRootDir\":\"$folder\"}"
python3 -c 'import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], file=open(sys.argv[1], "w"), flush=True)
time.sleep(600)' "$folder/port" &
listener=$!
for _ in $(seq 200); do
    if [ -s "$folder/port" ]; then break; fi
    sleep 0.02
done
port=$(<"$folder/port")
cluster b
printf 'networking: {apiServerPort: %s}\n' "$port" >>"$folder/b.yaml"
fake POST /_fake/reset-log
run apply -f "$folder/b.yaml"
expect "a port in use: exit code" "$code" 1
expect_in "a port in use: which, and by whom" "$err" "host port 127.0.0.1:$port is in use by python3 (process $listener); stop what listens there"
expect "nothing was made" "$(requests 'map(select(.mutating)) | length')" 0
run explain b
expect_in "explain knows it" "$out" "  cause     a host port that the cluster asks for is taken"
run apply -f "$folder/b.yaml" --skip-preflight --wait 1m
expect_in "who insists is warned" "$err" "b: warning: host port 127.0.0.1:$port is in use"
expect_in "and it is made" "$(requests 'map(.path) | unique | join(" ")')" "/containers/create"
kill $listener
wait $listener 2>/dev/null || true
