#!/usr/bin/env bash
# Puts Rearguard on a belt, from nothing to guarding; run again, it mends what is missing.
#
#     sudo deploy/install.sh [--config FILE] [--wheels DIR] [--dry-run]
#
# --config FILE  the configuration (deploy/rearguard.toml has every key); without it a short dialogue
#                asks for what cannot be guessed. One that is there already is kept. Where it has no
#                section [mqtt], a broker is made on this machine, with TLS, passwords, access list.
# --wheels DIR   take every Python package from DIR, none from the network
# --dry-run      say what would be done, and do nothing
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
CONFIG='' WHEELS='' DRY=''
[ -f "$ROOT/pyproject.toml" ] || WHEELS=$ROOT/wheels # from a package, not a checkout
. "$HERE/places.sh"
fail() { echo "install: $*" >&2; exit 2; }
say() { echo "== $*"; }
while [ $# -gt 0 ]; do
    case $1 in
        --config) CONFIG=$(realpath -e -- "${2:?--config takes a file}") || fail "no file $2: name one that is there"; shift 2 ;;
        --wheels) WHEELS=$(realpath -e -- "${2:?--wheels takes a folder}") || fail "no folder $2: name one that is there"; shift 2 ;;
        --dry-run) DRY=1; shift ;;
        -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) fail "no such option: $1; see --help" ;;
    esac
done

check_system() {
    [ "$(id -u)" = 0 ] || [ -n "$DRY" ] || fail "this needs root: run it with sudo"
    command -v apt-get >/dev/null || fail "no apt-get: this is for Raspberry Pi OS and Debian 12 or newer"
    case $(dpkg --print-architecture) in
        arm64 | amd64) ;;
        armhf | armel) fail "32-bit systems cannot be served: NumPy and cffi have no wheel for 32-bit Arm on PyPI; install the 64-bit Raspberry Pi OS" ;;
        *) fail "$(dpkg --print-architecture) has not been tried: use arm64" ;;
    esac
}

packages() {
    say "Debian packages"
    install_packages python3 python3-venv systemd udev kmod openssl
    [ -n "$WHEELS" ] || install_packages python3-dev gcc libc6-dev swig # the C core is built here, and lgpio
}

install_packages() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    [ -n "${UPDATED-}" ] || run apt-get update -qq
    UPDATED=1
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

users_and_folders() {
    say "units, users, folders"
    lay_files
    run install -d -m 0755 "$OPT" "$OPT/releases"
    # what was kept when Rearguard was taken off, or comes from a backup, is root's: give it back
    if [ -d "$DATA" ]; then
        run find "$DATA" -mindepth 1 -uid 0 ! -path "$DATA/store.*" ! -path "$DATA/tokens" -exec chown rearguard-device:rearguard {} + -exec chmod u+rwX,g+rX,o= {} +
        run find "$DATA" -mindepth 1 -uid 0 \( -path "$DATA/store.*" -o -path "$DATA/tokens" \) -exec chown rearguard-service: {} + -exec chmod 0600 {} +
    fi
}

# A virtual environment of its own for what is installed now; `current` points to it.
program() {
    say "program"
    local name release what
    name=$(release_version)-$(fingerprint)
    release=$OPT/releases/$name
    if [ -f "$release/.whole" ]; then echo "   $name is there"; else
        what=(--quiet --disable-pip-version-check)
        if [ -n "$WHEELS" ]; then
            what+=(--no-index --find-links "$WHEELS" "rearguard[pi]")
        else
            what+=("$(copy_of_source)[pi]")
        fi
        run rm -rf "$release" # what an earlier attempt left
        run python3 -m venv "$release"
        # PYPI=1: where lgpio must be built (Python 3.13), with its C library in it
        run env PYPI=1 "$release/bin/python" -m pip install "${what[@]}"
        run rm -rf "$OPT/.source"
        if [ -z "$DRY" ]; then
            "$release/bin/rearguard" --help >/dev/null || fail "the program does not start: $release/bin/rearguard"
            sync # the mark must not be on the card before what it marks
            touch "$release/.whole"
        fi
    fi
    [ -n "$DRY" ] || { ln -sfn "releases/$name" "$OPT/current.new" && mv -T "$OPT/current.new" "$OPT/current"; }
    run ln -sfn "$OPT/current/bin/rearguard" "$COMMAND"
}

