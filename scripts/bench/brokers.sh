#!/usr/bin/env bash
# npm run bench:brokers: sets up what is missing, builds, also what starts the brokers for the tests, and measures; arguments go to brokers.mjs.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/setup.sh

ensure_packages
ensure_clients
ensure_clickhouse
ensure_rabbitmq
ensure_kafka
npm run --silent build
support=node_modules/.cache/pgsyncer-bench
npx tsc -p scripts/bench/tsconfig.json --outDir "$support"
cp test/support/kafka.pom.xml "$support/test/support/"
exec node scripts/bench/brokers.mjs "$@"
