# image.sh - docker-info, a part of the node image (no image of its own);
# sourced by images/build. Only for nodes with Kubernetes before 1.24: newer
# kubelets do not look for docker.
# shellcheck shell=bash disable=SC2034  # the variables are for the sourcing script

_dockerinfo=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=../cluster-api/rootfs.sh
source "$_dockerinfo/../cluster-api/rootfs.sh"

# What the host needs while it is built.
image_packages=(gcc libc6-dev)

# node_install ROOTFS: the program, its unit, and kubelet's wish for it.
node_install() {
    local rootfs=$1 units=$1/etc/systemd/system
    mkdir -p "$rootfs/kind/bin" "$units/kubelet.service.d"
    # Static: the node's libc may be older than the host's.
    "${CC:-gcc}" -std=c17 -D_GNU_SOURCE -O2 -static -s "${rootfs_warnings[@]}" \
        -o "$rootfs/kind/bin/docker-info" "$_dockerinfo/docker_info.c"
    install -m 644 "$_dockerinfo/docker-info.service" "$units/docker-info.service"
    install -m 644 "$_dockerinfo/kubelet-docker-info.conf" \
        "$units/kubelet.service.d/20-docker-info.conf"
}
