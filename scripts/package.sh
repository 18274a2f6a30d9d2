#!/usr/bin/env bash
# npm run test:package: packs, and tries what was packed as its users would: on the command line, by its manual, and as a library with types.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  printf 'the package: %s\n' "$*" >&2
  exit 1
}

tarball=$folder/$(npm pack --silent --pack-destination "$folder" | tail -n 1)
tar -xzf "$tarball" -C "$folder"
package=$folder/package

# It holds what runs and what is read, and nothing else.
for wanted in README.md LICENSE CHANGELOG.md .env.example packaging/man/pgsyncer.1 packaging/systemd/pgsyncer-sync.timer \
  fixtures/demo/schema.sql dist/main.js dist/index.js dist/index.d.ts; do
  [ -s "$package/$wanted" ] || fail "$wanted is missing"
done
[ -x "$package/dist/main.js" ] || fail 'dist/main.js cannot be executed'
strangers=$(cd "$package" && find . -type f | grep -Ev \
  '^\./(dist/[a-z/]+(\.d\.ts|\.js)|fixtures/demo/[a-z]+\.sql|packaging/(man|systemd)/[^/]+|(README|CHANGELOG)\.md|LICENSE|package\.json|\.env\.example)$' || true)
[ -z "$strangers" ] || fail "it holds what it should not: $strangers"
leftover=$(cd "$package/dist" && find . -name '*.js' | while read -r file; do
  [ -e "$project/src/${file%.js}.ts" ] || echo "$file"
done)
[ -z "$leftover" ] || fail "of no source any more: $leftover"

npx --yes publint@0.3.25 run "$tarball" --strict
# It is an ES module alone; who has CommonJS imports it by import().
npx --yes @arethetypeswrong/cli@0.18.5 "$tarball" --profile esm-only --format ascii

version=$(node -p 'require("./package.json").version')
mkdir "$folder/empty" "$folder/library"
cd "$folder/empty"
[ "$(npm exec --yes --package="$tarball" -- pgsyncer --version)" = "$version" ] || fail 'npx pgsyncer --version is not what package.json says'

npm install --silent --no-audit --no-fund --global --prefix "$folder/prefix" "$tarball"
program=$folder/prefix/bin/pgsyncer
"$program" --help | grep -q 'apply-plan' || fail '--help does not name the commands'
"$program" completion bash | bash -n
"$program" completion bash | grep -q 'complete -F _pgsyncer pgsyncer' || fail 'completion bash prints no completion'
[ -s "$folder/prefix/share/man/man1/pgsyncer.1" ] || fail 'npm did not install the manual'
# Where nothing is set it says so, and what to do.
if "$program" diff >"$folder/said" 2>&1; then fail 'a diff of nothing is no error'; elif [ $? != 2 ]; then fail 'wrong usage is not exit 2'; fi
grep -q 'maindsn' "$folder/said" || fail 'an unset DSN is not named'

cd "$folder/library"
cat >package.json <<'EOF'
{ "name": "library", "private": true, "type": "module" }
EOF
mkdir node_modules
ln -s "$folder/prefix/lib/node_modules/pgsyncer" node_modules/
# Every file can be loaded: none imports what was left out. main.js alone would run.
node --input-type=module - "$PWD/node_modules/pgsyncer/dist" <<'EOF'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
const dist = process.argv[2]
for (const file of readdirSync(dist, { recursive: true }))
  if (file.endsWith('.js') && file !== 'main.js') await import(join(dist, file))
const { sync, diff, check, follow, applyPlan } = await import('pgsyncer')
for (const one of [sync, diff, check, follow, applyPlan]) if (typeof one !== 'function') throw new Error('a function is missing')
EOF
cat >consumer.ts <<'EOF'
import { diff, GuardError, sync, type Report, type RunEvent, type SyncOptions } from 'pgsyncer'

const options: SyncOptions = { main: 'service=main', standby: 'service=standby', env: process.env, maxDelete: { percent: 5 } }
const stop = new AbortController()
export async function same(): Promise<boolean> {
  const report: Report = await diff(options, { signal: stop.signal, emit: (event: RunEvent) => console.log(event.type) })
  const rows: number = report.totals.insert
  // @ts-expect-error -- a report has types, and this is none of its fields
  console.log(rows, report.nonsense)
  // @ts-expect-error -- a DSN is a text
  await sync({ ...options, main: 1 }).catch((error: unknown) => error instanceof GuardError)
  return report.identical
}
EOF
cat >tsconfig.json <<'EOF'
{
  "compilerOptions": {
    "strict": true, "noEmit": true, "target": "es2023", "module": "nodenext", "types": ["node"], "skipLibCheck": true
  },
  "files": ["consumer.ts"]
}
EOF
# The project's own compiler, and its types of Node.
mkdir -p node_modules/@types
cp -R "$project/node_modules/@types/node" node_modules/@types/
cp -R "$project/node_modules/undici-types" node_modules/
"$project/node_modules/.bin/tsc" -p .
printf 'the package works: %s kB, %s files\n' "$(du -k "$tarball" | cut -f1)" "$(tar -tzf "$tarball" | wc -l)"
