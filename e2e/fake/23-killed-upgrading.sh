#!/usr/bin/env bash
# A control plane and a worker are upgraded by image, and the process is killed after each engine request in turn: another apply
# converges every time, the cluster has its data, and nothing is left beside it. A downgrade is refused and changes nothing.
. "$(dirname "$0")/session.sh"

new=kind.local/node:v1.20.3
fast=(--boot-ms 1 --api-ms 1 --ready-ms 1 --node-image "$new")

# cluster_of IMAGE: writes the cluster, all of that image.
cluster_of() {
    cat >"$folder/a.yaml" <<-YAML
		apiVersion: fleet.kind/v1alpha1
		kind: Cluster
		metadata: {name: a}
		spec:
		  manifests: [kept.yaml]
		  nodes:
		  - {role: control-plane, image: $1}
		  - {role: worker, image: $1}
	YAML
}
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: default}\n' >"$folder/kept.yaml"

# What was applied only when the cluster was made is there as long as the data is.
is_kept='[.clusters[].objects | keys[] | select(endswith("configmaps/kept"))] == ["/api/v1/namespaces/default/configmaps/kept"]'
is_kept() { [ "$(fake GET /_fake/state | jq "$is_kept")" = true ]; }

images='([.containers[] | "\(.name)=\(.image)"] | sort | join(" "))'
images() { fake GET /_fake/state | jq -r "$images"; }
upgraded="a-control-plane=$new a-worker=$new"

begin() {
    engine_start "${fast[@]}"
    rm -f "$KUBECONFIG"*
    cluster_of kind.local/node:v1.20.2
    run apply -f "$folder/a.yaml"
    if [ "$code" -ne 0 ]; then not_ok "the cluster is made: $err"; fi
    cluster_of "$new"
}

upgrade() { run apply --allow replace-nodes -f "$folder/a.yaml"; }

begin
if ! is_kept; then not_ok "the data is found at all"; fi
port=$(grep server: "$KUBECONFIG")
before=$(requests 'map(select(.where == "engine")) | length')
upgrade
expect "an upgrade ends well" "$code" 0
expect "all are of the new image" "$(images)" "$upgraded"
expect "the API is where it was" "$(grep server: "$KUBECONFIG")" "$port"
if is_kept; then ok "the data is there"; else not_ok "the data is gone"; fi
total=$(($(requests 'map(select(.where == "engine")) | length') - before))
upgrade
expect_in "then nothing is to do" "$out" "Nothing to do"
cluster_of kind.local/node:v1.20.2
run diff -f "$folder/a.yaml"
expect_in "a downgrade is refused, and says why" "$out" "v1.20.3 -> v1.20.2 is a downgrade"
upgrade
expect "it changes nothing" "$(images)" "$upgraded"
engine_stop

# killed_at ACTION N: as in 20-killed.sh, in the upgrade.
killed_at() {
    begin
    fake POST /_fake/fault "{\"action\":\"$1\",\"at\":$2,\"where\":\"engine\"}" >/dev/null
    upgrade
    case $code in
    137) killed=$((killed + 1)) ;;
    0) fake POST /_fake/clear >/dev/null ;;
    *) not_ok "request $2: the first upgrade ended with $code: $err" ;;
    esac
    upgrade
    if [ "$code" -ne 0 ]; then not_ok "killed at request $2: the upgrade ended with $code: $(tail -n 3 <<<"$err")"; fi
    there=$(fake GET /_fake/state | jq -r "$images + \" \" + ($is_kept | tostring)")
    if [ "$there" != "$upgraded true" ]; then not_ok "killed at request $2: there is $there, want $upgraded and the data"; fi
    upgrade
    case $out in
    *"Nothing to do"*) ;;
    *) not_ok "killed at request $2: a third apply still works ($code): $out" ;;
    esac
    engine_stop
}

killed=0 stride=$((${KIND_STRIDE:-7} * ${KIND_SAMPLE:-1}))
for moment in $(seq "$stride" "$stride" "$total"); do killed_at "${KIND_KILL:-kill}" "$moment"; done
if [ "$killed" -lt $((total * 7 / 10 / stride)) ]; then not_ok "only $killed of $total killed"; fi
if [ "$bad" -eq 0 ]; then ok "killed at one in $stride of $total requests of an upgrade: $killed kills, all converge"; fi
