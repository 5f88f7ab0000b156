#!/usr/bin/env bash
# Starts Spark Connect in its container, with the embedded stack's settings filled in from the
# environment (placeholders ${ENV:NAME}). An unset name is an error.
set -euo pipefail

mkdir -p "$ICEWRIGHT_SPARK_SCRATCH"
conf="$ICEWRIGHT_SPARK_SCRATCH/spark.conf"
umask 077
while IFS= read -r line; do
  while [[ "$line" =~ \$\{ENV:([A-Z0-9_]+)\} ]]; do
    name="${BASH_REMATCH[1]}"
    : "${!name:?is not set, and spark-defaults.conf asks for it}"
    line="${line//"\${ENV:$name}"/"${!name}"}"
  done
  printf '%s\n' "$line"
done < "${ICEWRIGHT_SPARK_TEMPLATE:-/opt/icewright/spark-defaults.conf}" > "$conf"

if [[ "${1:-}" == --render-only ]]; then exit 0; fi
exec /opt/spark/bin/spark-submit \
  --class org.apache.spark.sql.connect.service.SparkConnectServer \
  --properties-file "$conf" \
  --packages "$ICEWRIGHT_SPARK_PACKAGES" \
  --conf spark.jars.ivy=/jars \
  --driver-memory 2g \
  --driver-java-options '-Duser.timezone=UTC -XX:+ExitOnOutOfMemoryError' \
  spark-internal
