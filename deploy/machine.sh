# shellcheck shell=bash
# The Pi itself: its buses, its watchdog, its units. To be sourced by install.sh.

machine() {
    say "buses and watchdog"
    local bus=1 rear=none
    if [ -z "$DRY" ] || [ -f "$ETC/rearguard.toml" ]; then
        bus=$(ask "$ETC/rearguard.toml" imu.bus) rear=$(ask "$ETC/rearguard.toml" ranger.driver)
    fi
    put "$RULES" 0644 root:root < <(sed "s,KERNEL==\"i2c-1\",KERNEL==\"i2c-$bus\"," "$ROOT/systemd/60-rearguard.rules")
    if [ -z "$BOOT" ]; then
        echo "   no /boot/firmware/config.txt: on a Pi, I2C would be switched on there"
    else
        boot_line "dtparam=i2c_arm=on,i2c_arm_baudrate=400000"
        [ "$rear" != mb1242 ] ||
            boot_line "dtoverlay=i2c-gpio,bus=$(ask "$ETC/rearguard.toml" ranger.bus),i2c_gpio_sda=23,i2c_gpio_scl=24,i2c_gpio_delay_us=4"
    fi
    booted || return 0
    run udevadm control --reload
    run udevadm trigger --subsystem-match=i2c-dev --subsystem-match=gpio
    run modprobe i2c-dev || echo "   i2c-dev cannot be loaded now: it is after a restart"
}

# One line in the Pi's configuration, for every model ([all]), between marks of ours; once.
boot_line() {
    grep -qxF "$1" "$BOOT" && return
    if [ -n "$DRY" ]; then echo "   would add to $BOOT: $1"; return; fi
    { cat "$BOOT"; printf '%s begin\n[all]\n%s\n%s end\n' "$MARK" "$1" "$MARK"; } >"$BOOT.new"
    mv "$BOOT.new" "$BOOT"
    echo "   added to $BOOT: $1 (from the next restart on)"
    RESTART=1
}

start() {
    say "units"
    run systemctl enable --quiet "${UNITS[@]}"
    if ! booted; then
        echo "   not started: systemd does not run here"
        return
    fi
    run systemctl daemon-reload
    run systemctl daemon-reexec # takes up the watchdog
    [ ! -f "$BROKER_CONF" ] || run systemctl restart mosquitto
    # one that was given up on, or that stands in for one that was, is begun anew
    run systemctl reset-failed 'rearguard-*'
    run systemctl restart "${UNITS[@]}" || true
    say "doctor"
    run "$COMMAND" doctor --yes --config "$ETC/rearguard.toml" ||
        echo "   not fully fit to guard yet: mend what is named above, then: sudo rearguard doctor --config $ETC/rearguard.toml"
    [ -z "${RESTART-}" ] || say "restart the Pi now: I2C is switched on from then: sudo reboot"
}
