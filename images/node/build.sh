# shellcheck shell=bash
# The node image: Debian's layer, Kubernetes' programs, the preloaded images, and last, because they
# change most, our own files.

# node_programs KUBERNETES OUT: the layer of what kind itself calls in a node.
node_programs() {
    local kubernetes=$1 out=$2 tree=$2/tree program
    mkdir -p "$tree/usr/bin" "$tree/usr/local/bin"
    for program in kubeadm kubelet kubectl; do
        install -m 755 "$kubernetes/$program" "$tree/usr/bin/$program"
        ln -s "/usr/bin/$program" "$tree/usr/local/bin/$program"
    done
    archive_layer "$tree" "$out/layer.tar"
    rm -rf "$tree"
}

# node_files BASE IMAGES MANIFESTS VERSION OUT: base.tar, our files for any node, and node.tar, the
# same for this Kubernetes version.
node_files() {
    local base=$1 images=$2 manifests=$3 version=$4 out=$5 tree=$5/tree folder pair
    base_kind "$base" "$tree" "$images/base"
    archive_layer "$tree" "$out/base.tar"
    echo "$version" >"$tree/kind/version"
    mkdir -p "$tree/kind/manifests"
    # What a node may have before its CNI runs, so that it is Ready at once; see images/README.md.
    install -m 644 "$manifests/cni.conflist" "$tree/kind/manifests/node-cni.conflist"
    for pair in cni:default-cni storage:default-storage; do
        if [ -e "$manifests/${pair%:*}.yaml" ]; then
            install -m 644 "$manifests/${pair%:*}.yaml" "$tree/kind/manifests/${pair#*:}.yaml"
        else
            echo "warning: no manifests/${pair%:*}.yaml yet; the image lacks it"
        fi
    done
    node_containerd_config "$tree/etc/containerd/config.toml" "$version"
    for folder in "$images"/*/; do
        if [ -e "$folder/image.sh" ] && grep -q '^node_install()' "$folder/image.sh"; then
            node_helper "${folder%/}" "$tree"
        fi
    done
    archive_layer "$tree" "$out/node.tar"
    rm -rf "$tree"
}

node_helper() (
    image_packages=()
    # shellcheck source=/dev/null
    . "$1/image.sh"
    apt_install "${image_packages[@]}"
    node_install "$2"
)

# The pause image that this kubeadm knows, and, before 1.24, cgroups named by path, as that kubelet
# passes them on.
node_containerd_config() {
    sed -i "s#sandbox_image = .*#sandbox_image = \"$PRELOAD_PAUSE\"#" "$1"
    if dpkg --compare-versions "${2#v}" lt 1.24; then
        sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' "$1"
    fi
}

# node_image_config INPUTS: what engines and kind read from the image itself.
node_image_config() {
    jq -nS --arg path "PATH=$ARCHIVE_PATH" --arg inputs "$1" '{
        Env: [$path, "container=docker", "HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY="],
        Entrypoint: ["/usr/local/bin/entrypoint", "/sbin/init"], StopSignal: "SIGRTMIN+3", WorkingDir: "/",
        Labels: {"fleet.kind/inputs": $inputs}}'
}
