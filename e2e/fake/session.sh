# shellcheck shell=bash
# Sourced by tests against the engine in memory: a folder, a fake engine, the program.
# KIND_BUILD names the build folder (default build/release).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/${KIND_BUILD:-build/release}
kind=$build/kind
folder=$(mktemp -d /tmp/kind-fake-XXXXXX)
export KUBECONFIG=$folder/kubeconfig DOCKER_HOST=unix://$folder/engine XDG_RUNTIME_DIR=$folder XDG_STATE_HOME=$folder/state
export XDG_CACHE_HOME=$folder/cache
unset KIND_CLUSTER_NAME KIND_NODE_IMAGE KIND_EXPERIMENTAL_DOCKER_NETWORK DOCKER_CONTEXT
# A build with sanitizers ends with 99 and reports into the folder, or (UBSan of gcc) to stderr.
export ASAN_OPTIONS=exitcode=99:log_path=$folder/sanitizer
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99:log_path=$folder/sanitizer
fake_pid=
bad=0

leave() {
    local code=$?
    engine_stop
    if cat "$folder"/sanitizer.* 2>/dev/null || grep -s 'runtime error:' "$folder/engine.out"; then not_ok "the sanitizers report the above"; fi
    rm -rf "$folder"
    [ "$code" -ne 0 ] || code=$bad
    exit "$code"
}
trap leave EXIT

engine_start() {
    # Emptied here: the one before has said "ready" in it, too, and the new one opens it a moment later.
    : >"$folder/engine.out"
    "$build/fake-engine" --socket "$folder/engine" --node-image kind.local/node:v1.20.2 --image kind.local/haproxy:2.6 "$@" \
        >"$folder/engine.out" 2>&1 </dev/null &
    fake_pid=$!
    for _ in $(seq 200); do
        if [[ $(<"$folder/engine.out") == *ready* ]]; then return 0; fi
        sleep 0.02
    done
    echo "not ok the fake engine does not start: $(cat "$folder/engine.out")"
    return 1
}

engine_stop() {
    if [ -n "$fake_pid" ]; then
        kill "$fake_pid" 2>/dev/null || true
        wait "$fake_pid" 2>/dev/null || true
    fi
    fake_pid=
}

# fake METHOD PATH [BODY]: the control paths of the fake engine.
fake() {
    curl -sS --max-time 10 --unix-socket "$folder/engine" -X "$1" ${3:+-d "$3"} "http://fake$2"
}

# The jq filter's answer about the requests since the last reset.
requests() {
    fake GET /_fake/requests | jq -r "$1"
}

ok() {
    echo "ok $1"
}

not_ok() {
    echo "not ok $1"
    bad=1
}

# expect WHAT GOT WANT
expect() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: got '$2', want '$3'"; fi
}

# expect_in WHAT TEXT PART
expect_in() {
    case $2 in
    *"$3"*) ok "$1" ;;
    *) not_ok "$1: no '$3' in: $2" ;;
    esac
}

# Runs kind; leaves $code, $out and $err.
run() {
    code=0
    { "$kind" "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$?; } 2>/dev/null
    out=$(<"$folder/out") err=$(<"$folder/err")
    if [ "$code" -eq 99 ]; then not_ok "kind $*: a sanitizer stopped it: $err"; fi
}

# cluster NAME [FILE]: a one-node cluster's description.
cluster() {
    cat >"${2:-$folder/$1.yaml}" <<EOF
apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster
name: $1
nodes:
- role: control-plane
  image: kind.local/node:v1.20.2
EOF
}
