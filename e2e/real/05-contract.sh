#!/usr/bin/env bash
# The cases of e2e/contract against the real engine: it still answers as it did when they were written, and as the fake is tested to do.
# takes 30 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

image=$(docker image ls --format '{{.Repository}}:{{.Tag}}' kind.local/base | sort | tail -n 1)
[ -n "$image" ] || not_ok "the engine has a kind.local/base; run make node-image"
[ -n "$image" ] || exit 1
began=$SECONDS
"$root/e2e/contract/run" "$image" "$root"/e2e/contract/*.txt || bad=1
echo "time contract cases: $((SECONDS - began)) s"
expect "nothing is left of them" "$(docker ps -aq --filter "label=kind-contract")" ""
