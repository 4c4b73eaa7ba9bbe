#!/bin/sh
# Addresses of the database hold passwords, so they come as files (NAME_FILE), never in the
# container's configuration, where `docker inspect` shows them.
set -eu
read_secret() {
    if [ -n "$2" ]; then
        export "$1=$(cat "$2")"
    fi
}
read_secret DATABASE_URL "${DATABASE_URL_FILE:-}"
read_secret DATABASE_OWNER_URL "${DATABASE_OWNER_URL_FILE:-}"
read_secret DATABASE_DELIVERY_URL "${DATABASE_DELIVERY_URL_FILE:-}"
read_secret DATABASE_SIGNER_URL "${DATABASE_SIGNER_URL_FILE:-}"
exec healthbook "$@"
