#!/bin/sh
# Makes the servers one cluster. A second run changes nothing; a further server is one more name in NODES.
# Roles and their passwords go from the coordinator to every server that joins.
set -eu
export PGHOST=postgres PGUSER=postgres PGDATABASE=healthbook
psql -v ON_ERROR_STOP=1 --quiet -c "SELECT citus_set_coordinator_host('postgres', 5432)"
for node in $NODES; do
    until pg_isready -q -h "$node" -d healthbook; do sleep 1; done
    psql -v ON_ERROR_STOP=1 --quiet -c "SELECT citus_add_node('$node', 5432)"
done
# Found by every session of these roles: a look-up of array types takes seconds otherwise.
for role in hb_owner hb_api hb_delivery hb_signer hb_stats hb_backup; do
    psql -v ON_ERROR_STOP=1 --quiet -c "ALTER ROLE $role SET citus.override_table_visibility = off"
done
psql -v ON_ERROR_STOP=1 -c 'SELECT groupid, nodename, isactive, shouldhaveshards FROM pg_dist_node ORDER BY groupid'
