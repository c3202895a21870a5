#!/usr/bin/env bash
# The process is killed after each engine request in turn; another apply converges every time,
# and leaves one container, one network, one entry and nothing else. KIND_KILL says how: "kill"
# (the request was carried out, but not answered) or "kill-after" (it was answered, too). KIND_NODES is
# what the cluster has, KIND_STRIDE takes every so many-th request only, and KIND_SAMPLE every so many-th of those.
. "$(dirname "$0")/session.sh"

check_world() {
    local there
    there=$(fake GET /_fake/state | jq -r '"\(.containers | length)/\([.networks[] | select(. == "kind")] | length)"')
    if [ "$there" != "$expected/1" ]; then
        not_ok "killed $1 request $2: $there containers/networks of our name"
        return
    fi
    if [[ $'\n'$(<"$KUBECONFIG") != *$'\n- context'* || $'\n'$(<"$KUBECONFIG") == *$'\n- context'*$'\n- context'* ]]; then
        not_ok "killed $1 request $2: the kubeconfig has not one context"
    fi
}

fast=(--boot-ms 1 --api-ms 1 --ready-ms 1)

# killed_at ACTION N: kills at the Nth request, applies again, looks, applies a third time.
killed_at() {
    engine_start "${fast[@]}" --fault "{\"action\":\"$1\",\"at\":$2,\"where\":\"engine\"}"
    rm -f "$KUBECONFIG"*
    run apply -f "$folder/a.yaml"
    case $code in
    137) killed=$((killed + 1)) ;;
    # The client had closed that connection already: nobody to kill. How many requests there are varies: a fault that was not met must not
    # meet the next apply.
    0) fake POST /_fake/clear >/dev/null ;;
    *) not_ok "request $2: the first apply ended with $code: $err" ;;
    esac
    run apply -f "$folder/a.yaml"
    if [ "$code" -ne 0 ]; then
        not_ok "killed at request $2 ($1): apply ended with $code: $(tail -n 3 <<<"$err")"
    else
        check_world "$1 of" "$2"
        run apply -f "$folder/a.yaml"
        case $out in
        *"Nothing to do"*) ;;
        *) not_ok "killed at request $2 ($1): a third apply still works ($code): $out $(tail -n 3 <<<"$err")" ;;
        esac
    fi
    engine_stop
}

cluster a
stride=$((${KIND_STRIDE:-1} * ${KIND_SAMPLE:-1}))
if [ -n "${KIND_NODES:-}" ]; then
    printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: a\nnodes: %s\n' "$KIND_NODES" >"$folder/a.yaml"
fi
engine_start "${fast[@]}"
run apply -f "$folder/a.yaml"
total=$(requests 'map(select(.where == "engine")) | length')
expected=$(fake GET /_fake/state | jq '.containers | length')
engine_stop
if [ "$total" -lt 40 ]; then not_ok "only $total requests in a whole apply"; fi
for action in ${KIND_KILL:-kill}; do
    killed=0
    for moment in $(seq "$stride" "$stride" "$total"); do
        killed_at "$action" "$moment"
    done
    # How many requests there are varies with polls; nearly every one must have met its end.
    if [ "$killed" -lt $((total * 8 / 10 / stride)) ]; then not_ok "$action: only $killed of $total killed"; fi
    if [ "$bad" -eq 0 ]; then ok "$action at one in $stride of $total requests: $killed kills, all converge"; fi
done
