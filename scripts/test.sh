#!/usr/bin/env bash
# npm test: sets up what is missing, builds (some tests run dist/main.js), and runs the tests; arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/setup.sh

ensure_packages
ensure_clients
ensure_clickhouse
ensure_chromium
ensure_shells
ensure_pgbench
prefer_clients
ensure_rabbitmq
ensure_kafka
npm run --silent build

# Servers make and drop thousands of databases: in memory that takes less than half of the time, where there is much of it.
free_kb() { awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0; }
room_kb() { df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }'; }
if [ -z "${TMPDIR:-}" ] && [ "$(free_kb)" -gt 12000000 ] && [ "$(room_kb || echo 0)" -gt 8000000 ]; then
  export TMPDIR=/dev/shm
fi
exec npx vitest run "$@"
