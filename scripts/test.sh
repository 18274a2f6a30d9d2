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
exec npx vitest run "$@"
