#!/usr/bin/env bash
# Takes Rearguard off a belt. The wearer's data stay, in /var/lib/rearguard.
#
#     sudo deploy/uninstall.sh [--purge] [--dry-run]
#
# --purge    the wearer's data go as well, for good
# --dry-run  say what would be done, and do nothing
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/places.sh"
PURGE='' DRY=''
for word in "$@"; do
    case $word in
        --purge) PURGE=1 ;;
        --dry-run) DRY=1 ;;
        -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) echo "uninstall: no such option: $word; see --help" >&2; exit 2 ;;
    esac
done
[ "$(id -u)" = 0 ] || [ -n "$DRY" ] || { echo "uninstall: this needs root: run it with sudo" >&2; exit 2; }

run systemctl disable --quiet "${UNITS[@]}" 2>/dev/null || true
if booted; then run systemctl stop 'rearguard-*'; fi
while read -r _ place; do
    run rm -f "$place"
done < <(static_files)
run rm -f "$RULES" "$COMMAND"
run rm -rf "$OPT" "$ETC" /run/rearguard
if [ -f "$BROKER_CONF" ]; then
    run rm -rf "$BROKER" "$BROKER_CONF"
    if booted; then run systemctl restart mosquitto; fi
fi
if [ -n "$BOOT" ]; then
    run sed -i "/^$MARK begin\$/,/^$MARK end\$/d" "$BOOT"
fi
if [ -n "$PURGE" ]; then
    run rm -rf "$DATA"
elif [ -d "$DATA" ]; then
    # nobody will own it: a user that comes later must not find it as its own
    run chown -R root:root "$DATA"
    run chmod -R go-rwx "$DATA"
fi
for user in "${USERS[@]}"; do
    if getent passwd "$user" >/dev/null; then run userdel "$user"; fi
done
if getent group rearguard >/dev/null; then run groupdel rearguard; fi
if booted; then
    run systemctl daemon-reload
    run systemctl daemon-reexec
fi
echo "Rearguard is gone.$([ -z "$PURGE" ] && [ -d "$DATA" ] && echo " The wearer's data are in $DATA.")"
echo "Debian packages stay (mosquitto, python3-venv and others may serve somebody else)."