# Built from a copy, so that building leaves nothing of root's in the checkout.
copy_of_source() {
    local copy=$OPT/.source
    if [ -z "$DRY" ]; then
        rm -rf "$copy"
        install -d "$copy"
        (cd "$ROOT" && cp -r pyproject.toml setup.py README.md LICENSE device service systemd deploy "$copy/")
        rm -f "$copy"/device/core/_native.*
    fi
    echo "$copy"
}

release_version() {
    if [ -n "$WHEELS" ]; then
        basename "$(ls "$WHEELS"/rearguard-*.whl)" | cut -d- -f2
    else
        sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/pyproject.toml"
    fi
}

# What a release was made from: the same again need not be made again.
fingerprint() {
    if [ -n "$WHEELS" ]; then cat "$WHEELS"/*.whl; else
        (cd "$ROOT" && cat pyproject.toml setup.py && find device service systemd deploy \( -name '*.py' -o -name '*.[ch]' -o -path '*/page/*' -o -path 'systemd/*' -o -path 'deploy/*' \) -type f -print0 | sort -z | xargs -0 cat)
    fi | sha256sum | cut -c1-8
}

# What the configuration says: ask FILE KEY, e.g. belt.name. Refuses a file that will not do.
ask() { "$OPT/current/bin/python" -c '
import sys
from functools import reduce
from pathlib import Path
from device.settings import ConfigError, load
try:
    print(reduce(getattr, sys.argv[2].split("."), load(Path(sys.argv[1]))))
except ConfigError as error:
    sys.exit(f"install: {error}")' "$@"; }

# A configuration of an older release, as today's wants it; one of today's stays as it is.
carry_on() {
    local draft
    draft=$(mktemp)
    "$OPT/current/bin/python" -m device.migrations "$1" "$draft"
    put "$1" 0640 root:rearguard <"$draft"
    rm "$draft"
    echo "   $1 is kept"
}

configuration() {
    say "configuration"
    local file=$ETC/rearguard.toml draft name
    if [ -f "$file" ]; then
        [ -n "$DRY" ] || carry_on "$file"
    else
        if [ -n "$DRY" ]; then echo "   would write: $file from ${CONFIG:-a dialogue}"; return; fi
        draft=$(mktemp)
        if [ -n "$CONFIG" ]; then cat "$CONFIG"; else dialogue; fi >"$draft"
        if ! grep -q '^\[mqtt\]' "$draft"; then
            printf '\n[mqtt]\nhost = "127.0.0.1"\nport = 8883\nusername = "%s"\npassword_file = "%s"\nca_file = "%s"\n' \
                "$(ask "$draft" belt.name)" "$ETC/secrets/mqtt" "$ETC/tls/ca.crt" >>"$draft"
        fi
        name=$(ask "$draft" belt.name)
        if grep -qx "user $name" "$HERE/mosquitto.acl"; then fail "a belt may not be called $name, as a user of the broker is: choose another [belt] name"; fi
        put "$file" 0640 root:rearguard <"$draft"
        rm "$draft"
    fi
    [ -n "$DRY" ] || ask "$file" belt.name >/dev/null
    if [ -z "$DRY" ] && [ -f "$ETC/secrets/mqtt" ]; then # the service's, and its alone
        chmod 0711 "$ETC/secrets"
        chown rearguard-service: "$ETC/secrets/mqtt"
    fi
}

. "$HERE/dialogue.sh"
. "$HERE/broker.sh"
. "$HERE/machine.sh"

main() {
    check_system
    [ -z "$DRY" ] || say "dry run: nothing is changed"
    packages
    users_and_folders
    program
    configuration
    make_broker
    machine
    start
}
main
