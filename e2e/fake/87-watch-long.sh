#!/usr/bin/env bash
# A watcher that works for long: memory and open files stay what they are, and at rest it says that it rests.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/watching.sh"
engine_start --boot-ms 1 --api-ms 1 --ready-ms 1
lab=$folder/lab
mkdir "$lab"
for i in 1 2 3 4; do cluster "w$i" "$lab/w$i.yaml"; done
resident() { awk '/^VmRSS/ {print $2}' "/proc/$watch_pid/status"; }
metric() { curl -sS "http://$address/metrics" | sed -n "s/^$1 //p"; }

watch -f "$lab" --listen 127.0.0.1:0
for i in 1 2 3 4; do said "w$i: Ready"; done
address=$(sed -n 's|.*listening at http://\([0-9.:]*\)/.*|\1|p' "$folder/log")
sleep 0.2
expect "who has finished works no more" "$(metric kind_reconcile_active), $(metric kind_reconcile_queue_depth)" "0, 0"

# The sanitizers' own memory does not rest.
if ! grep -qE 'AddressSanitizer|ThreadSanitizer' "$kind"; then
    before=$(resident)
    poll
    said "asked to look at everything again"
    for _ in $(seq 100); do
        if [ "$(resident)" -lt $((before * 3 / 4)) ]; then break; fi
        sleep 0.05
    done
    if [ "$(resident)" -lt $((before * 3 / 4)) ]; then
        ok "what beginning took is given back"
    else
        not_ok "what beginning took is given back: $before KiB, then $(resident) KiB"
    fi
    if e2e/watch_soak "$folder/engine" "$lab" "$watch_pid" "$address" 100 >"$folder/soak"; then
        ok "100 repairs leave memory and files flat"
    else
        not_ok "100 repairs leave memory and files flat: $(cat "$folder/soak")"
    fi
fi
kill "$watch_pid"
ended
expect "it ends as told" "$code" 143
