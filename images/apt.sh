# shellcheck shell=bash
# A private apt: Debian's own archive only, with sources, beside the machine's configuration and
# never inside it. The mirror is whatever the machine already uses for Debian, so no host name is
# written down here.

# Prints "URI suite component" for every index of Debian's archive that the machine is configured to
# use.
apt_machine_archives() {
    # shellcheck disable=SC2016  # the dollars are apt's own placeholders
    apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|' 'Created-By: Packages' |
        awk -F'|' '$1 == "Debian" && !seen[$2 $3 $4]++ { print $2, $3, $4 }'
}

# Makes sure that the machine knows Debian's archive at all: a fresh container image has sources,
# but no indexes.
apt_machine_ready() {
    [ -n "$(apt_machine_archives)" ] && return
    apt-get update
    [ -n "$(apt_machine_archives)" ] || {
        echo "apt knows no Debian archive: add one to /etc/apt/sources.list and run apt-get update" >&2
        return 1
    }
}

# apt_private DIR [SUITE]: writes a complete apt configuration into DIR and reads the indexes, of
# the machine's own suites or of SUITE from the same mirror. Prints the file to be named by
# APT_CONFIG.
apt_private() {
    local dir=$1 suite=${2:-} uri release component
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=
    [ ! -e "$keyring" ] || signed=" [signed-by=$keyring]"
    mkdir -p "$dir"/lists/partial "$dir"/cache/archives/partial "$dir"/parts
    : >"$dir/sources.list.new"
    while read -r uri release component; do
        if [ -n "$suite" ]; then
            # Only the main archive holds every suite; the security archive has another layout.
            case $release in *-security | *-updates) continue ;; esac
            release=$suite
        fi
        printf 'deb%s %s %s %s\n' "$signed" "$uri" "$release" "$component"
        [ -n "$suite" ] || printf 'deb-src%s %s %s %s\n' "$signed" "$uri" "$release" "$component"
    done < <(apt_machine_archives) >>"$dir/sources.list.new"
    # The machine's status file stays out of it: what is installed here must not decide what is
    # downloaded for an image.
    : >"$dir/status"
    cat >"$dir/apt.conf" <<-CONF
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/parts";
		Dir::Etc::preferences "$dir/preferences";
		Dir::Etc::preferencesparts "$dir/parts";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Sandbox::User "root";
	CONF
    if ! cmp -s "$dir/sources.list.new" "$dir/sources.list" || [ -z "$(find "$dir/updated" -mmin -1440 2>/dev/null)" ]; then
        mv "$dir/sources.list.new" "$dir/sources.list"
        APT_CONFIG=$dir/apt.conf apt-get -q update >&2 || return 1
        : >"$dir/updated"
    fi
    rm -f "$dir/sources.list.new"
    echo "$dir/apt.conf"
}

# apt_install PACKAGE...: installs what is missing on the machine itself.
apt_install() {
    local missing=() package
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    apt_machine_ready
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" </dev/null
}
