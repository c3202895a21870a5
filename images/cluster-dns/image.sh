# image.sh - the cluster's DNS as an image; sourced by images/build.
# shellcheck shell=bash disable=SC2034  # the variables are for the sourcing script

_cluster_dns=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=../cluster-api/rootfs.sh
source "$_cluster_dns/../cluster-api/rootfs.sh"

# What the host needs while this image is built.
image_packages=(gcc libc6-dev libcurl4-openssl-dev libjansson-dev dnsmasq-base)

# The second is what kubeadm 1.20's addon/coredns phase asks for, so that it works unchanged.
image_names=(kind.local/cluster-dns:v1 k8s.gcr.io/coredns:1.7.0)

# The Deployment gives CoreDNS' arguments.
image_entrypoint='["/usr/bin/cluster-dns"]'

# image_build OUTDIR: leaves the root file system in OUTDIR/rootfs.
image_build() {
    local rootfs=$1/rootfs sources
    rootfs_begin "$rootfs"
    mapfile -t sources < <(rootfs_sources "$_cluster_dns" "$_cluster_dns/../cluster-api")
    rootfs_compile "$rootfs" cluster-dns curl jansson resolv -- "${sources[@]}"
    rootfs_add_host_program "$rootfs" /usr/sbin/dnsmasq
    rootfs_add_libraries "$rootfs"
}
