# shellcheck shell=bash
# Sourced by tests of git sources: repositories in the test's folder, and a cache of its own.
export XDG_CACHE_HOME=$folder/cache HOME=$folder/home GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME"
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
