#!/usr/bin/env bash
# An engine in trouble: failures, lost answers and garbage pass; apply converges all the same.
. "$(dirname "$0")/session.sh"
cluster a

# trouble WHAT FAULTS-JSON
trouble() {
    engine_start --boot-ms 1 --api-ms 5 --ready-ms 5
    rm -f "$KUBECONFIG"*
    fake POST /_fake/fault "$2" >/dev/null
    run apply -f "$folder/a.yaml"
    if [ "$code" -ne 0 ]; then run apply -f "$folder/a.yaml"; fi
    expect "$1: apply converges" "$code" 0
    expect "$1: one container" "$(fake GET /_fake/state | jq '.containers | length')" 1
    engine_stop
}

trouble "create answers 500 once" '{"action":"fail","match":"containers/create","status":500}'
trouble "create is done, the answer lost" '{"action":"drop-after","match":"containers/create"}'
trouble "start answers 500 once" '{"action":"fail","match":"/start","status":500}'
trouble "the record's answer is lost" '{"action":"drop-after","match":"path=%2Fkind","mutating":true}'
trouble "a list is garbage once" '{"action":"garbage","match":"containers/json","at":2}'
trouble "the API fails for a while" '{"action":"fail","where":"kube","count":5,"status":503}'
trouble "an exec is refused once" '{"action":"fail","match":"/exec","status":409}'
