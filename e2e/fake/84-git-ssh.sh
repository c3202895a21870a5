#!/usr/bin/env bash
# A git repository over ssh, from Debian's own server: who asks and who answers must both be known.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/repository.sh"
engine_start
repository_begin lab
cluster ci "$folder/lab/ci.yaml"
commit lab 'begin'

cd "$folder" || exit
for type in ed25519 ecdsa rsa; do
    ssh-keygen -q -t "$type" -N '' -f "host_$type"
    ssh-keygen -q -t "$type" -N '' -f "me_$type"
done
ssh-keygen -q -t ed25519 -N '' -f stranger
ssh-keygen -q -t ed25519 -N secret -f locked
ssh_start me_ed25519.pub host_ed25519 host_ecdsa
cd "$root" || exit
url=ssh://$(id -un)@127.0.0.1:$port$folder/lab
host="[127.0.0.1]:$port"
hosts=$folder/hosts
known() { # TYPE
    echo "$host $(cut -d ' ' -f 1,2 "$folder/host_$1.pub")"
}
ask() { # KEY [URL]
    run diff --git "${2:-$url}" --git-ssh-key "$folder/$1" --git-known-hosts "$hosts"
}

known ed25519 >"$hosts"
run apply --git "$url" --git-ssh-key "$folder/me_ed25519" --git-known-hosts "$hosts"
expect "over ssh" "$code" 0
ssh-keygen -q -H -f "$hosts" >/dev/null 2>&1
ask me_ed25519
expect "a host by its hashed name" "$code" 0
known ecdsa >"$hosts"
ask me_ed25519
expect "the host is asked for the type of key that is known" "$code" 0
mkdir -m 700 "$HOME/.ssh"
known ed25519 >"$HOME/.ssh/known_hosts"
cp "$folder/me_ed25519" "$HOME/.ssh/id_ed25519"
run diff --git "$url"
expect "key and hosts are where ssh has them" "$code" 0

: >"$hosts"
ask me_ed25519
refused "a host that nobody knows" "does not know the host 127.0.0.1; ssh-keyscan -p $port"
expect "it is not learnt" "$(wc -c <"$hosts")" 0
echo "$host $(cut -d ' ' -f 1,2 "$folder/stranger.pub")" >"$hosts"
ask me_ed25519
refused "another host answers" "somebody else may be answering"
{
    known ed25519
    echo "@revoked * $(cut -d ' ' -f 1,2 "$folder/host_ed25519.pub")"
} >"$hosts"
ask me_ed25519
refused "a host key that is revoked" "calls revoked"
known rsa >"$hosts"
ask me_ed25519
expect "a type of key that the host does not have" "$code" 2
known ed25519 >"$hosts"
run diff --git "$url" --git-ssh-key "$folder/me_ed25519" --git-known-hosts "$folder/none"
refused "no file of hosts" "--git-known-hosts $folder/none"

ask stranger
refused "a key that the server does not know" "refuses the key of $folder/stranger for user"
ask me_rsa
refused "an RSA key" "is an RSA key"
ask locked
refused "a key behind a passphrase" "behind a passphrase"
ask me_ed25519.pub
refused "the public half" "others can read it"
chmod 600 "$folder/me_ed25519.pub"
ask me_ed25519.pub
refused "the public half, hidden" "is the public half"
chmod 640 "$folder/me_ed25519"
ask me_ed25519
refused "a key that others can read" "chmod 600"
chmod 600 "$folder/me_ed25519"

ask me_ed25519 "ssh://$(id -un)@127.0.0.1:$port$folder/none"
expect "a repository that is not there" "$code" 2
expect_in "the server's words are told" "$err" "connect to ssh://"

echo "- echo more" >>"$folder/lab/notes"
commit lab 'more'
ask me_ed25519
expect_in "what is new comes over" "$err" "(more)"
servers_stop
ask me_ed25519
expect "a server that is down" "$code" 2
python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(60)' >"$folder/silent" &
servers+=($!)
port=$(first_line "$folder/silent")
host="[127.0.0.1]:$port"
known ed25519 >"$hosts"
began=$SECONDS
run diff --git "ssh://127.0.0.1:$port/lab" --git-ssh-key "$folder/me_ed25519" --git-known-hosts "$hosts" --git-timeout 1s
expect_in "a server that is silent" "$err" "it was connecting to ssh://127.0.0.1:$port"
expect "it is given up in time" "$((SECONDS - began < 10))" 1
expect "and the cluster is there" "$("$kind" get clusters 2>/dev/null)" ci
