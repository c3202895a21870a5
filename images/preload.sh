# shellcheck shell=bash
# The container images inside a node: what kubeadm starts, and our own helpers. They are put into
# containerd's store, already unpacked, when the image is built, so that a node needs no registry
# and unpacks nothing.

# shellcheck disable=SC2034  # read by images/build
PRELOAD_HOST_PACKAGES=(gcc libc6-dev)
PRELOAD_PAUSE=k8s.gcr.io/pause:3.2
PRELOAD_ETCD=k8s.gcr.io/etcd:3.4.13-0
PRELOAD_BUSYBOX=kind.local/busybox:v1

# preload_libraries TREE PREFIX PROGRAM...: copies what the programs (paths below PREFIX, "" for
# this machine) are linked with.
preload_libraries() {
    local tree=$1 prefix=$2 library
    shift 2
    { if [ -n "$prefix" ]; then chroot "$prefix" ldd "$@"; else ldd "$@"; fi || true; } |
        grep -oE '(=> )?/[^ ]+ \(0x' | sed 's/^=> //; s/ (0x$//' | sort -u |
        while read -r library; do
            mkdir -p "$tree${library%/*}"
            cp -L "$prefix$library" "$tree$library"
        done
}

# What programs on an otherwise empty root look for: a resolver order (files before DNS), a user, a
# place for temporary files.
preload_root() {
    mkdir -p "$1/etc" "$1/tmp" "$1/usr/local/bin"
    chmod 1777 "$1/tmp"
    echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
    echo 'root:x:0:0:root:/:/sbin/nologin' >"$1/etc/passwd"
    echo 'root:x:0:' >"$1/etc/group"
}

preload_control_plane() {
    local layout=$1 kubernetes=$2 version=$3 tree=$4 component
    for component in kube-apiserver kube-controller-manager kube-scheduler; do
        rm -rf "$tree"
        preload_root "$tree"
        cp "$kubernetes/$component" "$tree/usr/local/bin/"
        archive_oci "$layout" "$tree" "[\"/usr/local/bin/$component\"]" "k8s.gcr.io/$component:$version"
    done
}

