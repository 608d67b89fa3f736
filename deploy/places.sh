# shellcheck shell=bash
# What lies where on a belt, and how it is put there. To be sourced, with ROOT set to the folder
# that has deploy/ and systemd/ in it, and DRY to what is not empty where nothing may be changed.
ETC=/etc/rearguard
OPT=/opt/rearguard
DATA=/var/lib/rearguard
BROKER=/etc/mosquitto/rearguard                # keys, passwords and access list of a broker made here
BROKER_CONF=/etc/mosquitto/conf.d/rearguard.conf
COMMAND=/usr/local/bin/rearguard
RULES=/etc/udev/rules.d/60-rearguard.rules
UNITS=(rearguard-device rearguard-service)     # those that are enabled
USERS=(rearguard-device rearguard-service)
MARK='# rearguard'                             # begins and ends what is ours in a file of the system's
BOOT=''                                        # the Pi's own configuration, where there is one
for file in /boot/firmware/config.txt /boot/config.txt; do
    [ -z "$BOOT" ] && [ -f "$file" ] && BOOT=$file
done

# Source in this folder's parent, and place in the system, of every file that is taken as it is.
static_files() {
    cat <<'T'
systemd/rearguard-device.service /etc/systemd/system/rearguard-device.service
systemd/rearguard-service.service /etc/systemd/system/rearguard-service.service
systemd/rearguard-not-guarding.service /etc/systemd/system/rearguard-not-guarding.service
systemd/rearguard-not-served.service /etc/systemd/system/rearguard-not-served.service
systemd/rearguard-i2c.device /etc/systemd/system/rearguard-i2c.device
systemd/rearguard.sysusers /etc/sysusers.d/rearguard.conf
systemd/rearguard.tmpfiles /etc/tmpfiles.d/rearguard.conf
systemd/rearguard.modules /etc/modules-load.d/rearguard.conf
systemd/rearguard.watchdog /etc/systemd/system.conf.d/rearguard.conf
T
}

# Does it, or says it.
run() { if [ -n "${DRY-}" ]; then echo "   would run: $*"; else "$@"; fi; }

# Standard input into a file, unless it says the same already: put FILE MODE OWNER:GROUP
put() {
    local new
    new=$(mktemp)
    cat >"$new"
    if cmp -s "$new" "$1" && [ "$(stat -c %a "$1")" = "${2#0}" ]; then rm "$new"; return; fi
    if [ -n "${DRY-}" ]; then echo "   would write: $1 (mode $2, $3)"; rm "$new"; return; fi
    install -D -m "$2" -o "${3%:*}" -g "${3#*:}" "$new" "$1.new"
    mv "$1.new" "$1" # whole or not at all
    rm "$new"
    echo "   wrote $1"
}

# Units, users, folders, rules, as this release has them.
lay_files() {
    local source place
    while read -r source place; do
        put "$place" 0644 root:root <"$ROOT/$source"
    done < <(static_files)
    run systemd-sysusers /etc/sysusers.d/rearguard.conf
    run systemd-tmpfiles --create /etc/tmpfiles.d/rearguard.conf
    if booted; then run systemctl daemon-reload; fi
}

booted() { [ -d /run/systemd/system ]; }  # else a chroot: nothing can be started there
