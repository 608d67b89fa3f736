#!/bin/sh
# Run by systemd inside a root that has just been installed and booted, without bus and pins: one
# line for each thing that has come about, then the power goes off.
exec >/proof/proof.txt 2>/proof/proof.err
export SYSTEMD_PAGER=
# Says WHAT once the rest, a command, succeeds; gives up after SECONDS.
wait_for() {
    what=$1 end=$(($(date +%s) + $2))
    shift 2
    until "$@"; do
        if [ "$(date +%s)" -ge $end ]; then echo "NOT $what"; return; fi
        sleep 0.2
    done
    echo "$what"
}
main_pid() { systemctl show -P MainPID "$1"; }
another_pid() { [ "$(main_pid rearguard-service)" != "$1" ] && systemctl is-active -q rearguard-service; }
restarts() { [ "$(systemctl show -P NRestarts rearguard-service)" -ge "$1" ]; }
another_run() { [ "$(systemctl show -P InvocationID rearguard-device)" != "$1" ]; }

wait_for "the service is ready" 60 systemctl is-active -q rearguard-service
wait_for "the device was given up on, and the wearer is told" 180 systemctl is-active -q rearguard-not-guarding
systemctl show -P NRestarts rearguard-device
tried=$(systemctl show -P InvocationID rearguard-device)

pid=$(main_pid rearguard-service)
[ "$pid" -gt 1 ] && kill -KILL "$pid"
wait_for "the service was killed and is back" 20 another_pid "$pid"
pid=$(main_pid rearguard-service)
[ "$pid" -gt 1 ] && kill -STOP "$pid"
wait_for "the service was stopped: the watchdog ended it, and it is back" 60 another_pid "$pid"

wait_for "the device is tried again" 90 another_run "$tried"
wait_for "and given up on again" 180 systemctl is-active -q rearguard-not-guarding

before=$(readlink /opt/rearguard/current)
rearguard update /proof/wheels/rearguard-0.1.1-*.whl >/proof/update.txt 2>&1
echo "an update that does not guard ended with $?"
grep -o 'did not guard within 30 s' /proof/update.txt
[ "$(readlink /opt/rearguard/current)" = "$before" ] && ls /opt/rearguard/releases | grep -c '^0.1.1-' && echo "the old release is back"
systemctl stop rearguard-device
sleep 1
for unit in rearguard-device rearguard-not-guarding; do # failed, or inactive
    systemctl is-active -q $unit || echo "$unit does not run"
done
{ cat /proof/update.txt; journalctl -b -u 'rearguard-*' -o short-monotonic; } >/proof/proof.log
sync
systemctl poweroff --no-block
