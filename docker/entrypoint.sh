#!/bin/sh
# Secrets come as files (NAME_FILE), never in the container's configuration, where `docker inspect` shows them.
set -eu
for name in $(env | sed -n 's/^\([A-Z][A-Z0-9_]*\)_FILE=.*/\1/p'); do
    eval "file=\$${name}_FILE"
    if [ -n "$file" ]; then
        # Apart from the export, whose success would hide that the file cannot be read: an empty address of
        # the database means a database of the container's own.
        value=$(cat "$file")
        export "$name=$value"
    fi
done
exec healthbook "$@"
