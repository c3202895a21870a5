# shellcheck shell=bash
# Sourced by tests of git sources: repositories in the test's folder, and a cache of its own.
export XDG_CACHE_HOME=$folder/cache HOME=$folder/home GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME" "$XDG_CACHE_HOME"
cache=$XDG_CACHE_HOME/kind/git
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY

# repository_begin NAME: an empty one, with a work tree.
repository_begin() {
    git init -q -b main "$folder/$1"
    git -C "$folder/$1" config user.name Ann
    git -C "$folder/$1" config user.email ann@lab
    git -C "$folder/$1" config gc.auto 0
}

# commit NAME SUBJECT: all that is there.
commit() {
    git -C "$folder/$1" add -A
    git -C "$folder/$1" commit -qm "$2"
}

# refused WHAT PART: the last run is an input error that says PART.
refused() {
    expect "$1: exit code" "$code" 2
    expect_in "$1: message" "$err" "$2"
}

# pids of what a test started itself; ended with it.
servers=()

servers_stop() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    servers=()
}
trap 'last=$?; set +e; servers_stop; (exit "$last"); leave' EXIT

# first_line FILE: once it is there.
first_line() {
    for _ in $(seq 250); do
        if [ -s "$1" ] && grep -q . "$1"; then
            head -n 1 "$1"
            return
        fi
        sleep 0.02
    done
    echo "not ok nothing comes into $1" >&2
}

# http_start LOG [CERTIFICATE KEY]: leaves $port.
http_start() {
    python3 "$root/e2e/fake/git_server.py" "$folder" "$token" "${@:2}" >"$1" 2>"$1.err" </dev/null &
    servers+=($!)
    port=$(first_line "$1")
}

# fetcher PID: the process in which that one reads a repository, once it is there.
fetcher() {
    local child
    for _ in $(seq 250); do
        child=$(pgrep -P "$1" -f __fetch-repository || true)
        if [ -n "$child" ]; then
            echo "$child"
            return
        fi
        sleep 0.02
    done
}

# is_gone PID: within two seconds.
is_gone() {
    for _ in $(seq 100); do
        if ! kill -0 "$1" 2>/dev/null; then return 0; fi
        sleep 0.02
    done
    return 1
}

# await WHAT COMMAND...: until it holds, for five seconds.
await() {
    for _ in $(seq 250); do
        if "${@:2}"; then return 0; fi
        sleep 0.02
    done
    not_ok "$1 does not come to be"
}

# ssh_start PUBLIC-KEY HOST-KEY...: Debian's server, for the user who runs the test; leaves $port.
ssh_start() {
    local config=$folder/sshd_config key
    # Privilege separation wants it, and packages leave it to the service that is not started here.
    if [ "$(id -u)" -eq 0 ]; then mkdir -p /run/sshd; fi
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    {
        printf '%s\n' "ListenAddress 127.0.0.1:$port" 'PidFile none' 'UsePAM no' 'StrictModes no' 'PasswordAuthentication no' \
            'PermitRootLogin prohibit-password' "AuthorizedKeysFile $1"
        for key in "${@:2}"; do echo "HostKey $folder/$key"; done
    } | sed "s|AuthorizedKeysFile |&$folder/|" >"$config"
    /usr/sbin/sshd -D -e -f "$config" 2>"$folder/sshd.log" </dev/null &
    servers+=($!)
    await "a server for ssh" grep -qs 'Server listening' "$folder/sshd.log"
}
