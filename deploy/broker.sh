# shellcheck shell=bash
# A broker on the belt, when the configuration says that it is the one made here: mosquitto behind
# TLS, with a password for each user and an access list. To be sourced by install.sh.

make_broker() {
    say "broker"
    if [ -n "$DRY" ] && [ ! -f "$ETC/rearguard.toml" ]; then
        if [ -n "$CONFIG" ] && grep -q '^\[mqtt\]' "$CONFIG"; then echo "   the one that $CONFIG names"; return; fi
    elif [ "$(ask "$ETC/rearguard.toml" mqtt.password_file)" != "$ETC/secrets/mqtt" ] ||
        [ "$(ask "$ETC/rearguard.toml" mqtt.host)" != 127.0.0.1 ]; then
        echo "   the one that $ETC/rearguard.toml names"
        return
    fi
    install_packages mosquitto
    if [ -n "$DRY" ]; then
        echo "   would make: a CA and a certificate in $ETC/tls, passwords in $ETC/secrets, $BROKER"
    else
        install -d -m 0755 -o root -g root "$ETC/tls" "$BROKER"
        install -d -m 0711 -o root -g root "$ETC/secrets"
        certificates
        passwords
    fi
    put "$BROKER/acl" 0640 root:mosquitto <"$HERE/mosquitto.acl"
    put "$BROKER_CONF" 0644 root:root <<T
# Written by Rearguard's installer. Nobody gets in without a password, nothing goes in the clear.
listener 8883
allow_anonymous false
password_file $BROKER/passwords
acl_file $BROKER/acl
certfile $BROKER/server.crt
keyfile $BROKER/server.key
tls_version tlsv1.2
persistent_client_expiration 14d
max_queued_messages 10000
max_packet_size 262144
max_connections 64
T
    run systemctl enable --quiet mosquitto
}

# A CA of this belt's own, and the broker's certificate for every name it may be called by. Made
# once; the certificate is made anew when less than a year is left of it.
certificates() {
    local ca=$ETC/tls/ca name files
    name=$(hostname)
    files=$(mktemp -d)
    if [ ! -f "$ca.crt" ]; then
        (umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9125 \
            -subj "/CN=Rearguard CA of $name" -addext basicConstraints=critical,CA:TRUE \
            -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$ca.key" -out "$files/ca.crt" 2>"$files/said") ||
            fail "no CA could be made: $(tail -1 "$files/said")"
        install -m 0644 "$files/ca.crt" "$ca.crt"
        echo "   made a CA: $ca.crt"
    fi
    if ! openssl x509 -checkend 31536000 -noout -in "$BROKER/server.crt" >/dev/null 2>&1 ||
        ! openssl verify -CAfile "$ca.crt" "$BROKER/server.crt" >/dev/null 2>&1; then
        printf '%s\n' basicConstraints=CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
            subjectKeyIdentifier=hash authorityKeyIdentifier=keyid \
            "subjectAltName=DNS:$name,DNS:$name.local,DNS:localhost,IP:127.0.0.1,IP:::1" >"$files/ext"
        (umask 077; openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
            -keyout "$files/key" -out "$files/csr" 2>"$files/said" &&
            openssl x509 -req -in "$files/csr" -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial -days 3650 \
            -extfile "$files/ext" -out "$files/crt" 2>"$files/said") ||
            fail "no certificate could be made: $(tail -1 "$files/said")"
        install -m 0640 -o root -g mosquitto "$files/key" "$BROKER/server.key"
        install -m 0644 "$files/crt" "$BROKER/server.crt"
        echo "   made a certificate for $name"
    fi
    rm -r "$files"
}

# One for the belt and for each user that the access list names, made here and never shown: they
# stand in files only their user, or root, can read.
passwords() {
    local belt user file plain
    belt=$(ask "$ETC/rearguard.toml" belt.name)
    plain=$(mktemp)
    for user in "$belt" $(sed -n 's/^user //p' "$HERE/mosquitto.acl"); do
        file=$ETC/secrets/$user
        if [ "$user" = "$belt" ]; then file=$ETC/secrets/mqtt; fi
        if [ ! -s "$file" ]; then
            (umask 077; openssl rand -hex 16 >"$file")
            echo "   made a password for $user: $file"
        fi
        printf '%s:%s\n' "$user" "$(cat "$file")" >>"$plain"
    done
    chown rearguard-service: "$ETC/secrets/mqtt"
    mosquitto_passwd -U "$plain"
    install -m 0640 -o root -g mosquitto "$plain" "$BROKER/passwords"
    rm "$plain"
}
