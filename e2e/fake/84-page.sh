#!/usr/bin/env bash
# The status page in headless Chromium (page.py): a cluster appears, fails, explains itself, recovers; a broken file, the watcher
# gone and back; 200 clusters; a phone, dark and light, without a mouse.
. "$(dirname "$0")/session.sh"
engine_start --boot-ms 50 --api-ms 50 --ready-ms 50
lab=$folder/lab
mkdir "$lab"
cluster a "$lab/a.yaml"
watch_pid='' port=0

watch_start() {
    : >"$folder/watch.out"
    "$kind" watch -f "$lab" --prune --listen "127.0.0.1:$port" >"$folder/watch.out" 2>&1 </dev/null &
    watch_pid=$!
    for _ in $(seq 400); do
        port=$(sed -n 's|.*listening at http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$folder/watch.out")
        if [ -n "$port" ]; then return 0; fi
        sleep 0.05
    done
    not_ok "the watcher does not listen: $(cat "$folder/watch.out")"
    return 1
}

watch_stop() {
    local code=0
    kill "$watch_pid"
    wait "$watch_pid" || code=$?
    if [ "$code" -ne 143 ]; then not_ok "the watcher ends by its signal: exit $code: $(tail -n 3 "$folder/watch.out")"; fi
}

# What page.py asks for.
make_happen() {
    case $1 in
    fail)
        fake POST /_fake/journal '{"kubelet":"kubelet[1]: password=hunter2\nkubelet[1]: F1121 inotify_init: too many open files\n"}'
        fake POST /_fake/fault '{"action":"fail","match":"PUT /containers","count":100000,"status":500,"message":"write: it did not work, password=hunter2"}'
        cluster b "$lab/b.yaml"
        kill -HUP "$watch_pid"
        ;;
    recover)
        fake POST /_fake/clear
        # Written again, it is not waited for any longer.
        printf '# mended\n' >>"$lab/b.yaml"
        kill -HUP "$watch_pid"
        ;;
    break)
        printf 'apiVersion: fleet.kind/v1alpha1\nkind: Cluster\n"<img src=x onerror=window.owned=1>": 1\n' >"$lab/c.yaml"
        kill -HUP "$watch_pid"
        ;;
    mend)
        rm "$lab/c.yaml" "$lab/a.yaml"
        kill -HUP "$watch_pid"
        ;;
    'end the watcher') watch_stop ;;
    'start the watcher') watch_start ;;
    esac
}

watch_start
# Of a fleet in memory: 200 clusters at once.
"$build/cli/service_test" 127.0.0.1:0 200 >"$folder/story.out" 2>&1 </dev/null &
story_pid=$!
for _ in $(seq 400); do
    story=$(sed -n 's|^listening at ||p' "$folder/story.out")
    if [ -n "$story" ]; then break; fi
    sleep 0.05
done
HOME=$folder timeout 240 /usr/bin/python3 "$root/e2e/fake/page.py" "http://127.0.0.1:$port/" "$folder" "$story" >"$folder/page.out" 2>&1 </dev/null &
page_pid=$!
while kill -0 "$page_pid" 2>/dev/null; do
    if [ -e "$folder/want" ]; then
        make_happen "$(<"$folder/want")"
        rm "$folder/want"
    fi
    sleep 0.02
done
code=0
wait "$page_pid" || code=$?
cat "$folder/page.out"
expect "the browser came to its end" "$code" 0
kill "$story_pid"
wait "$story_pid" || true
watch_stop
