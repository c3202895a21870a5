#!/usr/bin/env bash
# A watcher over HTTP: health, metrics by Prometheus' own parser, API, events, hook, and who is turned away.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
lab=$folder/lab
mkdir "$lab"
cluster a "$lab/a.yaml"
watch_pid='' port=''
(umask 077 && echo "it is a secret" >"$folder/secret")

watch_start() {
    : >"$folder/log"
    "$kind" watch -f "$lab" "$@" >"$folder/log" 2>&1 </dev/null &
    watch_pid=$!
    for _ in $(seq 400); do
        port=$(sed -n 's|.*listening at http://[^ ]*:\([0-9]*\)/.*|\1|p' "$folder/log")
        if [ -n "$port" ]; then return 0; fi
        sleep 0.05
    done
    not_ok "the watcher does not listen: $(cat "$folder/log")"
    return 1
}

watch_stop() {
    kill "$watch_pid"
    code=0
    wait "$watch_pid" || code=$?
}

# get PATH [CURL-OPTION...]: leaves the status in $code and the answer in $out.
get() {
    local path=$1
    shift
    code=$(curl -sS --max-time 20 -o "$folder/answer" -w '%{http_code}' "$@" "http://127.0.0.1:$port$path")
    out=$(cat "$folder/answer")
}

# until_true COMMAND...: for at most 20 s.
until_true() {
    for _ in $(seq 400); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    return 1
}

is_ready() { [ "$(curl -s -o "$folder/answer" -w '%{http_code}' "http://127.0.0.1:$port/readyz")" = 200 ]; }
metric() { curl -s "http://127.0.0.1:$port/metrics" | sed -n "s/^$1 //p"; }
cluster_is() { [ "$(curl -s "http://127.0.0.1:$port/api/v1/clusters/$1" | jq -r .phase 2>/dev/null)" = "$2" ]; }

watch_start --listen 127.0.0.1:0 --hook-secret "$folder/secret"
until_true is_ready && ok "it becomes ready"
until_true cluster_is a settled && ok "a cluster is made"
get /healthz
expect "health" "$code $out" "200 ok"
get /api/v1/clusters
expect "the API" "$(jq -c '[.fleet, (.clusters[] | [.name, .synced, .ready, .nodesReady])]' <<<"$out")" '["default",["a",true,true,1]]'
expect "the source" "$(jq -r '.sources[] | select(.kind == "folder") | .problem' <<<"$out")" null
for secret in client-key-data certificate-authority-data PRIVATE "BEGIN "; do
    if grep -q -- "$secret" <<<"$out"; then not_ok "the API tells $secret"; fi
done
get /
expect "the page" "$code" 200
expect_in "its own style and program" "$(curl -sI "http://127.0.0.1:$port/")" "script-src 'sha256-"

# Prometheus' own parser takes all of it.
get /metrics
families=$(/usr/bin/python3 -c '
import sys
from prometheus_client.parser import text_string_to_metric_families
families = {family.name: family for family in text_string_to_metric_families(sys.stdin.read())}
for name in ("kind_build_info", "kind_cluster_condition", "kind_source_revision_info", "kind_engine_up", "process_cpu_seconds"):
    assert families[name].samples, name
counts = families["kind_reconcile_duration_seconds"].samples
total = [sample.value for sample in counts if sample.name.endswith("_count")]
last = [sample.value for sample in counts if sample.labels.get("le") == "+Inf"]
assert total == last and total[0] >= 1, counts
assert all(family.documentation for family in families.values())
print("parsed")' <"$folder/answer" 2>&1)
expect "metrics" "$families" parsed

# Who is turned away.
get /api/v1/clusters -H 'Host: evil.example'
expect "a name that was pointed here" "$code" 421
get /api/v1/clusters -X DELETE
expect "nothing is changed over HTTP" "$code" 405

# The hook.
body='{"ref":"refs/heads/main"}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "it is a secret" -r | cut -d' ' -f1)
hook() { get /hook -d "$body" -H "$1"; }
checks='kind_source_checks_total{source="[^"]*"}'
before=$(metric "$checks")
hook "X-Hub-Signature-256: sha256=${signature/[0-7]/8}"
expect "a wrong signature" "$code" 403
hook "X-Nothing: x"
expect "no signature" "$code" 401
cluster b "$lab/b.yaml"
hook "X-Hub-Signature-256: sha256=$signature"
expect "a right one" "$code" 202
until_true cluster_is b settled && ok "it leads to a look at the sources"
# One a second, however long the calls take, and a few that the new file led to.
began=$SECONDS
for _ in $(seq 50); do hook "X-Gitea-Signature: $signature"; done
after=$(metric "$checks")
if [ $((after - before)) -le $((SECONDS - began + 8)) ]; then ok "fifty more lead to a few"; else not_ok "$((after - before)) looks"; fi
expect "what was refused is counted" "$(metric 'kind_hook_requests_total{result="refused"}')" 2

# A reader of events, when the watcher ends.
curl -sN --max-time 30 "http://127.0.0.1:$port/api/v1/events" >"$folder/events" &
reader=$!
until_true grep -qs '^event: current' "$folder/events" && ok "events are told"
watch_stop
expect "the watcher ends by its signal" "$code" 143
wait "$reader" || true
ok "and so does the stream"

# A token, and options that cannot be.
watch_start --listen :0 --listen-token "$folder/secret"
get /metrics
expect "without the token" "$code" 401
get /metrics -H 'Authorization: Bearer it is a secret'
expect "with it" "$code" 200
get / -u 'me:it is a secret'
expect "by a browser" "$code" 200
get /hook -d x
expect "the hook is off" "$code $out" "404 the hook is off: start \`kind watch\` with --hook-secret"
watch_stop
run watch -f "$lab" --listen 0.0.0.0:0
expect "open to all without a token: exit code" "$code" 2
expect_in "words" "$err" "--listen-token"
chmod 644 "$folder/secret"
run watch -f "$lab" --listen :0 --listen-token "$folder/secret"
expect "a secret that all can read: exit code" "$code" 2
expect_in "words" "$err" "chmod 600"
run watch -f "$lab" --hook-secret "$folder/secret"
expect "a hook that nobody can call" "$code" 2
