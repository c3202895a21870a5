#!/usr/bin/env bash
# Ctrl-C and SIGTERM end apply soon and in order; the next apply goes on. Of two at once, the second waits and finds all done.
# takes 50 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=interrupt-$$
node=$name-control-plane
cluster "$name"

# interrupted SIGNAL STEP SECONDS [SIGNAL]: with a second signal, if given, half a second later.
interrupted() {
    local signal=$1 step=$2 seconds=$3 again=${4:-} began
    spawn apply -f "$folder/$name.yaml" -o json
    if ! at_step "$step"; then
        not_ok "$signal in '$step': it never came there: $(tail -n 3 "$folder/spawn.err" | cut -c1-300)"
        ended 5 || kill -9 "$spawned"
        return
    fi
    began=$SECONDS
    kill -s "$signal" "$spawned"
    if [ -n "$again" ]; then
        sleep 0.5
        kill -s "$again" "$spawned" 2>/dev/null || true
    fi
    if ! ended "$seconds"; then
        not_ok "$signal in '$step': ends within $seconds s"
        kill -9 "$spawned"
        ended 5 || true
        return
    fi
    ok "$signal in '$step': ends within $seconds s ($((SECONDS - began)) s)"
    # As a shell says it: 128 and the number of the first signal.
    expect "$signal in '$step': exit code" "$code" "$((128 + $(kill -l "$signal")))"
    expect_in "$signal in '$step': it says how to go on" "$(<"$folder/spawn.err")" "kind apply"
    expect "$signal in '$step': what was made is kept" "$(containers_of "$name" | wc -l)" 1
}

interrupted INT "boot" 15
interrupted TERM "wait for the API" 15
interrupted INT "wait for the nodes" 5 INT

# The first of the two is seen to work before the second begins.
spawn apply -f "$folder/$name.yaml" -o json
comes_true 20 "the first of two applies is at work" seen '"action-begins"'
first=$spawned
run apply -f "$folder/$name.yaml"
expect_code "the second ends well ($took s)" 0
expect_in "it said for whom it waited" "$err" "process $first"
expect_in "then it had nothing to do" "$out" "Nothing to do"
if ended 10; then
    expect "the first ended well" "$code" 0
else
    not_ok "the first ended before the second"
fi
holds "the node is Ready" nodes_ready "$node"
expect "there is one container" "$(containers_of "$name" | wc -l)" 1
