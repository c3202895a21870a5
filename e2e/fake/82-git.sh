#!/usr/bin/env bash
# A git repository on this disk as the source: what is read, what is refused, and what becomes of
# a copy that was damaged, cut short or has no room.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/repository.sh"
engine_start

repository_begin lab
lab=$folder/lab
mkdir -p "$lab/clusters" "$lab/extra"
cluster ci "$lab/clusters/ci.yaml"
commit lab 'begin with one cluster'

run diff --git "file://$lab" --path clusters
expect "diff of a repository: there are changes" "$code" 1
expect_in "it shows the cluster" "$out" "+ ci"
expect_in "it says which commit, and whose" "$err" "begin with one cluster"
run diff --git "file://$lab" --path clusters --ref main --git-timeout 90s --max-deletions 2 --no-prune
advice=${out##*Apply with: kind }
expect "the advice says where from, and all that was given" "$advice" \
    "apply --no-prune --max-deletions 2 --git file://$lab --ref main --path clusters --git-timeout 1m30s"
run diff --git "file://$lab" --path clusters
eval "run ${out##*Apply with: kind }"
expect "what is advised makes the cluster" "$code" 0
run apply --git "file://$lab" --path clusters
expect "apply has nothing to do then" "$out" "Nothing to do: ci is as described."
run diff --git "$lab" --path clusters/ci.yaml --ref main
expect "a path of the disk, a file, a branch: nothing to do" "$code" 0
expect "and one copy for both" "$(find "$cache" -maxdepth 1 -name '*.lock' | wc -l)" 1

# What a cluster names is read from the same commit.
cat >"$lab/clusters/ci.yaml" <<EOF
apiVersion: fleet.kind/v1alpha1
kind: Cluster
metadata: {name: ci}
spec:
  manifests: [../extra/app.yaml]
  nodes: [{role: control-plane, image: kind.local/node:v1.20.2}]
EOF
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n' >"$lab/extra/app.yaml"
commit lab 'an application'
rm "$lab/extra/app.yaml" # not in the commit any more than the work tree counts
run apply --git "$lab" --path clusters
expect "manifests need leave of the host: exit code" "$code" 1
expect_in "manifests need leave of the host" "$out$err" "refused by manifests of the default for git sources"
policy=$folder/policy.yaml
printf 'apiVersion: fleet.kind/v1alpha1\nkind: Policy\nspec: {manifests: true}\n' >"$policy"
run apply --git "$lab" --path clusters --policy "$policy"
expect "a manifest is read from the commit" "$code" 0
git -C "$lab" checkout -q -- extra
sed -i 's|\.\./extra/app|../extra/../../app|' "$lab/clusters/ci.yaml"
commit lab 'a way out'
run apply --git "$lab" --path clusters --policy "$policy"
refused "no path leaves the repository" "clusters/ci.yaml:5:15"
expect_in "it says so" "$err" "outside of the repository"
sed -i 's|manifests: .*|manifests: [../extra/none.yaml]|' "$lab/clusters/ci.yaml"
commit lab 'a file that is not there'
run apply --git "$lab" --path clusters --policy "$policy"
refused "a manifest that is not in the commit" "extra/none.yaml: there is no such file"

# Refs.
git -C "$lab" reset -q --hard HEAD~2
git -C "$lab" tag -m 'first' v1 HEAD~1
git -C "$lab" branch stable HEAD~1
first=$(git -C "$lab" rev-parse HEAD~1)
for ref in v1 stable refs/heads/stable refs/tags/v1 "$first"; do
    run diff --git "$lab" --path clusters --policy "$policy" --ref "$ref"
    expect_in "ref $ref" "$err" "commit ${first:0:10}"
done
run diff --git "$lab" --path clusters --policy "$policy" --ref stabel
refused "a branch that is not there" "is 'stable' meant?"
run diff --git "$lab" --path clusters --policy "$policy" --ref "${first:0:7}"
refused "a commit by some of its digits" "all its 40 digits"
run diff --git "$lab" --path clusters --policy "$policy" --ref 0123456789012345678901234567890123456789
refused "a commit that is not there" "there is no commit 0123456789"
git -C "$lab" tag stable v1
run diff --git "$lab" --path clusters --policy "$policy" --ref stable
refused "a branch and a tag of one name" "refs/heads/stable"
run diff --git "$lab" --path cluster
refused "a path that is not there" "cluster: there is no such file or folder in commit"
run diff --git "$lab" -f "$lab"
refused "files and a repository" "-f and --git cannot be given together"

# What strangers could wish for.
wish() { # WHAT PART LINES...
    printf '%s\n' 'apiVersion: kind.x-k8s.io/v1alpha4' 'kind: Cluster' 'name: ci' "${@:3}" >"$lab/clusters/ci.yaml"
    commit lab "$1"
    run apply --git "$lab" --path clusters --policy "$policy"
    refused "$1" "$2"
    wish_end
}
# The same, of what the policy refuses: the text is right, and the cluster is not made.
forbidden() {
    printf '%s\n' 'apiVersion: kind.x-k8s.io/v1alpha4' 'kind: Cluster' 'name: wild' "${@:3}" >"$lab/clusters/wild.yaml"
    commit lab "$1"
    run apply --git "$lab" --path clusters
    expect "$1: exit code" "$code" 1
    expect_in "$1: in words" "$out$err" "refused by $2 of the default for git sources"
    expect "$1: no container" "$(fake GET '/containers/json?all=1' | jq '[.[] | select(.Labels["io.x-k8s.kind.cluster"] == "wild")] | length')" 0
    wish_end
}
wish_end() {
    git -C "$lab" reset -q --hard HEAD~1
}
forbidden "a mount of the host" hostPaths 'nodes: [{role: control-plane, extraMounts: [{hostPath: /, containerPath: /host}]}]'
wish "a mount relative to nothing" "must be absolute" 'nodes: [{role: control-plane, extraMounts: [{hostPath: data, containerPath: /data}]}]'
forbidden "a port for everybody" listenAddresses 'nodes: [{role: control-plane, extraPortMappings: [{containerPort: 80, hostPort: 80}]}]'
forbidden "an API for everybody" listenAddresses 'networking: {apiServerAddress: 0.0.0.0}'
wish "a YAML bomb" "clusters/ci.yaml:" 'a: &a [x,x,x,x,x,x,x,x,x]' 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]' 'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]' \
    'd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]' 'e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]' 'f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]' 'g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]'

