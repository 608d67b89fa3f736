# shellcheck shell=bash
# Asks a person at the terminal for what cannot be guessed of a belt; the configuration is written to
# standard output. A password goes to a file of its own at once. To be sourced, with ETC and fail.

answer() { # PROMPT DEFAULT
    local said
    read -r -u 3 -p "$1 [$2]: " said
    echo "${said:-$2}"
}

dialogue() {
    local rear here host port user secret
    exec 3<>/dev/tty || fail "nobody can be asked here: give --config FILE"
    printf '[belt]\nname = "%s"\n\n' "$(answer "Name of this belt: small letters, digits, - and _" belt)"
    printf '[wearer]\nname = "%s"\n\n' "$(answer "Name of the wearer's profile" wearer)"
    printf '[motor]\ndriver = "%s"\n\n' "$(answer "Motor: pwm (on a transistor) or drv2605l" pwm)"
    rear=$(answer "Rear sensor: hcsr04, mb1242 or none" hcsr04)
    printf '[ranger]\ndriver = "%s"\n' "$rear"
    [ "$rear" != mb1242 ] || printf 'period_s = 0.1\n'
    here=$(answer "Broker, HOST or HOST:PORT; none: one is made on this belt" "")
    [ -n "$here" ] || return 0
    host=${here%:*} port=8883
    [ "$here" = "$host" ] || port=${here#*:}
    user=$(answer "User there" "")
    printf '\n[mqtt]\nhost = "%s"\nport = %s\nusername = "%s"\n' "$host" "$port" "$user"
    if [ -n "$user" ]; then
        read -r -s -u 3 -p "Its password: " secret
        echo >&3
        (umask 077 && mkdir -p "$ETC/secrets" && printf '%s\n' "$secret" >"$ETC/secrets/mqtt")
        printf 'password_file = "%s"\n' "$ETC/secrets/mqtt"
    fi
    secret=$(answer "File with the certificate of its CA; none: no TLS" "")
    if [ -n "$secret" ]; then
        mkdir -p "$ETC/tls"
        cp -- "$secret" "$ETC/tls/ca.crt" && chmod 0644 "$ETC/tls/ca.crt"
        printf 'ca_file = "%s"\n' "$ETC/tls/ca.crt"
    fi
}
