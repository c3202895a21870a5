# shellcheck shell=bash
# Image formats: layers, the OCI layout that containerd imports, and the docker archive that engines
# load.

# shellcheck disable=SC2034  # read by images/build
ARCHIVE_HOST_PACKAGES=(jq zstd curl)
ARCHIVE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Nothing in an image says when it was made, so that the same content is the same image.
ARCHIVE_CREATED=1970-01-01T00:00:00Z

archive_digest() { sha256sum "$1" | cut -d' ' -f1; }

# archive_layer TREE OUT: packs a folder as OUT (a tar) and its digest as OUT.sha256. Times and
# order do not depend on the machine.
archive_layer() {
    tar --create --file "$2" --sort=name --mtime=@0 --numeric-owner --format=gnu --directory "$1" .
    archive_digest "$2" >"$2.sha256"
}

# archive_oci LAYOUT TREE ENTRYPOINT NAME...: adds TREE as a one-layer image with all these names.
# ENTRYPOINT is a JSON array, or an object with Cmd and the like.
archive_oci() {
    local layout=$1 tree=$2 entrypoint=$3 architecture diff_id layer config manifest name
    shift 3
    architecture=$(dpkg --print-architecture)
    mkdir -p "$layout/blobs/sha256"
    archive_layer "$tree" "$layout/layer"
    diff_id=$(<"$layout/layer.sha256")
    zstd -q -f -9 -T0 "$layout/layer" -o "$layout/layer.zst"
    layer=$(archive_blob "$layout" "$layout/layer.zst" application/vnd.oci.image.layer.v1.tar+zstd)
    rm -f "$layout/layer" "$layout/layer.sha256"
    jq -nS --arg created $ARCHIVE_CREATED --arg architecture "$architecture" \
        --arg path "PATH=$ARCHIVE_PATH" --arg diff_id "sha256:$diff_id" \
        --argjson entrypoint "$entrypoint" '{created: $created, architecture: $architecture, os: "linux",
        config: ({Env: [$path], WorkingDir: "/"} +
            if ($entrypoint | type) == "array" then {Entrypoint: $entrypoint} else $entrypoint end),
        rootfs: {type: "layers", diff_ids: [$diff_id]}}' >"$layout/config"
    config=$(archive_blob "$layout" "$layout/config" application/vnd.oci.image.config.v1+json)
    jq -nS --argjson config "$config" --argjson layer "$layer" '{schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config,
        layers: [$layer]}' >"$layout/manifest"
    manifest=$(archive_blob "$layout" "$layout/manifest" application/vnd.oci.image.manifest.v1+json)
    for name; do
        jq -nc --argjson manifest "$manifest" --arg name "$name" \
            '$manifest + {annotations: {"io.containerd.image.name": $name}}'
    done >>"$layout/names"
}

# archive_blob LAYOUT FILE TYPE: moves FILE among the blobs; prints its descriptor.
archive_blob() {
    local digest size
    digest=$(archive_digest "$2")
    size=$(stat -c %s "$2")
    mv "$2" "$1/blobs/sha256/$digest"
    jq -nc --arg type "$3" --arg digest "sha256:$digest" --argjson size "$size" \
        '{mediaType: $type, digest: $digest, size: $size}'
}

# archive_oci_close LAYOUT: after the last image, makes the folder a valid OCI layout.
archive_oci_close() {
    echo '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
    jq -s '{schemaVersion: 2, manifests: .}' "$1/names" >"$1/index.json"
    rm "$1/names"
}

# archive_docker_image DIR NAME CONFIG LAYER...: adds an image of these layer files to the docker
# archive being made in DIR. CONFIG is the "config" part of the image's configuration.
archive_docker_image() {
    local dir=$1 name=$2 config=$3 layer digest digests=() files=() architecture image
    shift 3
    architecture=$(dpkg --print-architecture)
    for layer; do
        digest=$(<"$layer.sha256")
        digests+=("sha256:$digest")
        files+=("$digest.tar")
        ln -f "$layer" "$dir/$digest.tar"
    done
    jq -nS --arg created $ARCHIVE_CREATED --arg architecture "$architecture" \
        --argjson config "$config" '{created: $created, architecture: $architecture, os: "linux",
        config: $config, rootfs: {type: "layers", diff_ids: $ARGS.positional},
        history: [$ARGS.positional[] | {created: $created, created_by: "images/build"}]}' \
        --args "${digests[@]}" >"$dir/config.new"
    image=$(archive_digest "$dir/config.new")
    mv "$dir/config.new" "$dir/$image.json"
    jq -nc --arg name "$name" --arg config "$image.json" \
        '{Config: $config, RepoTags: [$name], Layers: $ARGS.positional}' --args "${files[@]}" >>"$dir/images"
}

# archive_docker_close DIR: after the last image.
archive_docker_close() {
    jq -s . "$1/images" >"$1/manifest.json"
    rm "$1/images"
}

# archive_load SOCKET DIR: streams a docker archive into the engine. The engine answers 200 and then
# reports errors in the stream.
archive_load() {
    local answer
    answer=$(tar --create --directory "$2" . | curl -sS --fail-with-body --unix-socket "$1" \
        --header 'Content-Type: application/x-tar' --header 'Expect:' --upload-file - --request POST "http://engine/images/load?quiet=1") || {
        echo "$answer"
        return 1
    }
    echo "$answer"
    [[ $answer != *'"errorDetail"'* ]]
}
