#!/usr/bin/env bash
# A git repository over http and https: who asks, who answers, and servers that are slow, silent or
# strange; processes that are killed in the middle of a fetch.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/repository.sh"
engine_start
token=s3cret-of-the-lab
printf '%s\n' "$token" >"$folder/token"
chmod 600 "$folder/token"

repository_begin lab
cluster ci "$folder/lab/ci.yaml"
commit lab 'begin'
http_start "$folder/http.log"
url=http://127.0.0.1:$port

# unavailable WHAT PART: the last run failed, because of the server: 1 of apply, 2 of diff.
unavailable() {
    expect "$1: exit code" "$code" 1
    expect_in "$1: message" "$err" "$2"
}

run diff --git "http://a-token@127.0.0.1:$port/open/lab/.git"
expect_in "diff over http" "$out" "+ ci"
expect_in "its advice keeps to itself what may be a token" "$out" "Apply with: kind apply --git $url/open/lab/.git"
expect "as does all that it says" "$(grep -c a-token <<<"$out$err" || true)" 0
run apply --git "$url/open/lab/.git"
expect "over http" "$code" 0
run diff --git "$url/open/lab/.git"
expect "and nothing to do then" "$code" 0
expect "with one question to the server" "$(grep -c . <(tail -n 1 "$folder/http.log" | grep info/refs))" 1

run apply --git "$url/private/lab/.git"
refused "without a token" "--git-token-file names a file"
run apply --git "$url/private/lab/.git" --git-token-file "$folder/token"
expect "with a token" "$code" 0
expect "it is sent only when asked for" "$(grep -c 'GET /open/.* token' "$folder/http.log" || true)" 0
echo wrong >"$folder/wrong"
chmod 600 "$folder/wrong"
run apply --git "$url/private/lab/.git" --git-token-file "$folder/wrong"
refused "with a wrong token" "refuses the token of $folder/wrong"
chmod 644 "$folder/token"
run apply --git "$url/private/lab/.git" --git-token-file "$folder/token"
refused "with a token that all can read" "chmod 600"
chmod 600 "$folder/token"
run apply --git http://192.0.2.1/lab --git-token-file "$folder/token"
refused "a token does not travel in the open" "unencrypted"
expect "no token is ever told" "$(cat "$folder"/err "$folder"/http.log | grep -c "$token" || true)" 0

run apply --git "$url/moved/lab/.git"
expect "a server that sends elsewhere" "$code" 0
run apply --git "$url/moved/lab/.git" --git-token-file "$folder/token"
expect "but no token goes there" "$code" 1
run apply --git "$url/open/none/.git"
unavailable "a repository that is not there" "404"
run apply --git "$url/garbage/lab/.git"
unavailable "a server that is none" "connect to $url/garbage"
began=$SECONDS
run apply --git "$url/silent/lab/.git" --git-timeout 3s
unavailable "a server that is silent" "it was connecting to $url/silent"
expect "it is given up in time" "$((SECONDS - began < 20))" 1
run apply --git http://127.0.0.1:1/lab
unavailable "nobody there" "connect to http://127.0.0.1:1/lab"

# In the middle of a pack.
head -c 1200000 /dev/urandom >"$folder/lab/noise"
commit lab 'much to fetch'
run apply --git "$url/cut/lab/.git"
expect "a pack that is cut off" "$code" 1
grows() { [ -n "$(find "$XDG_CACHE_HOME" -name '*_git2_*' -size +64k)" ]; }

"$kind" apply --git "$url/slow/lab/.git" >"$folder/out" 2>"$folder/err" </dev/null &
pid=$!
child=$(fetcher "$pid")
await "a pack on its way" grows
kill -KILL "$child"
code=0
wait "$pid" || code=$?
err=$(cat "$folder/err")
unavailable "the fetching process is killed" "ended by signal 9 (receiving"

"$kind" apply --git "$url/slow/lab/.git" >"$folder/out" 2>"$folder/err" </dev/null &
pid=$!
child=$(fetcher "$pid")
await "a pack on its way again" grows
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
if is_gone "$child"; then ok "the program is killed, and its child ends with it"; else not_ok "the child lives on"; fi

"$kind" apply --git "$url/slow/lab/.git" >"$folder/out" 2>"$folder/err" </dev/null &
pid=$!
child=$(fetcher "$pid")
await "a pack on its way once more" grows
kill -TERM "$pid"
wait "$pid" 2>/dev/null || true
if is_gone "$child"; then ok "one that is told to end leaves no child"; else not_ok "the child lives on"; fi

run diff --git "$url/slow/lab/.git" --git-timeout 6s
expect "too slow for its time" "$code" 2
expect_in "what it was at" "$err" "receiving"
"$kind" diff --git "$url/slow/lab/.git" >"$folder/out2" 2>&1 </dev/null &
pid=$!
run diff --git "$url/slow/lab/.git"
expect "after all that it is fetched" "$code" 0
code=0
wait "$pid" || code=$?
expect "and two at a time wait for each other" "$code" 0
expect "nothing half is left" "$(find "$cache" -path '*slow*' \( -name '*.new' -o -name '*_git2_*' \) | wc -l)" 0

# TLS, with an authority of our own.
cd "$folder" || exit
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=lab-ca 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=localhost 2>/dev/null
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out server.crt \
    -extfile <(echo subjectAltName=DNS:localhost) 2>/dev/null
cd "$root" || exit
http_start "$folder/https.log" "$folder/server.crt" "$folder/server.key"
run diff --git "https://localhost:$port/open/lab/.git"
refused "an authority that nobody knows" "--git-ca-file"
run diff --git "https://localhost:$port/private/lab/.git" --git-ca-file "$folder/ca.crt" --git-token-file "$folder/token"
expect "an authority that is named" "$code" 0
https_proxy=$url run diff --git "https://localhost:$port/open/lab/.git" --git-ca-file "$folder/ca.crt"
expect "through a proxy" "$code" 0
expect "which is told the host, and no more" "$(grep CONNECT "$folder/http.log")" "CONNECT localhost:$port -"
run diff --git "https://127.0.0.1:$port/open/lab/.git" --git-ca-file "$folder/ca.crt"
refused "a certificate of another name" "another host's"
run diff --git "https://localhost:$port/open/lab/.git" --git-ca-file "$folder/token"
refused "a file without certificates" "holds no certificates"
run diff --git "https://127.0.0.1:${url##*:}/open/lab/.git"
expect "http where https was meant" "$code" 2
