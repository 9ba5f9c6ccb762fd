#!/bin/sh
# The broker's container: makes the password of the user `riser` once, then becomes Mosquitto.
# Riser's container mounts the same volume, read-only, and finds it in login/password. No password stands in a file of
# the repository, in the environment or in a command line.
set -eu

login=/mosquitto/data/login
if [ ! -s "$login/password" ]; then
    mkdir -p "$login"
    head -c 24 /dev/urandom | base64 >"$login/new"
    # Riser runs as another user; who may enter the volume is decided by compose.yaml.
    chmod 644 "$login/new"
    mv "$login/new" "$login/password"
fi
umask 077
printf 'riser:%s\n' "$(cat "$login/password")" >/tmp/passwords
mosquitto_passwd -U /tmp/passwords
exec mosquitto -c /riser/mosquitto.conf
