#!/usr/bin/env bash
# A fleet of IPv4 and one of both families, at once and with the same subnets.
# takes 70 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

four=four-$$ both=both-$$
cluster "$four"
families=ipv4
if [ -e /proc/net/if_inet6 ]; then
    families=dual
    cluster "$both" "networking: {ipFamily: dual}" "nodes: [{role: control-plane}, {role: worker}]"
else
    echo "# this host has no IPv6: what a dual cluster is given is compared with golden files only"
    cluster "$both"
fi
first_fleet=$fleet
spawn apply -f "$folder/$four.yaml"
fleet=$first_fleet-both
run apply -f "$folder/$both.yaml"
expect_code "apply makes the one ($families, $took s)" 0
comes_true 120 "the other's apply ends" process_gone "$spawned"
ended 1
expect_code "well, too" 0
holds "all nodes of the first are Ready" nodes_ready "$four-control-plane"
holds "all nodes of the second are Ready" nodes_ready "$both-control-plane"
name=$four
host_kubectl "$four-control-plane"
services() { context get service kubernetes -o 'jsonpath={.spec.clusterIP}'; }
first=$(services)
name=$both
expect "their services have the same addresses" "$(services)" "$first"
run apply -f "$folder/$both.yaml"
expect_in "a second apply has nothing to do in this fleet" "$out$err" "Nothing to do"
fleet=$first_fleet
run apply -f "$folder/$four.yaml"
expect_in "nor in the other" "$out$err" "Nothing to do"

if [ "$families" = dual ]; then
    expect "each node has a pod network of both families" \
        "$(context get nodes -o 'jsonpath={range .items[*]}{.spec.podCIDRs}{"\n"}{end}')" \
        $'["10.244.0.0/24","fd00:10:244::/64"]\n["10.244.1.0/24","fd00:10:244:1::/64"]'
    for node in "$both-control-plane" "$both-worker"; do
        context apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: ${node#"$both-"}}
spec:
  terminationGracePeriodSeconds: 0
  nodeName: $node
  tolerations: [{operator: Exists}]
  containers:
  - name: main
    image: kind.local/busybox:v1
    imagePullPolicy: Never
    command: [sh, -c, "echo hello > /tmp/index.html && exec httpd -f -p '[::]:8080' -h /tmp"]
YAML
        comes_true 60 "a pod runs on $node" pod_runs "${node#"$both-"}"
    done
    for address in $(context get pod worker -o 'jsonpath={.status.podIPs[*].ip}'); do
        case $address in *:*) url="http://[$address]:8080/" ;; *) url="http://$address:8080/" ;; esac
        comes_true 20 "it is reached from the other node at $url" fetches control-plane "$url" hello
    done
fi
