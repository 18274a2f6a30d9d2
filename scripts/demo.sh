#!/usr/bin/env bash
# npm run demo: sets up what is missing, builds, and runs `pgsyncer demo`; arguments go to it (npm run demo -- --keep).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/setup.sh

ensure_packages
ensure_clients
npm run --silent build
exec node dist/main.js demo "$@"