ln -s /etc/shadow "$lab/clusters/shadow.yaml"
commit lab 'a link'
run apply --git "$lab" --path clusters --policy "$policy"
refused "a symbolic link" "clusters/shadow.yaml is a symbolic link"
expect "nothing of what it leads to is told" "$(grep -c root: <<<"$out$err")" 0
git -C "$lab" reset -q --hard HEAD~1
git -C "$lab" update-index --add --cacheinfo "160000,$first,clusters/inner"
git -C "$lab" commit -qm 'a submodule'
run apply --git "$lab" --path clusters --policy "$policy"
refused "a submodule" "clusters/inner is a submodule"
git -C "$lab" reset -q --hard HEAD~1

truncate -s 64M "$lab/clusters/huge.yaml"
commit lab 'a huge file'
run apply --git "$lab" --path clusters --policy "$policy"
refused "a text that is too large" "clusters/huge.yaml: 65536 KiB are too much"
git -C "$lab" reset -q --hard HEAD~1

# Two gigabytes: the process that reads them may not have as much memory, and nobody else needs any.
# A build with sanitizers has no such limit.
if ! grep -q AddressSanitizer "$kind"; then
    git -C "$lab" update-index --add --cacheinfo "100644,$(python3 "$root/e2e/fake/huge_blob.py" "$lab/.git" $((2 << 30))),clusters/huge.yaml"
    git -C "$lab" commit -qm 'a file of 2 GB'
    run apply --git "$lab" --path clusters --policy "$policy"
    expect "a file of 2 GB" "$code" 1
    expect_in "it says what is too much" "$err" "more memory than one repository may use"
    git -C "$lab" reset -q --hard HEAD~1
    run diff --git "$lab" --path clusters --policy "$policy"
    expect "without it all is as it was" "$code" 0
