#!/usr/bin/env bash
# npm run bench:follow: sets up what is missing, builds, and measures; arguments go to follow.mjs (npm run bench:follow -- --runs 1).
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/setup.sh

ensure_packages
ensure_clients
npm run --silent build
exec node scripts/bench/follow.mjs "$@"
