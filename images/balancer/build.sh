# shellcheck shell=bash
# The load balancer before several control planes: Debian's haproxy on an otherwise empty root. It keeps to the contract of upstream's
# former haproxy image: configuration at /usr/local/etc/haproxy/haproxy.cfg, SIGHUP to process 1 reads it again, SIGTERM ends it.

# haproxy, and those of its libraries that the Debian base of the nodes lacks.
BALANCER_PACKAGES=(haproxy liblua5.3-0 libopentracing1 libopentracing-c-wrapper0)
BALANCER_CONFIG=/usr/local/etc/haproxy/haproxy.cfg

# balancer_version: haproxy's branch, "2.6", from apt's words about the packages on stdin. Not the patch level: Debian's security updates
# change no more than that, and an engine need not keep one image for each.
balancer_version() { sed -n '/^haproxy:/,/Candidate/ s/^ *Candidate: \([0-9]*\.[0-9]*\).*/\1/p'; }

# balancer_build APT_CONF BASE FOLDER OUT: OUT gets layer.tar. BASE is a Debian root whose libraries do for the rest.
balancer_build() {
    local conf=$1 base=$2 folder=$3 out=$4 root=$4/root packages=$4/packages tree=$4/tree package
    mkdir -p "$packages" "$tree"
    (cd "$packages" && APT_CONFIG=$conf apt-get -q download "${BALANCER_PACKAGES[@]}")
    for package in "$packages"/*.deb; do
        dpkg-deb -x "$package" "$packages/tree"
    done
    # Links, not copies: what is put in place below must never be written through.
    cp -al "$base" "$root"
    cp -r --remove-destination "$packages/tree/usr/." "$root/usr/"
    preload_root "$tree"
    install -D -m 755 "$root/usr/sbin/haproxy" "$tree/usr/sbin/haproxy"
    preload_libraries "$tree" "$root" /usr/sbin/haproxy
    install -D -m 644 "$folder/haproxy.cfg" "$tree$BALANCER_CONFIG"
    # A library that is missing shows here, and so does a default that this haproxy does not understand.
    chroot "$tree" /usr/sbin/haproxy -c -f $BALANCER_CONFIG
    archive_layer "$tree" "$out/layer.tar"
    rm -rf "$root" "$packages" "$tree"
}

# balancer_image_config INPUTS: what engines read. -W: a master as process 1, which keeps the listener over changes of its worker; -db: in
# the foreground. Stopped by SIGKILL, since it ends by SIGTERM with code 0: then "on-failure", the restart policy of all containers of a
# cluster, would not bring it back after a restart of the engine. It has nothing to tidy up.
balancer_image_config() {
    jq -nS --arg path "PATH=$ARCHIVE_PATH" --arg config $BALANCER_CONFIG --arg inputs "$1" '{
        Env: [$path], Entrypoint: ["/usr/sbin/haproxy"], Cmd: ["-W", "-db", "-f", $config],
        StopSignal: "SIGKILL", WorkingDir: "/", Labels: {"fleet.kind/inputs": $inputs}}'
}
