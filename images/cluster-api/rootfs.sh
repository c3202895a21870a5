# rootfs.sh - how cluster-dns and netd become images: a program, the shared
# libraries that it and its helpers need, and nothing else. To be sourced.
# shellcheck shell=bash

rootfs_warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wundef -Wformat=2
    -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wswitch-enum -Werror)
rootfs_flags=(-std=c17 -D_GNU_SOURCE -O2 -pie -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    -fstack-protector-strong "-Wl,-z,relro,-z,now" "${rootfs_warnings[@]}")

# rootfs_begin ROOTFS: an empty one, with the folders of a Debian after /usr's merge.
rootfs_begin() {
    local rootfs=$1 folder
    rm -rf "$rootfs"
    mkdir -p "$rootfs"/{etc,proc,sys,dev,run,tmp,var,usr/bin,usr/sbin,usr/lib,usr/lib64}
    for folder in bin sbin lib lib64; do
        ln -s "usr/$folder" "$rootfs/$folder"
    done
    ln -s ../run "$rootfs/var/run"
    chmod 1777 "$rootfs/tmp"
    echo 'root:x:0:0:root:/:/usr/sbin/nologin' >"$rootfs/etc/passwd"
    echo 'root:x:0:' >"$rootfs/etc/group"
    printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$rootfs/etc/nsswitch.conf"
}

# rootfs_compile ROOTFS NAME LIBRARY... -- SOURCE...: the program as /usr/bin/NAME.
rootfs_compile() {
    local rootfs=$1 name=$2 libraries=()
    shift 2
    while [[ $1 != -- ]]; do
        libraries+=("-l$1")
        shift
    done
    shift
    "${CC:-gcc}" "${rootfs_flags[@]}" -s -o "$rootfs/usr/bin/$name" "$@" "${libraries[@]}"
}

# rootfs_sources FOLDER...: their C files, without the tests.
rootfs_sources() {
    local folder file
    for folder; do
        for file in "$folder"/*.c; do
            [[ $file == *_test.c ]] || echo "$file"
        done
    done
}

# rootfs_add_host_program ROOTFS PATH: one of the host's, from its Debian package.
rootfs_add_host_program() {
    install -D -m 755 "$(readlink -f "$2")" "$1$2"
}

# rootfs_add_libraries ROOTFS: what all its programs need, with the loader.
rootfs_add_libraries() {
    local rootfs=$1 library
    # The paths in ldd's output are the loader's and those after "=>".
    find "$rootfs/usr/bin" "$rootfs/usr/sbin" -type f -exec ldd {} + |
        grep -o '/[^ ]*\.so[^ ]*' | sort -u |
        while read -r library; do
            install -D -m 755 "$(readlink -f "$library")" "$rootfs$library"
        done
}
