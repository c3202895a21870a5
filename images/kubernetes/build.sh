# shellcheck shell=bash
# Kubernetes' programs out of Debian's source package, which holds the whole upstream tree with its
# vendored modules.

KUBERNETES_VERSION=v1.20.2
# What the same source calls itself in the image that tests upgrade to.
KUBERNETES_RELABELLED=v1.20.3
KUBERNETES_COMPONENTS=(kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy)
# shellcheck disable=SC2034  # read by images/build
KUBERNETES_PACKAGES=(golang-go golang-github-modern-go-reflect2-dev rsync jq make dpkg-dev xz-utils binutils)

# kubernetes_source APT_CONF DIR: unpacks the source package into DIR/tree.
kubernetes_source() (
    mkdir -p "$2"
    cd "$2" || exit
    APT_CONFIG=$1 apt-get -q source --only-source --download-only kubernetes
    dpkg-source --no-check -x kubernetes_*.dsc tree
    case $(sed -n '1s/.*(\(.*\)).*/\1/p' tree/debian/changelog) in
        *"${KUBERNETES_VERSION#v}"-*) ;;
        *)
            echo "Debian's kubernetes is no longer $KUBERNETES_VERSION: $(sed -n 1p tree/debian/changelog)" >&2
            return 1
            ;;
    esac
    # The vendored reflect2 reads the Go runtime's private structures and crashes in map iteration
    # since Go 1.18. Debian's package is the repaired release of the same interface.
    rm -rf tree/vendor/github.com/modern-go/reflect2
    cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 tree/vendor/github.com/modern-go/
)

# kubernetes_build APT_CONF OUT: leaves the stripped programs in OUT/VERSION, for both versions. A
# version is a word for the linker, so the second one costs no compilation.
kubernetes_build() (
    local conf=$1 out=$2 work=$2.work version
    trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
    kubernetes_source "$conf" "$work"
    # GOPATH mode: the tree must sit at its import path.
    mkdir -p "$work/go/src/k8s.io"
    mv "$work/tree" "$work/go/src/k8s.io/kubernetes"
    cd "$work/go/src/k8s.io/kubernetes" || exit
    for version in $KUBERNETES_VERSION $KUBERNETES_RELABELLED; do
        kubernetes_link "$work/go" "$version" "$out/$version"
    done
)

# kubernetes_link GOPATH VERSION OUT: in the source tree.
kubernetes_link() {
    local gopath=$1 version=$2 out=$3 what=() component epoch
    epoch=$(dpkg-parsechangelog -S Timestamp)
    for component in "${KUBERNETES_COMPONENTS[@]}"; do
        what+=("cmd/$component")
    done
    # In a file, because a tree that was exported by git is believed to know its own version.
    cat >"$gopath/version" <<-SH
		KUBE_GIT_COMMIT=$(printf '%040d' 0)
		KUBE_GIT_TREE_STATE=clean
		KUBE_GIT_VERSION=$version
		KUBE_GIT_MAJOR=1
		KUBE_GIT_MINOR=20
	SH
    # make, not go build: kube-apiserver and kubelet need files that the tree's own generators write
    # first. The build date is that of Debian's change, so that the same source gives the same
    # bytes.
    env -u GOFLAGS \
        GO111MODULE=off CGO_ENABLED=0 GOPATH="$gopath" \
        SOURCE_DATE_EPOCH="$epoch" KUBE_GIT_VERSION_FILE="$gopath/version" \
        make WHAT="${what[*]}" GOFLAGS=-trimpath </dev/null
    mkdir -p "$out"
    for component in "${KUBERNETES_COMPONENTS[@]}"; do
        install -m 755 "_output/local/go/bin/$component" "$out/$component"
    done
    "$out/kubeadm" version -o short | grep -qx "$version"
}
