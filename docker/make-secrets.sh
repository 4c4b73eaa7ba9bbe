#!/bin/sh
# Make every secret that the compose files name, once: what is there already is left as it is.
#   docker/make-secrets.sh so.example.vn [DIRECTORY]
# Run it as root: each file then belongs to the one account that reads it. Keys of the service itself are
# made by `healthbook admin make-keys` (README.md); nothing here opens a record.
set -eu
umask 077
host=${1:?the public host name, for example so.example.vn}
place=${2:-$(dirname "$0")}
command -v openssl >/dev/null || { echo "openssl is needed." >&2; exit 1; }

# Accounts of the images: ours (the signer's own), PostgreSQL's, nginx's, SeaweedFS's and Prometheus's.
program=10001 signer=10002 postgres=999 nginx=101 objects=1000 nobody=65534

own() { # FILE ACCOUNT
    chmod 0400 "$1"
    if [ "$(id -u)" = 0 ]; then
        chown "$2:$2" "$1"
    fi
}
put() { # NAME ACCOUNT: standard input becomes a secret, unless it is there
    if [ -e "$place/secrets/$1" ]; then
        cat >/dev/null
        return
    fi
    cat >"$place/secrets/$1"
    own "$place/secrets/$1" "$2"
    echo "made secrets/$1"
}
random() { openssl rand -hex 24; }
said() { cat "$place/secrets/$1"; }

mkdir -p "$place/secrets" "$place/keys" "$place/signer"
if [ "$(id -u)" = 0 ]; then
    chown "$program:$program" "$place/keys"
    chown "$signer:$signer" "$place/signer"
else
    echo "Not root: give the files to the accounts named in README.md by hand." >&2
fi

random | put postgres_password "$postgres"
for role in owner api delivery signer backup; do
    random | put "hb_${role}_password" "$postgres"
done
address() { printf 'postgresql://hb_%s:%s@postgres/healthbook\n' "$1" "$(said "hb_$1_password")"; }
address api | put database_url "$program"
for role in owner delivery backup; do
    address "$role" | put "database_${role}_url" "$program"
done
address signer | put database_signer_url "$signer"
# How the servers of a cluster sign in at each other (compose.citus.yaml).
for role in owner api delivery signer backup; do
    printf '*:5432:*:hb_%s:%s\n' "$role" "$(said "hb_${role}_password")"
done | { cat; printf '*:5432:*:postgres:%s\n' "$(said postgres_password)"; } | put cluster_passwords "$postgres"

random | put objects_secret "$program"
printf '{"identities":[{"name":"healthbook","credentials":[{"accessKey":"healthbook","secretKey":"%s"}],
"actions":["Read:health","Write:health","List:health","Tagging:health"]}]}\n' "$(said objects_secret)" |
    put objects_accounts.json "$objects"

# What alerts are sent with (metrics/alertmanager.yml): put the receiver's own token in its place.
random | put alert_token "$nobody"

# A certificate of our own for the object store; the key of its issuer is thrown away.
if [ ! -e "$place/secrets/objects_key.pem" ]; then
    made=$(mktemp -d)
    openssl req -x509 -newkey rsa:3072 -noenc -days 3650 -subj "/CN=healthbook objects CA" \
        -keyout "$made/ca.key" -out "$made/ca.pem" 2>/dev/null
    openssl req -newkey rsa:3072 -noenc -subj "/CN=objects" -keyout "$made/key.pem" -out "$made/asked.pem" 2>/dev/null
    printf 'subjectAltName=DNS:objects\nbasicConstraints=CA:FALSE\n' >"$made/names"
    openssl x509 -req -in "$made/asked.pem" -CA "$made/ca.pem" -CAkey "$made/ca.key" -CAcreateserial \
        -days 3650 -extfile "$made/names" -out "$made/certificate.pem" 2>/dev/null
    put objects_ca.pem "$program" <"$made/ca.pem"
    put objects_certificate.pem "$objects" <"$made/certificate.pem"
    put objects_key.pem "$objects" <"$made/key.pem"
    rm -rf "$made"
fi

# For a first look only: browsers do not believe it. Put the real one in its place.
if [ ! -e "$place/secrets/tls_key.pem" ]; then
    made=$(mktemp -d)
    openssl req -x509 -newkey rsa:3072 -noenc -days 30 -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
        -keyout "$made/key.pem" -out "$made/certificate.pem" 2>/dev/null
    put tls_certificate.pem "$nginx" <"$made/certificate.pem"
    put tls_key.pem "$nginx" <"$made/key.pem"
    rm -rf "$made"
    echo "secrets/tls_certificate.pem is of our own making and ends in 30 days: put the real one there."
fi

if [ ! -e "$place/.env" ]; then
    cat >"$place/.env" <<EOF
# No secret stands here; compose reads it by itself.
COMPOSE_PROJECT_NAME=healthbook
# With signer and backup, once their keys are there: COMPOSE_PROFILES=signer,backup
COMPOSE_PROFILES=
ALLOWED_HOSTS=$host
APP_ORIGIN=https://$host
HOTLINE=
# What \`healthbook backup make-identity\` printed.
HEALTHBOOK_BACKUP_RECIPIENTS=
EOF
    chmod 0644 "$place/.env"
    echo "made .env"
fi