# kube-proxy calls iptables and friends. Rules of the nft and the legacy backend do not see each
# other, so it must use the node's: kubelet has left a chain of its own in that one before any pod
# runs.
preload_kube_proxy() {
    local layout=$1 kubernetes=$2 version=$3 tree=$4 base=$5 backend program extensions libraries
    rm -rf "$tree"
    preload_root "$tree"
    mkdir -p "$tree"/{bin,run,usr/{bin,sbin,lib/kube-proxy}}
    for program in usr/sbin/xtables-{nft,legacy}-multi usr/sbin/ipset usr/sbin/conntrack usr/bin/kmod usr/bin/dash; do
        cp "$base/$program" "$tree/$program"
        preload_libraries "$tree" "$base" "/$program"
    done
    extensions=$(cd "$base" && echo usr/lib/*/xtables)
    mkdir -p "$tree/${extensions%/*}"
    cp -r "$base/$extensions" "$tree/$extensions"
    # iptables loads these when a rule asks for them, and they have libraries of their own.
    mapfile -t libraries < <(cd "$base" && printf '/%s\n' "$extensions"/*.so)
    preload_libraries "$tree" "$base" "${libraries[@]}"
    ln -s /usr/bin/dash "$tree/bin/sh"
    ln -s /usr/bin/kmod "$tree/usr/sbin/modprobe"
    for backend in nft legacy; do
        mkdir -p "$tree/usr/lib/iptables-$backend"
        for program in {iptables,ip6tables}{,-save,-restore}; do
            ln -s "/usr/sbin/xtables-$backend-multi" "$tree/usr/lib/iptables-$backend/$program"
        done
    done
    cp "$kubernetes/kube-proxy" "$tree/usr/lib/kube-proxy/"
    cat >"$tree/usr/local/bin/kube-proxy" <<-'SH'
		#!/bin/sh
		backend=legacy
		case $(PATH=/usr/lib/iptables-nft:$PATH iptables-save -t mangle 2>/dev/null) in
		    *KUBE-*) backend=nft ;;
		    *) PATH=/usr/lib/iptables-legacy:$PATH iptables -nL >/dev/null 2>&1 || backend=nft ;;
		esac
		PATH=/usr/lib/iptables-$backend:$PATH
		exec /usr/lib/kube-proxy/kube-proxy "$@"
	SH
    chmod 755 "$tree/usr/local/bin/kube-proxy"
    for program in 'ipset --version' 'conntrack --version' 'kube-proxy --version'; do
        chroot "$tree" /bin/sh -c "$program" >/dev/null
    done
    archive_oci "$layout" "$tree" '["/usr/local/bin/kube-proxy"]' "k8s.gcr.io/kube-proxy:$version"
}

# etcd is Debian's; etcdctl goes with it, for repairs of its membership.
preload_etcd() {
    local layout=$1 conf=$2 tree=$3 packages=$3.packages
    rm -rf "$tree" "$packages"
    preload_root "$tree"
    mkdir -p "$packages"
    (cd "$packages" && APT_CONFIG=$conf apt-get -q download etcd-server etcd-client)
    for package in "$packages"/*.deb; do
        dpkg-deb -x "$package" "$packages/tree"
    done
    cp "$packages"/tree/usr/bin/{etcd,etcdctl} "$tree/usr/local/bin/"
    preload_libraries "$tree" '' "$tree"/usr/local/bin/*
    strip "$tree"/usr/local/bin/*
    archive_oci "$layout" "$tree" '["/usr/local/bin/etcd"]' $PRELOAD_ETCD
}

# A small image that every node has, to start a pod from: busybox with all its names (sh, sleep,
# nslookup, wget, httpd, nc ...).
preload_busybox() {
    local layout=$1 conf=$2 tree=$3 packages=$3.packages
    rm -rf "$tree" "$packages"
    preload_root "$tree"
    mkdir -p "$packages" "$tree/bin"
    (cd "$packages" && APT_CONFIG=$conf apt-get -q download busybox)
    dpkg-deb -x "$packages"/*.deb "$packages/tree"
    cp "$packages/tree/bin/busybox" "$tree/bin/busybox"
    # Not the static one: glibc cannot look up names in a static program without its modules.
    preload_libraries "$tree" '' "$tree/bin/busybox"
    "$tree/bin/busybox" --list | grep -vx busybox | while read -r name; do
        ln -s busybox "$tree/bin/$name"
    done
    archive_oci "$layout" "$tree" '{"Cmd": ["sh"]}' $PRELOAD_BUSYBOX
}

preload_pause() {
    local layout=$1 source=$2 tree=$3
    rm -rf "$tree"
    mkdir -p "$tree"
    gcc -std=c17 -D_GNU_SOURCE -Os -Wall -Wextra -Werror -static -s -o "$tree/pause" "$source"
    archive_oci "$layout" "$tree" '["/pause"]' $PRELOAD_PAUSE
}

# preload_helper LAYOUT FOLDER TREE: an image of ours, which FOLDER/image.sh knows how to compile.
preload_helper() (
    local layout=$1 folder=$2 out=$3 image_packages=() image_names=() image_entrypoint=''
    rm -rf "$out"
    mkdir -p "$out"
    # shellcheck source=/dev/null
    . "$folder/image.sh"
    apt_install "${image_packages[@]}"
    image_build "$out"
    archive_oci "$layout" "$out/rootfs" "$image_entrypoint" "${image_names[@]}"
)

# preload_containerd BASE LAYOUT ROOT: imports the layout with the base's own containerd into ROOT,
# unpacked for its overlay snapshotter.
preload_containerd() (
    local base=$1 layout=$2 root=$3 state pid end
    state=$(mktemp -d /run/kind-preload.XXXXXX)
    mkdir -p "$root"
    cat >"$state/config.toml" <<-TOML
		version = 2
		root = "$root"
		state = "$state/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
		  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.native",
		  "io.containerd.internal.v1.opt"]
		[grpc]
		  address = "$state/sock"
	TOML
    "$base/usr/bin/containerd" --config "$state/config.toml" &
    pid=$!
    trap 'kill $pid 2>/dev/null || true; wait $pid || true; rm -rf "$state"' EXIT
    ctr() { "$base/usr/bin/ctr" --address "$state/sock" --namespace k8s.io "$@"; }
    end=$((SECONDS + 20))
    until ctr version >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
    tar --create --directory "$layout" . | ctr images import --all-platforms --snapshotter overlayfs -
    # The mark by which containerd's Kubernetes side knows images as its own.
    ctr images list -q | while read -r name; do
        ctr images label "$name" io.cri-containerd.image=managed
    done
    ctr images check | awk 'NR > 1 && !/complete/ { bad = 1 } { print } END { exit bad }'
)

# preload_share TREE: moves what is large out of /var, which engines copy into a volume for every
# node, to /kind/store, where all nodes of a machine share it. Unpacked layers and blobs are never
# written to, so links do in their place.
preload_share() {
    local tree=$1 path store
    for path in "$tree"/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/* \
        "$tree"/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/*; do
        store=/kind/store/$(basename "${path%/*}")/${path##*/}
        mkdir -p "$tree${store%/*}"
        mv "$path" "$tree$store"
        ln -s "$store" "$path"
    done
}

# preload_build APT_CONF IMAGES BASE KUBERNETES VERSION OUT: OUT gets layer.tar, and images.txt with
# names and sizes.
preload_build() {
    local conf=$1 images=$2 base=$3 kubernetes=$4 version=$5 out=$6 layout=$6/layout tree=$6/tree folder
    mkdir -p "$layout" "$tree"
    preload_pause "$layout" "$images/pause/pause.c" "$out/rootfs"
    preload_etcd "$layout" "$conf" "$out/rootfs"
    preload_busybox "$layout" "$conf" "$out/rootfs"
    preload_control_plane "$layout" "$kubernetes" "$version" "$out/rootfs"
    preload_kube_proxy "$layout" "$kubernetes" "$version" "$out/rootfs" "$base"
    for folder in "$images"/*/; do
        if [ -e "$folder/image.sh" ] && grep -q '^image_build()' "$folder/image.sh"; then
            preload_helper "$layout" "${folder%/}" "$out/rootfs"
        fi
    done
    archive_oci_close "$layout"
    preload_containerd "$base" "$layout" "$tree/var/lib/containerd"
    rm -rf "$tree"/var/lib/containerd/{tmpmounts,io.containerd.runtime.*,io.containerd.grpc.*,io.containerd.internal.*}
    rm -rf "$tree"/var/lib/containerd/io.containerd.content.v1.content/ingest
    jq -r '.manifests[].annotations["io.containerd.image.name"]' "$layout/index.json" >"$out/images.txt"
    preload_share "$tree"
    archive_layer "$tree" "$out/layer.tar"
    rm -rf "$out/rootfs" "$out/rootfs.packages" "$layout" "$tree"
}
