#!/bin/sh
# Runs Mosquitto in its container and makes it read its files again whenever `gridwarden agents`
# has written them: `revision` changes last.
set -eu
umask 077
folder=${BROKER_DIR:-/broker}

# for the health check, so that the password stands in no command line
export XDG_CONFIG_HOME="${XDG_CONFIG_HOME:-/tmp/health}"
mkdir -p "$XDG_CONFIG_HOME"
printf '%s\n' "-u hub" "-P $HUB_PASSWORD" "--cafile $folder/ca.crt" > "$XDG_CONFIG_HOME/mosquitto_pub"

mosquitto=$$
seen=$(cat "$folder/revision")
(
    while sleep 1; do
        now=$(cat "$folder/revision") || continue
        if [ "$now" != "$seen" ]; then
            kill -HUP "$mosquitto" || exit 0
            seen=$now
        fi
    done
) &
exec mosquitto -c "${1:-/mosquitto/config/mosquitto.conf}"
