# shellcheck shell=bash
# The Debian part of every node: systemd, containerd and the network tools, made by mmdebstrap from
# the machine's own mirror.

# shellcheck disable=SC2034  # read by images/build
BASE_HOST_PACKAGES=(mmdebstrap jq)
BASE_PACKAGES=(
    # usr-is-merged stands in for usrmerge, which would bring all of perl
    usr-is-merged
    # init
    systemd systemd-sysv dbus
    # the container runtime and the pod network
    containerd runc containernetworking-plugins
    # what kubelet and kube-proxy call
    iptables nftables ipset conntrack socat ethtool iproute2 kmod mount procps
    # what people look for when they are in a node
    ca-certificates curl jq
)
# CNI plugins beyond what pod networks chain; each is 3 to 4 MB of Go.
BASE_WITHOUT_CNI=(dhcp host-device ipvlan macvlan sbr static vlan vrf)

# base_versions: what the machine's apt would install of the packages that matter; part of the cache
# key, without any download.
base_versions() {
    apt-cache policy "${BASE_PACKAGES[@]}" | grep -E '^[a-z]|Candidate:'
}

# base_epoch APT_CONF: when Debian last changed what we are about to install, in seconds; stands for
# the time of the build.
base_epoch() {
    local date
    sed -n 's/^Date: //p' "${1%/*}"/lists/*_InRelease | while read -r date; do
        date -d "$date" +%s
    done | sort -n | tail -n 1
}

# base_tree APT_CONF DIR: a pruned root file system in DIR. DIR must not exist.
base_tree() {
    local conf=$1 dir=$2 include
    include=$(IFS=,; echo "${BASE_PACKAGES[*]}")
    SOURCE_DATE_EPOCH=$(base_epoch "$conf")
    export SOURCE_DATE_EPOCH
    # The suite's name only labels the result: the sources come from the private configuration.
    # Documentation is left out by dpkg itself, so that packages installed later into a node bring
    # none either.
    mmdebstrap --mode=root --variant=minbase --format=directory --quiet \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --include="$include" --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/bash-completion/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
        "$(sed -n 's/^deb .* \([a-z]*\) main$/\1/p' "${conf%/*}/sources.list" | head -n 1)" \
        "$dir" - < <(grep '^deb ' "${conf%/*}/sources.list")
    base_prune "$dir"
    base_units "$dir"
}

base_prune() {
    local dir=$1 plugin
    mkdir -p "$dir/opt/cni"
    mv "$dir/usr/lib/cni" "$dir/opt/cni/bin"
    ln -s /opt/cni/bin "$dir/usr/lib/cni"
    for plugin in "${BASE_WITHOUT_CNI[@]}"; do
        rm -f "$dir/opt/cni/bin/$plugin"
    done
    rm -f "$dir/usr/bin/containerd-stress" "$dir/usr/bin/containerd-shim" "$dir/usr/bin/containerd-shim-runc-v1"
    # An engine copies the image's /var into a volume of each node, file by file; dpkg's thousands
    # of small files do not belong there.
    mkdir -p "$dir/usr/lib/sysimage"
    mv "$dir/var/lib/dpkg" "$dir/usr/lib/sysimage/dpkg"
    ln -s ../../usr/lib/sysimage/dpkg "$dir/var/lib/dpkg"
    rm -rf "$dir"/var/lib/apt/lists/* "$dir"/var/cache/{apt/*.bin,debconf/*-old,ldconfig/*} \
        "$dir"/usr/lib/sysimage/dpkg/*-old
    rm -rf "$dir"/var/log/* "$dir"/tmp/* "$dir"/run/* "$dir"/usr/lib/udev/hwdb.d "$dir"/usr/share/zoneinfo
    # These would change the kernel of the machine, which the nodes share.
    rm -f "$dir"/usr/lib/sysctl.d/* "$dir"/etc/sysctl.d/*.conf "$dir"/etc/sysctl.conf
    # Nodes are root's alone; upstream's contract wants no setuid mount programs.
    chmod u-s "$dir/usr/bin/mount" "$dir/usr/bin/umount"
    # Of the machine that built it; every node gets its own.
    rm -f "$dir/etc/machine-id" "$dir/var/lib/dbus/machine-id" "$dir/etc/hostname" "$dir/etc/resolv.conf"
    : >"$dir/etc/machine-id"
    mkdir -p "$dir/usr/local/bin" "$dir/usr/local/sbin"
    # Where the node image contract has them.
    ln -s /usr/bin/{containerd,ctr,containerd-shim-runc-v2} "$dir/usr/local/bin/"
    ln -s /usr/sbin/runc "$dir/usr/local/sbin/"
}

# A container has no hardware, consoles, disks or clock of its own to look after. What stays:
# journal, tmpfiles, sysctl, D-Bus.
base_units() {
    local dir=$1 unit
    rm -rf "$dir"/etc/systemd/system/*.wants "$dir"/var/lib/systemd/deb-systemd-helper-*
    find "$dir/usr/lib/systemd/system" "$dir/lib/systemd/system" -path '*.wants/*' -type l 2>/dev/null |
        grep -vE '/(dbus|systemd-(journald|journald-dev-log|journal-flush|tmpfiles-setup|sysctl))\.[a-z]*$' |
        xargs -r rm -f
    for unit in systemd-binfmt.service systemd-logind.service systemd-udevd.service systemd-networkd.service \
        console-getty.service getty@.service systemd-remount-fs.service dev-hugepages.mount sys-fs-fuse-connections.mount \
        systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-firstboot.service; do
        ln -sf /dev/null "$dir/etc/systemd/system/$unit"
    done
    ln -sf /lib/systemd/system/multi-user.target "$dir/etc/systemd/system/default.target"
}

# base_kind BASE DIR SOURCE: our own files over Debian's, as a tree of their own in DIR. BASE is the
# tree made by base_tree.
base_kind() {
    local base=$1 dir=$2 source=$3
    mkdir -p "$dir"/{usr/local/bin,kind,etc/containerd,etc/systemd/system/multi-user.target.wants}
    cp -r "$source/files/." "$dir/"
    install -m 755 "$source/entrypoint" "$dir/usr/local/bin/entrypoint"
    find "$dir" -type d -exec chmod 755 {} +
    find "$dir/etc" -type f -exec chmod 644 {} +
    chmod 755 "$dir"/kind/bin/*
    ln -s /etc/systemd/system/{containerd,kubelet,relay-dns}.service \
        "$dir/etc/systemd/system/multi-user.target.wants/"
    # What containerd gives every pod container unless told otherwise: its own default without
    # resource limits, so that those of the node apply, plus the hook that shows pods the node's own
    # product name and uuid.
    chroot "$base" ctr oci spec | jq -S 'del(.process.rlimits) |
        .hooks.createContainer = [{path: "/kind/bin/mount-product-files.sh"}]' >"$dir/etc/containerd/cri-base.json"
}
