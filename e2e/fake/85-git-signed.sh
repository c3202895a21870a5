#!/usr/bin/env bash
# Commits that must be signed by somebody whom this host's owner trusts: with ssh keys and OpenPGP.
. "$(dirname "$0")/session.sh"
. "$(dirname "$0")/repository.sh"
engine_start
repository_begin lab
lab=$folder/lab
cluster ci "$lab/ci.yaml"

cd "$folder" || exit
for name in ann ben eve; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$name"; done
{
    echo "# who may say what runs here"
    echo "ann@lab,ann@home namespaces=\"git\" $(cat ann.pub)"
    echo "ben@lab namespaces=\"file\" $(cat ben.pub)"
    echo "old@lab valid-before=\"20200101\" $(cat eve.pub)"
} >signers
cd "$root" || exit
signed() { # KEY SUBJECT
    git -C "$lab" add -A
    git -C "$lab" -c gpg.format=ssh -c "user.signingkey=$folder/$1" commit -qS --allow-empty -m "$2"
}
check() {
    run diff --git "$lab" --verify-keys "${1:-$folder/signers}"
}
# not_used WHAT PART: the last commit is refused, and nothing was asked of the engine.
not_used() {
    refused "$1" "$2"
    expect_in "$1: which commit" "$err" "commit $(git -C "$lab" rev-parse HEAD | cut -c 1-10) is not used"
}

signed ann 'begin'
run apply --git "$lab" --verify-keys "$folder/signers"
expect "signed by one of them" "$code" 0
expect_in "who it was is told" "$err" "signed by ann@lab"

fake POST /_fake/reset-log >/dev/null
cluster ci "$lab/ci.yaml"
cluster worse "$lab/worse.yaml"
commit lab 'not signed'
run apply --git "$lab" --verify-keys "$folder/signers"
not_used "not signed" "it is not signed, and --verify-keys wants that"
git -C "$lab" reset -q --soft HEAD~1
signed eve 'by a stranger'
run apply --git "$lab" --verify-keys "$folder/signers"
not_used "signed by somebody whose time is over" "is by nobody that $folder/signers allows"
git -C "$lab" reset -q --soft HEAD~1
signed ben 'for another purpose'
run apply --git "$lab" --verify-keys "$folder/signers"
not_used "signed by a key that is for other things" "is by nobody that $folder/signers allows"
git -C "$lab" reset -q --soft HEAD~1
signed ann 'good, and then changed'
git -C "$lab" cat-file commit HEAD | sed 's/good, and then changed/changed/' >"$folder/forged"
git -C "$lab" reset -q --hard "$(git -C "$lab" hash-object -t commit -w "$folder/forged")"
run apply --git "$lab" --verify-keys "$folder/signers"
not_used "changed after it was signed" "is by nobody that $folder/signers allows"
expect "none of that came to the engine" "$(requests length)" 0
git -C "$lab" reset -q --hard HEAD~1
check
expect "the good one is still as it was" "$code" 0
run diff --git "$lab" --verify-keys "$folder/none"
refused "a file that is not there" "--verify-keys $folder/none"
: >"$folder/nobody"
run diff --git "$lab" --verify-keys "$folder/nobody"
expect "an empty file trusts nobody" "$code" 2

# OpenPGP.
export GNUPGHOME=$folder/pgp
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-gen-key 'Cat <cat@lab>' ed25519 sign never 2>/dev/null
gpg --batch --quiet --passphrase '' --quick-gen-key 'Eve <eve@lab>' ed25519 sign never 2>/dev/null
gpg --batch --export cat@lab >"$folder/ring.gpg"
gpg --batch --armor --export cat@lab >"$folder/ring.asc"
pgp() { # WHO SUBJECT
    git -C "$lab" add -A
    git -C "$lab" -c "user.signingkey=$1" commit -qS --allow-empty -m "$2"
}
pgp cat@lab 'by Cat'
check "$folder/ring.gpg"
expect "signed by a key of the ring" "$code" 0
expect_in "and by whom" "$err" "signed by Cat <cat@lab>"
check
not_used "OpenPGP where ssh keys are wanted" "it is signed by OpenPGP, and $folder/signers holds SSH keys"
check "$folder/ring.asc"
refused "a ring in armor" "gpg --dearmor"
pgp eve@lab 'by Eve'
check "$folder/ring.gpg"
not_used "signed by a key that is not in the ring" "is by no key of $folder/ring.gpg"
git -C "$lab" reset -q --soft HEAD~1
signed ann 'by ssh'
check "$folder/ring.gpg"
not_used "an ssh key where OpenPGP is wanted" "it is signed by an SSH key"
git -C "$lab" reset -q --soft HEAD~1
pgp cat@lab 'good, and then changed'
git -C "$lab" cat-file commit HEAD | sed 's/good, and then changed/changed/' >"$folder/forged"
git -C "$lab" reset -q --hard "$(git -C "$lab" hash-object -t commit -w "$folder/forged")"
check "$folder/ring.gpg"
not_used "changed after it was signed with OpenPGP" "is by no key of $folder/ring.gpg"
gpgconf --kill all
