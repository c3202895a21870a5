# shellcheck shell=bash
# Sourced by tests against a real engine: an engine, the program, a folder of their own, and a fleet of their own.
#
# KIND_BUILD names the build folder (default build/release). What a test made goes when it ends, and nothing else does: every cluster
# is named here first (`named`), and the engine may hold other people's clusters.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kind=$root/${KIND_BUILD:-build/release}/kind
test_name=$(basename "$0" .sh)
folder=$(mktemp -d "/tmp/kind-$test_name-XXXXXX")
fleet=e2e-$$
node_label=io.x-k8s.kind.cluster
names=()    # clusters that this test may make, delete and clean up
children=() # processes that this test started
undo=()     # commands for the end, such as an umount
bad=0

export KUBECONFIG=$folder/kubeconfig XDG_STATE_HOME=$folder/state
unset KIND_CLUSTER_NAME KIND_NODE_IMAGE KIND_EXPERIMENTAL_DOCKER_NETWORK KIND_EXPERIMENTAL_PROVIDER DOCKER_CONTEXT

# Of each node of a test that failed, before it is taken away: what kubeadm does, and the last words of kubelet and etcd.
evidence() {
    local node owner status
    docker ps -a --format '{{.Names}} {{.Label "fleet.kind/owner"}} {{.State}}' | while read -r node owner status; do
        case $owner in "$fleet" | "$fleet"-*) ;; *) continue ;; esac
        echo "# $node: $status"
        # shellcheck disable=SC2016  # the inner shell's own variables
        [ "$status" != running ] || timeout 20 docker exec "$node" sh -c '
            ps -eo etimes=,args= | grep "[k]ubeadm "
            journalctl -q --no-pager -o short-precise -u kubelet | grep -v "kubelet.go.* not found" | tail -n 8
            for log in /var/log/pods/kube-system_etcd*/*/*.log /var/log/pods/kube-system_kube-apiserver*/*/*.log; do
                if [ -e "$log" ]; then echo "$log" && tail -n 3 "$log"; fi
            done' 2>&1 </dev/null | cut -c1-240 | sed 's/^/#     /'
    done
}

# Ends what is left of the test's own processes and takes its containers and their volumes away.
leave() {
    local code=$? pid name id command
    trap - EXIT
    set +e
    for pid in "${children[@]}"; do
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    if [ "$code" -ne 0 ] || [ "$bad" -ne 0 ]; then evidence; fi
    for command in "${undo[@]}"; do $command; done
    # What is kept on purpose is not taken for what a killed test has left.
    [ -z "${KEEP:-}" ] || touch "$folder/kept-$fleet"
    for name in "${names[@]}"; do
        if [ -n "${KEEP:-}" ]; then
            echo "KEEP: cluster $name and $folder stay" >&2
            continue
        fi
        for id in $(docker ps -aq --filter "label=$node_label=$name") $(docker ps -aq --filter "name=^$name-control-plane$"); do
            docker rm -fv "$id" >/dev/null 2>&1
        done
    done
    [ -n "${KEEP:-}" ] || rm -rf "$folder"
    # A failure of a command that the test did not expect is a failure of the test.
    [ "$code" -eq 0 ] || echo "not ok $test_name went to its end: exit $code"
    [ "$code" -ne 0 ] || code=$bad
    exit "$code"
}

stop_here() {
    trap - EXIT
    echo "not ok $test_name can run: $*"
    rm -rf "$folder"
    exit 1
}

[ -x "$kind" ] || stop_here "no $kind; run make first"
command -v docker >/dev/null || stop_here "the docker CLI is missing; run make deps"
DOCKER_HOST=$("$root/e2e/engine" start) || stop_here "no engine"
export DOCKER_HOST
# The image that the product itself falls back to where no registry is in reach.
node_image=$(docker image ls --format '{{.Repository}}:{{.Tag}}' kind.local/node | head -n 1)
[ -n "$node_image" ] || stop_here "the engine has no node image; run make node-image"
trap leave EXIT
trap 'exit 130' INT TERM HUP

ok() { echo "ok $1"; }

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

# expect_not_in WHAT TEXT PART
expect_not_in() {
    case $2 in
        *"$3"*) not_ok "$1: '$3' is in: $2" ;;
        *) ok "$1" ;;
    esac
}

# holds WHAT COMMAND...: the command succeeds.
holds() {
    local what=$1 said
    shift
    if said=$("$@" 2>&1 </dev/null); then ok "$what"; else not_ok "$what: $* says: ${said:-nothing}"; fi
}

# says WHAT WANT COMMAND...: the command prints that; if not, what it said on stderr is told, too.
says() {
    local what=$1 want=$2 said code=0
    shift 2
    said=$("$@" 2>"$folder/complaint" </dev/null) || code=$?
    if [ "$said" = "$want" ]; then ok "$what"; else not_ok "$what: $* gives '$said' (exit $code), want '$want'; it complains: $(tail -n 5 "$folder/complaint")"; fi
}

# within SECONDS COMMAND...: until the command succeeds; false when the time is over.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1 </dev/null; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# comes_true SECONDS WHAT COMMAND...
comes_true() {
    local seconds=$1 what=$2
    shift 2
    if within "$seconds" "$@"; then ok "$what"; else not_ok "$what: not within $seconds s: $*: $("$@" 2>&1 </dev/null | tail -n 3)"; fi
}

# repaired WHAT SINCE: told beside the sums: how long a repair took, from a moment of `date +%s%N` on.
repaired() {
    local tenths=$((($(date +%s%N) - $2) / 100000000))
    printf 'time drift %-26s repaired, %3d.%d s from fault to Ready\n' "$1:" $((tenths / 10)) $((tenths % 10))
}

# named NAME...: clusters of these names are this test's.
named() { names+=("$@"); }

# cluster NAME [LINE...]: writes $folder/NAME.yaml: one control plane, with further lines of the object.
cluster() {
    local name=$1 file=$folder/$1.yaml
    shift
    {
        printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: %s\n' "$name"
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >"$file"
    named "$name"
}

# The program, of this test's fleet. Commands that know no fleet are called as "$kind".
ours() { timeout -k 10 420 "$kind" "$@" --fleet "$fleet"; }

# shellcheck disable=SC2034  # code, out, err and took are for the tests
# run COMMAND [OPTION...]: runs kind to its end; leaves $code, $out, $err, $took (seconds).
run() {
    local began=$SECONDS
    code=0
    case $1 in
        apply | diff | status | explain) ours "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$? ;;
        *) timeout -k 10 300 "$kind" "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$? ;;
    esac
    out=$(<"$folder/out") err=$(<"$folder/err") took=$((SECONDS - began))
}

# expect_code WHAT WANT: of the last run; a surprise shows what it said.
expect_code() {
    if [ "$code" = "$2" ]; then ok "$1"; else not_ok "$1: exit $code, want $2; it said: $(tail -n 20 "$folder/err" "$folder/out")"; fi
}

# spawn COMMAND...: kind in the background, without a timeout around it that a kill would hit instead; its process is $spawned, its
# words are in $folder/spawn.out and $folder/spawn.err.
spawn() {
    : >"$folder/spawn.out"
    : >"$folder/spawn.err"
    # Without job control bash gives background processes an ignored SIGINT; env makes it the default again.
    env --default-signal=INT "$kind" "$@" --fleet "$fleet" >"$folder/spawn.out" 2>"$folder/spawn.err" </dev/null &
    spawned=$!
    children+=("$spawned")
}

# ended SECONDS: waits for the process of spawn; leaves $code.
ended() {
    within "$1" process_gone "$spawned" || return 1
    code=0
    wait "$spawned" || code=$?
}

# A child that has ended is a zombie until it is waited for.
process_gone() {
    case $(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) in
        '' | Z | X) true ;;
        *) false ;;
    esac
}

# seen TEXT: the process of spawn has printed it.
seen() { grep -qF -e "$1" "$folder/spawn.out" "$folder/spawn.err"; }

# at_step STEP: waits until apply -o json, spawned, says that it begins the step; false if it ends before.
at_step() {
    local end=$((SECONDS + 240))
    until seen "\"step\":\"$1\""; do
        if process_gone "$spawned" || ((SECONDS >= end)); then return 1; fi
        sleep 0.01
    done
}

# container NAME: the id of the container of that very name, or nothing.
container() { docker ps -aq --no-trunc --filter "name=^$1$"; }

# containers_of CLUSTER: ids.
containers_of() { docker ps -aq --no-trunc --filter "label=$node_label=$1" | sort; }

# volumes_of CONTAINER: names of the volumes that it holds.
volumes_of() { docker inspect -f '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}' "$1" | sed '/^$/d'; }

# has_volume NAME
has_volume() { docker volume inspect "$1" >/dev/null 2>&1; }

# in_node NODE COMMAND...
in_node() { docker exec "$@" </dev/null; }

# kubectl of the node itself, at the cluster of that node; stdin is passed on.
node_kubectl() {
    local node=$1
    shift
    docker exec -i -e KUBECONFIG=/etc/kubernetes/admin.conf "$node" kubectl "$@"
}

# All nodes of the cluster of NODE are Ready.
nodes_ready() {
    local seen
    seen=$(node_kubectl "$1" get nodes --no-headers </dev/null) && [ -n "$seen" ] && ! awk '{print $2}' <<<"$seen" | grep -qvx Ready
}

# host_kubectl NODE: kubectl of that node's image for the host, as the function `context` at the cluster $name.
host_kubectl() { docker cp -q -L "$1:/usr/bin/kubectl" "$folder/kubectl" 2>/dev/null || docker cp -L "$1:/usr/bin/kubectl" "$folder/kubectl" >/dev/null; }
context() { "$folder/kubectl" --request-timeout=10s --context "kind-$name" "$@"; }

# pod_runs POD
pod_runs() { [ "$(context get pod "$1" -o 'jsonpath={.status.phase}')" = Running ]; }

# All pods of the cluster run and are ready; prints those that do not.
all_pods_run() {
    local pods left
    pods=$(context get pods -A --no-headers) && [ -n "$pods" ] || return 1
    left=$(awk '{ split($3, ready, "/"); if ($4 != "Running" || ready[1] != ready[2]) print }' <<<"$pods")
    if [ -n "$left" ]; then
        echo "$left"
        return 1
    fi
}

# fetches POD URL TEXT: the pod gets that text. Not by wget's own -T: Debian's busybox dies of it.
fetches() { [[ $(context exec "$1" -- timeout 3 wget -qO- "$2") == "$3" ]]; }

# answers URL TEXT: the host gets that text.
answers() { [[ $(curl -fsS -m 3 "$1") == "$2" ]]; }

# free_port: a TCP port of the host that nobody has now.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
