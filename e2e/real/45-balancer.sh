#!/usr/bin/env bash
# The load balancer's image with the configuration that the product writes: it follows its backends as they come, go and fall ill, and takes
# a new configuration without losing a request. The backends are the same program, as TLS servers that say their name.
# takes 30 s
# alone: it counts the requests that fail in a second
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

image=$(docker image ls --format '{{.Repository}}:{{.Tag}}' kind.local/haproxy | grep ':[0-9]' | sort -V | tail -n 1)
network=e2e-lb-$$
prefix=e2e-lb-$$
config=/usr/local/etc/haproxy/haproxy.cfg
golden=$root/model/testdata/balancer

remove_all() {
    docker ps -aq --filter "name=^$prefix-" | xargs -r docker rm -fv
    docker network rm "$network"
} >/dev/null 2>&1
undo+=(remove_all)

# put CONTAINER FILE PATH
put() { docker cp -q "$2" "$prefix-$1:$3" 2>/dev/null || docker cp "$2" "$prefix-$1:$3" >/dev/null; }
signal() { docker kill --signal "$1" "$prefix-$2" >/dev/null; }

# What a backend answers on any path; one that is ill says so to health checks.
backend_config() {
    cat <<-CFG
		global
		    maxconn 100
		defaults
		    mode http
		    timeout connect 1s
		    timeout client 1m
		    timeout server 1m
		frontend api
		    bind *:6443 ssl crt /usr/local/etc/haproxy/server.pem
	CFG
    [ "$1" != ill ] || echo '    http-request return status 500 if { path /healthz }'
    # shellcheck disable=SC2016  # haproxy's own expression
    echo '    http-request return status 200 content-type text/plain lf-string "%[env(HOSTNAME)]"'
}

make_backends() {
    local name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test -days 2 \
        -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
    cat "$folder/certificate.pem" "$folder/key.pem" >"$folder/server.pem"
    backend_config well >"$folder/well.cfg"
    backend_config ill >"$folder/ill.cfg"
    # The names that the golden files speak of.
    for name in lab-control-plane lab-control-plane2 lab-control-plane3; do
        docker create --name "$prefix-$name" --hostname "$name" --network "$network" --network-alias "$name" "$image" >/dev/null
        put "$name" "$folder/well.cfg" "$config"
        put "$name" "$folder/server.pem" /usr/local/etc/haproxy/server.pem
    done
}

falls_ill() {
    put "$1" "$folder/ill.cfg" "$config"
    signal HUP "$1"
}

find_port() { port=$(docker port "$prefix-balancer" 6443/tcp | head -n 1 | sed 's/.*://'); }
ask() { curl -sk -m 4 "https://127.0.0.1:$port/"; }

# answers NAME: of six requests one goes there.
answers() {
    local i
    for i in 1 2 3 4 5 6; do [ "$(ask)" != "$1" ] || return 0; done
    return 1
}

silent() { ! answers "$1"; }
running() { [ "$(docker inspect -f '{{.State.Running}}' "$prefix-balancer")" = true ]; }
# Has the balancer said so?
said() { docker logs "$prefix-balancer" 2>&1 | grep -qE "$1"; }

# survey SECONDS: asks all the time; leaves who answered in $seen, and how many requests failed in $failures.
survey() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000)) name
    failures=0
    : >"$folder/seen"
    while ((${EPOCHREALTIME/./} < end)); do
        name=$(ask) || failures=$((failures + 1))
        echo "$name" >>"$folder/seen"
    done
    seen=$(sort -u "$folder/seen" | grep . | tr '\n' ' ')
}

[ -n "$image" ] || not_ok "the engine has a kind.local/haproxy; run make node-image"
[ -n "$image" ] || exit 1
docker network create "$network" >/dev/null
make_backends

# The image alone, before anybody has configured it.
docker create --name "$prefix-balancer" --network "$network" --restart on-failure:1 -p 127.0.0.1::6443 -t "$image" >/dev/null
docker start "$prefix-balancer" >/dev/null
comes_true 2 "an image without configuration runs" said 'Loading success'
holds "and goes on" running
docker stop "$prefix-balancer" >/dev/null
expect "stopping it leaves a code by which the engine brings it back" "$(docker inspect -f '{{.State.ExitCode}}' "$prefix-balancer")" 137

# Configured before it starts, while only one of the three is there: names that mean nothing yet do no harm.
put balancer "$golden/haproxy-ipv4-3.cfg" "$config"
docker start "$prefix-lab-control-plane" "$prefix-balancer" >/dev/null
find_port
comes_true 2 "requests go through as soon as it runs" answers lab-control-plane
docker start "$prefix-lab-control-plane2" "$prefix-lab-control-plane3" >/dev/null
comes_true 5 "a backend whose name did not resolve comes in later" answers lab-control-plane2
comes_true 5 "and the other one" answers lab-control-plane3

# A node dies. What asks right then waits for a quarter of a second; a client in the middle of connecting may see one failure.
docker kill "$prefix-lab-control-plane2" >/dev/null
survey 2
expect "at most one request fails in the two seconds after a death" "$((failures <= 1))" 1
comes_true 5 "it is given up" said 'healthy/lab-control-plane2 is (going )?DOWN'
survey 1
expect "then none fails" "$failures" 0
expect "and the others answer" "$seen" "lab-control-plane lab-control-plane3 "
docker start "$prefix-lab-control-plane2" >/dev/null
comes_true 5 "it is used again when it is back" answers lab-control-plane2

# An API that answers, but is not ready.
falls_ill lab-control-plane3
comes_true 5 "one whose health check fails is left out" silent lab-control-plane3
survey 1
expect "without a failed request" "$failures" 0

# A new configuration, while clients ask.
put balancer "$golden/haproxy-ipv4-1.cfg" "$config"
for _ in 1 2 3 4; do signal HUP balancer; done &
signals=$!
survey 2
expect "while SIGHUP comes again and again, no request fails" "$failures" 0
wait "$signals"
survey 1
expect "the new configuration is in force" "$seen$failures" "lab-control-plane 0"
echo 'not a word of it' >"$folder/broken.cfg"
put balancer "$folder/broken.cfg" "$config"
signal HUP balancer
survey 1
expect "one that is broken changes nothing" "$seen$failures" "lab-control-plane 0"
put balancer "$golden/haproxy-ipv4-3.cfg" "$config"
signal HUP balancer
comes_true 5 "and the next good one does" answers lab-control-plane2

# All are ill: an API that says so is better than none.
falls_ill lab-control-plane
falls_ill lab-control-plane2
survey 5
answered=$seen
survey 1
expect "where none is healthy all are asked" "$answered" "lab-control-plane lab-control-plane2 lab-control-plane3 "
expect "and no request fails" "$failures" 0

docker restart "$prefix-balancer" >/dev/null
find_port
comes_true 3 "a restarted one still has its configuration" answers lab-control-plane
