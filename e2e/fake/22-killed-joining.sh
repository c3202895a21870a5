#!/usr/bin/env bash
# As 20-killed.sh, with three control planes, a load balancer and a worker: joins are cut short, too.
export KIND_NODES="[{role: control-plane}, {role: control-plane}, {role: control-plane}, {role: worker}]" KIND_STRIDE=${KIND_STRIDE:-9}
exec bash "$(dirname "$0")/20-killed.sh"
