#!/usr/bin/env bash
# A container that this fleet did not make is never touched, whatever its name and labels say.
# takes 10 s
# shellcheck source-path=SCRIPTDIR source=../session.sh
. "$(dirname "$0")/../session.sh"

# foreign WHAT NAME WORDS LABEL...: somebody's container that has the name of NAME's node; apply and prune leave it as it is.
foreign() {
    local what=$1 name=$2-$$ words=$3 node=$2-$$-control-plane label labels=() before id
    shift 3
    cluster "$name"
    for label; do labels+=(--label "${label//NAME/$name}"); done
    id=$(docker run -d --name "$node" "${labels[@]}" --entrypoint sleep "$node_image" 3600)
    before=$(docker inspect "$id")
    run apply -f "$folder/$name.yaml"
    expect "$what: apply does not end well ($took s)" "$([ "$code" = 1 ] || [ "$code" = 2 ] && echo yes)" yes
    expect_in "$what: it names the container or cluster" "$out$err" "$name"
    expect_in "$what: it says whose it is" "$out$err" "$words"
    run apply -f "$folder/$name.yaml" --prune --allow delete --allow recreate --allow replace-nodes
    expect "$what: not even with everything allowed" "$([ "$code" = 1 ] || [ "$code" = 2 ] && echo yes)" yes
    mkdir -p "$folder/empty"
    run apply -f "$folder/empty" --prune --allow-empty
    expect_code "$what: nor when it has left the sources" 0
    expect "$what: the container is as it was" "$(docker inspect "$id")" "$before"
    expect "$what: nothing else was made" "$(docker ps -aq --filter "label=fleet.kind/owner=$fleet")" ""
    expect "$what: the kubeconfig knows nothing of it" "$(grep -c "$name" "$KUBECONFIG" 2>/dev/null || true)" "$([ ! -e "$KUBECONFIG" ] || echo 0)"
    docker rm -fv "$id" >/dev/null
}

foreign "no labels at all" plain "taken by a container"
foreign "upstream's labels" upstream "made by upstream's kind" io.x-k8s.kind.cluster=NAME io.x-k8s.kind.role=control-plane
foreign "another fleet's" fleet "fleet 'somebody'" io.x-k8s.kind.cluster=NAME io.x-k8s.kind.role=control-plane fleet.kind/owner=somebody
foreign "the label of another cluster" other "taken by a container" io.x-k8s.kind.cluster=NAME-2 io.x-k8s.kind.role=control-plane
