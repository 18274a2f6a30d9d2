#!/usr/bin/env bash
# npm run bench: sets up what is missing, builds, and measures; arguments go to main.mjs (npm run bench -- --rows 200000).
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/setup.sh

# What (b) is measured against. Without it, that line says so and the rest goes on.
ensure_pgcopydb() {
  command -v pgcopydb >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing pgcopydb (apt-get install pgcopydb)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends pgcopydb >&2 || true
    hash -r
  fi
  command -v pgcopydb >/dev/null || say 'pgcopydb was not found and could not be installed: (b) goes on without it'
}

ensure_packages
ensure_clients
ensure_pgcopydb
npm run --silent build
exec node scripts/bench/main.mjs "$@"
