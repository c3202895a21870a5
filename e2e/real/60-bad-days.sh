#!/usr/bin/env bash
# Bad days: each gives an error with place, cause and next step, leaves nothing behind, and is over when its cause is.
# takes 50 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

name=bad-$$
node=$name-control-plane

# An engine that is down: no socket at all, and one that nobody listens at.
cluster "$name"
engine=$DOCKER_HOST
export DOCKER_HOST=unix://$folder/none.sock
run apply -f "$folder/$name.yaml"
expect_code "no engine: apply ends with 1" 1
expect_in "no engine: it names the socket" "$err" "$folder/none.sock"
expect_in "no engine: it says where that name came from" "$err" DOCKER_HOST
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$folder/dead.sock"
export DOCKER_HOST=unix://$folder/dead.sock
run apply -f "$folder/$name.yaml"
expect_code "a dead engine: apply ends with 1 ($took s)" 1
expect_in "a dead engine: it names the socket" "$err" "$folder/dead.sock"
run diff -f "$folder/$name.yaml"
expect_code "a dead engine: diff ends with 2" 2
export DOCKER_HOST=$engine

# A node image that is not there.
cluster "image-$$" "nodes:" "- role: control-plane" "  image: kind.local/node:v0.0.0"
run apply -f "$folder/image-$$.yaml"
expect_code "no such local image: apply ends with 1 ($took s)" 1
expect_in "no such local image: it names it" "$err" "kind.local/node:v0.0.0"
expect_in "no such local image: it says what to do" "$err" "make node-image"
cluster "image-$$" "nodes:" "- role: control-plane" "  image: registry.invalid/node:v1"
run apply -f "$folder/image-$$.yaml" --wait=60s
expect_code "an image that cannot be pulled: apply ends with 1 ($took s)" 1
expect_in "an image that cannot be pulled: it names it" "$err" "registry.invalid/node:v1"
expect "without an image nothing is made" "$(containers_of "image-$$")" ""

# A port that somebody listens at.
port_file=$folder/port
python3 - "$port_file" <<'PYTHON' &
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1], "w") as file:
    file.write(str(listener.getsockname()[1]))
time.sleep(600)
PYTHON
listener=$!
children+=("$listener")
within 10 test -s "$port_file"
port=$(<"$port_file")
cluster "$name" "networking:" "  apiServerPort: $port"
run apply -f "$folder/$name.yaml"
expect_code "a port in use: apply ends with 1 ($took s)" 1
expect_in "a port in use: it names the port" "$err" "$port"
expect_in "a port in use: it says what to change" "$err" apiServerPort
expect "a port in use: nothing is left" "$(containers_of "$name")" ""
kill "$listener"
wait "$listener" 2>/dev/null || true
run apply -f "$folder/$name.yaml"
expect_code "when the port is free apply converges ($took s)" 0
expect "the API is at that port" "$(docker port "$node" 6443/tcp | head -n 1)" "127.0.0.1:$port"

# A node that was stopped, or killed, runs again; the same container.
id=$(container "$node")
docker stop -t 2 "$node" >/dev/null
run diff -f "$folder/$name.yaml"
expect_code "diff sees a stopped node" 1
run apply -f "$folder/$name.yaml"
expect_code "apply starts a stopped node ($took s)" 0
expect "it is the same container" "$(container "$node")" "$id"
holds "the node is Ready" nodes_ready "$node"

# A full disk under the kubeconfig. The old file has an entry that must survive.
full=$folder/full
mkdir "$full"
if mount -t tmpfs -o size=16k tmpfs "$full"; then
    undo+=("umount -l $full")
    printf 'apiVersion: v1\nkind: Config\ncurrent-context: old\ncontexts: []\n' >"$full/config"
    before=$(md5sum <"$full/config")
    head -c 16k /dev/zero >"$full/filler" 2>/dev/null || true
    run apply -f "$folder/$name.yaml" --kubeconfig "$full/config"
    expect_code "a full disk: apply ends with 1 ($took s)" 1
    expect_in "a full disk: it names the file" "$err" "$full/config"
    expect_in "a full disk: it says why" "$err" "No space left"
    expect "a full disk: the old kubeconfig is whole" "$(md5sum <"$full/config")" "$before"
    rm "$full/filler"
    expect "a full disk: no part of a file is left" "$(find "$full" -type f -printf '%f\n')" config
    run apply -f "$folder/$name.yaml" --kubeconfig "$full/config"
    expect_code "with space again apply converges" 0
    expect "the entry is there" "$(grep -c "name: kind-$name$" "$full/config")" 3
else
    not_ok "a full disk: no tmpfs could be mounted here"
fi

run delete cluster --name "$name"
expect_code "delete takes it away" 0
expect "no container is left" "$(containers_of "$name")" ""
