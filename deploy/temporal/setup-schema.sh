#!/bin/sh
# Creates Temporal's two databases or brings their schemas up to date. SQL_PASSWORD comes from the environment.
set -eu

prepare() {
  database=$1
  schema=$2
  sql() { temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal --db "$database" "$@"; }
  sql create
  sql setup-schema -v 0.0
  sql update-schema --schema-name "$schema"
}

prepare temporal postgresql/v12/temporal
prepare temporal_visibility postgresql/v12/visibility