fi

# History that is replaced counts as what it is now.
run diff --git "$lab" --path clusters --policy "$policy"
expect "before it is replaced" "$code" 0
cluster other "$lab/clusters/other.yaml"
git -C "$lab" checkout -q --orphan anew
commit lab 'history made anew'
git -C "$lab" branch -qM main
run diff --git "$lab" --path clusters --policy "$policy"
expect_in "replaced history" "$out" "+ other"
git -C "$lab" rm -q --cached clusters/other.yaml
rm "$lab/clusters/other.yaml"
commit lab 'one cluster again'

# The copy.
copy=$(find "$cache" -maxdepth 1 -name '*.lock')
copy=${copy%.lock}
run diff --git "$lab" --path clusters --policy "$policy"
for pack in "$copy"/objects/pack/*.pack; do
    chmod u+w "$pack"
    head -c $(($(stat -c %s "$pack") - 32)) /dev/zero | dd of="$pack" bs=1 seek=12 conv=notrunc status=none
done
run diff --git "$lab" --path clusters --policy "$policy"
expect "a damaged copy is made anew" "$code" 0
expect_in "and that is told" "$err" "was damaged; it is set aside"
expect "set aside" "$(test -d "$copy.damaged" && echo yes)" yes
echo nonsense >"$copy/config"
rm -r "$copy/refs" "$copy/objects"
run diff --git "$lab" --path clusters --policy "$policy"
expect "a copy of which half is gone" "$code" 0
mkdir "$copy.new"
touch "$copy/refs/mirror/HEAD.lock" "$copy/objects/pack/pack_git2_abcdef"
cluster more "$lab/clusters/more.yaml"
commit lab 'one more'
run diff --git "$lab" --path clusters --policy "$policy"
expect_in "what a killed fetch left is no hindrance" "$out" "+ more"
expect "and is swept" "$(find "$copy" -name '*.lock' -o -name '*_git2_*' | wc -l)" 0
for i in $(seq 51); do touch "$copy/objects/pack/pack-$i.pack"; done
run diff --git "$lab" --path clusters
expect "a copy of many packs is made anew" "$(find "$copy/objects/pack" -name '*.pack' | wc -l)" 1
expect "and says the same" "$code" 1
chmod 0777 "$cache"
run diff --git "$lab" --path clusters --policy "$policy"
refused "a cache that others can write to" "its owner alone"
chmod 0700 "$cache"

if mkdir "$folder/small" && mount -t tmpfs -o size=1m tmpfs "$folder/small" 2>/dev/null; then
    head -c 3000000 /dev/urandom >"$lab/noise"
    commit lab 'noise'
    XDG_CACHE_HOME=$folder/small run diff --git "$lab" --path clusters --policy "$policy"
    expect "a full disk" "$code" 2
    expect_in "it is said" "$err" "No space left"
    mount -o remount,size=20m "$folder/small"
    XDG_CACHE_HOME=$folder/small run diff --git "$lab" --path clusters --policy "$policy"
    expect "room again" "$code" 1
    umount "$folder/small"
else
    not_ok "no small file system to fill; this test wants root"
fi

mv "$lab" "$folder/gone"
run apply --git "$lab" --path clusters --policy "$policy"
expect "a repository that vanished" "$code" 1
expect_in "it says where" "$err" "no git repository at $lab"
git init -q --bare "$folder/bare.git"
run diff --git "$folder/bare.git"
refused "a repository without a commit" "holds no commit yet"
for url in git://lab/x https://u:secret@lab/x "ext::sh -c id" http://lab ssh://lab 'file://host/x'; do
    run diff --git "$url"
    refused "the address $url" "--git"
    expect "it tells no secret" "$(grep -c secret <<<"$err")" 0
done
expect "all that time nothing was deleted" "$(requests 'map(select(.method == "DELETE" and (.path | contains("/containers/")))) | length')" 0
expect "and the cluster is there" "$("$kind" get clusters 2>/dev/null)" ci
