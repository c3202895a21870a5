# shellcheck shell=bash
# Sourced by tests of watchers: one in the background, and its log.
watch_pid=''

# watch SOURCE-AND-OPTIONS...: in the background, its log in $folder/log. That of an earlier one is empty from here on, whenever the
# new one begins.
watch() {
    : >"$folder/log"
    "$kind" watch "$@" >"$folder/watch.out" 2>"$folder/log" </dev/null &
    watch_pid=$!
}

# said TEXT [TIMES]: waits until the log has it, so often; at most 30 s.
said() {
    for _ in $(seq 600); do
        if [ "$(grep -cF -- "$1" "$folder/log")" -ge "${2:-1}" ]; then return 0; fi
        sleep 0.05
    done
    not_ok "the log does not say '$1' ${2:-once}: $(tail -n 20 "$folder/log")"
}

# ended: waits for the watcher's end; leaves its exit code in $code.
ended() {
    code=0
    { wait "$watch_pid" || code=$?; } 2>/dev/null
}

poll() {
    kill -HUP "$watch_pid"
}
