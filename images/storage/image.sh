# image.sh - the node's volume program as an image; sourced by images/build.
# shellcheck shell=bash disable=SC2034  # the variables are for the sourcing script

_storage=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=../cluster-api/rootfs.sh
source "$_storage/../cluster-api/rootfs.sh"

# What the host needs while this image is built.
image_packages=(gcc libc6-dev libcurl4-openssl-dev libjansson-dev)

image_names=(kind.local/storage:v1)

image_entrypoint='["/usr/bin/storaged"]'

# image_build OUTDIR: leaves the root file system in OUTDIR/rootfs.
image_build() {
    local rootfs=$1/rootfs sources
    rootfs_begin "$rootfs"
    mapfile -t sources < <(rootfs_sources "$_storage" "$_storage/../cluster-api")
    rootfs_compile "$rootfs" storaged curl jansson -- "${sources[@]}"
    rootfs_add_libraries "$rootfs"
}
