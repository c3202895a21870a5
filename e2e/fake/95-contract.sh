#!/usr/bin/env bash
# The fake engine answers as a real one does: the cases of e2e/contract, whose answers are a real engine's.
# shellcheck source-path=SCRIPTDIR source=session.sh
. "$(dirname "$0")/session.sh"

engine_start --image kind.local/base:20261121
"$root/e2e/contract/run" kind.local/base:20261121 "$root"/e2e/contract/*.txt || bad=1
expect "nothing is left of them" "$(fake GET /_fake/state | jq '.containers | length')" 0
