#!/usr/bin/env bash
# Three repositories, over the disk, http and ssh, each watched by a fleet of its own: a pushed commit brings a cluster up, a
# broken one changes nothing, the next gives it a worker, the last deletes it.
# takes 130 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"
# shellcheck source=../fake/repository.sh
. "$(dirname "$0")/../fake/repository.sh"

ways=(file http ssh)
token=s3cret
printf '%s\n' "$token" >"$folder/token"
ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
ssh-keygen -q -t ed25519 -N '' -f "$folder/me"
chmod 600 "$folder/token"
http_start "$folder/http.log"
http_port=$port
ssh_start me.pub host
echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$folder/host.pub")" >"$folder/hosts"

for way in "${ways[@]}"; do
    git init -q --bare -b main "$folder/$way.git"
    repository_begin "$way"
    git -C "$folder/$way" remote add origin "$folder/$way.git"
    named "$way-$$"
done

# push SUBJECT [LINE...]: each repository's cluster with these lines, or none of them without.
push() {
    local way
    for way in "${ways[@]}"; do
        mkdir -p "$folder/$way/lab"
        rm -f "$folder/$way/lab"/*.yaml
        echo 'clusters of the lab' >"$folder/$way/lab/README"
        [ $# -eq 1 ] || printf '%s\n' 'apiVersion: kind.x-k8s.io/v1alpha4' 'kind: Cluster' "name: $way-$$" "${@:2}" >"$folder/$way/lab/ci.yaml"
        commit "$way" "$1"
        git -C "$folder/$way" push -q origin main
    done
}

# watch WAY OPTION...
watch() {
    "$kind" watch --fleet "$fleet-$1" --prune --allow-empty --interval 1s --path lab "${@:2}" \
        >"$folder/$1.out" 2>"$folder/$1.err" </dev/null &
    children+=($!)
}

# all SECONDS WHAT TEXT: the log of each watcher has it by then.
all() {
    local way
    for way in "${ways[@]}"; do
        comes_true "$1" "$2, over $way ($((SECONDS - began)) s)" grep -qF -- "${3//WAY/$way-$$}" "$folder/$way.err"
    done
}
ids() { for way in "${ways[@]}"; do containers_of "$way-$$"; done; }
source_of() { "$kind" status --fleet "$fleet-$1" -o json | jq -r ".watch.sources[0].$2"; }
gone() { [ -z "$(ids)" ]; }
workers_ready() {
    local way
    for way in "${ways[@]}"; do
        [ "$(docker exec "$way-$$-control-plane" kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers |
            grep -c ' Ready ')" -eq 2 ] || return 1
    done
}

began=$SECONDS
push 'a cluster' 'nodes: [{role: control-plane}]'
watch file --git "file://$folder/file.git"
watch http --git "http://127.0.0.1:$http_port/private/http.git" --git-token-file "$folder/token"
watch ssh --git "ssh://$(id -un)@127.0.0.1:$port$folder/ssh.git" --git-ssh-key "$folder/me" --git-known-hosts "$folder/hosts"
all 200 "a commit brings a cluster up" "WAY: Ready"

before=$(ids)
began=$SECONDS
push 'a mistake' 'nodse: []'
all 20 "a broken commit is refused" "is refused, what was in force stays in force"
for way in "${ways[@]}"; do
    expect "status tells the one that is refused, over $way" "$(source_of "$way" pending)" "$(git -C "$folder/$way" rev-parse HEAD)"
    expect_in "and why" "$(source_of "$way" problem)" "lab/ci.yaml:4:1: error"
    expect "and the one in force" "$(source_of "$way" subject)" "a cluster"
done
expect "it changes nothing" "$(ids)" "$before"

began=$SECONDS
push 'a worker more' 'nodes: [{role: control-plane}, {role: worker}]'
comes_true 120 "the next commit gives each a worker" workers_ready

began=$SECONDS
push 'nothing any more'
comes_true 60 "the last one deletes them" gone
all 10 "it is told" "revision"
expect "the token is in no log" "$(cat "$folder"/*.err "$folder"/*.out | grep -c "$token" || true)" 0
