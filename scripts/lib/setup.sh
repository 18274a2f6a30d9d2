# What a fresh machine needs before the tests or the demo can run: the packages of package-lock.json, PostgreSQL's
# client programs, 15 or newer, and, for the tests, ClickHouse, RabbitMQ and Kafka. Sourced by scripts that stand in the project's root; says what it does, on stderr.

say() { printf '%s\n' "$*" >&2; }

# npm ci, where it was never done. A registry that does not serve every platform's packages makes npm ci refuse a lock
# file that names them (or not); npm install takes what there is, and --no-save leaves the lock file alone.
ensure_packages() {
  [ -e node_modules/.package-lock.json ] && return
  say '▸ Installing the packages of package-lock.json (npm ci)'
  npm ci --no-audit --no-fund >&2 || npm install --no-save --no-audit --no-fund >&2
}

# The newest major version of a program on PATH or in Debian's folders, 0 where there is none.
newest() {
  local found best=0 program
  for program in "$(command -v "$1" || true)" /usr/lib/postgresql/*/bin/"$1"; do
    [ -x "$program" ] || continue
    found=$("$program" --version 2>/dev/null | grep -oE '[0-9]+' | head -n 1) || continue
    [ "${found:-0}" -gt "$best" ] && best=$found
  done
  echo "$best"
}

# Debian's wrappers of the client programs take longer to start than many a test takes: the programs themselves come first.
prefer_clients() {
  local folder
  folder=/usr/lib/postgresql/$(newest pg_dump)/bin
  if [ -x "$folder/pg_dump" ] && [ -x "$folder/psql" ]; then PATH=$folder:$PATH; fi
}

clients_ok() {
  [ "$(newest pg_dump)" -ge 15 ] && command -v psql >/dev/null
}

# psql and pg_dump 15 or newer: by apt-get where we may, else by advice.
ensure_clients() {
  clients_ok && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing psql and pg_dump (apt-get install postgresql-client)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql-client >&2 || true
    hash -r
  fi
  clients_ok && return
  say 'psql and pg_dump, 15 or newer, are needed and were not found. To get them:'
  say '  Debian, Ubuntu:  sudo apt-get install postgresql-client   (older releases: https://apt.postgresql.org)'
  say '  Fedora, RHEL:    sudo dnf install postgresql'
  say '  Alpine:          apk add postgresql-client'
  say '  macOS:           brew install libpq && brew link --force libpq'
  return 1
}

# A ClickHouse server for the tests that need one, where apt-get may bring it. Without it those tests are skipped, and say so.
ensure_clickhouse() {
  [ -x /usr/sbin/clickhouse-server ] || command -v clickhouse-server >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing clickhouse-server and clickhouse-client (apt-get install)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends clickhouse-server clickhouse-client >&2 || true
    # The tests start servers of their own: the one that the package brings as a service need not run.
    if [ -d /run/systemd/system ]; then systemctl disable -q --now clickhouse-server >&2 || true; fi
    hash -r
  fi
  [ -x /usr/sbin/clickhouse-server ] || command -v clickhouse-server >/dev/null && return
  say 'There is no clickhouse-server here: its tests are skipped. To get it:'
  say '  Debian:  sudo apt-get install clickhouse-server clickhouse-client'
}

chromium_ok() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}

# A browser for the tests of follow's live page, where apt-get may bring it. Without it those tests are skipped, and say so.
ensure_chromium() {
  chromium_ok && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing chromium (apt-get install)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium >&2 || true
    hash -r
  fi
  chromium_ok && return
  say 'There is no Chromium here: the tests of the live page are skipped. To get it:'
  say '  Debian, Ubuntu:  sudo apt-get install chromium'
}

# pgbench, which comes with Debian's server alone.
ensure_pgbench() {
  command -v pgbench >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing pgbench (apt-get install postgresql)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql >&2 || true
    # The tests start servers of their own.
    if [ -d /run/systemd/system ]; then systemctl disable -q --now postgresql >&2 || true; fi
    hash -r
  fi
  command -v pgbench >/dev/null && return
  say 'There is no pgbench here: the tests of a main at work are skipped. To get it:'
  say '  Debian, Ubuntu:  sudo apt-get install postgresql'
}

shells_ok() {
  command -v zsh >/dev/null && command -v fish >/dev/null && command -v tmux >/dev/null && command -v jq >/dev/null
}

# The shells whose completion is tested, beside bash, and the terminal in which progress is looked at.
ensure_shells() {
  shells_ok && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing zsh, fish, tmux and jq (apt-get install)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends zsh fish tmux jq >&2 || true
    hash -r
  fi
  shells_ok && return
  say 'There is no zsh, fish, tmux or jq: the tests of completion, a terminal, or the documents are skipped. To get them:'
  say '  Debian, Ubuntu:  sudo apt-get install zsh fish tmux jq'
}

# RabbitMQ for the tests that need a broker, where apt-get may bring it. Without it those tests are skipped, and say so.
ensure_rabbitmq() {
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing rabbitmq-server (apt-get install)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends rabbitmq-server >&2 || true
    # The tests start brokers of their own: the one that the package brings as a service need not run.
    if [ -d /run/systemd/system ]; then
      systemctl disable -q --now rabbitmq-server >&2 || true
    else
      service rabbitmq-server stop >/dev/null 2>&1 || true
    fi
  fi
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && return
  say 'There is no rabbitmq-server here: its tests are skipped. To get it:'
  say '  Debian, Ubuntu:  sudo apt-get install --no-install-recommends rabbitmq-server'
}

# Kafka's own server, as jars of Maven in the user's cache, for the tests that need it. Without it those tests are skipped, and say so.
ensure_kafka() {
  local pom=test/support/kafka.pom.xml version jars
  version=$(grep -A1 '<artifactId>kafka_2.13<' "$pom" | sed -n 's/.*<version>\(.*\)<.*/\1/p')
  jars=${XDG_CACHE_HOME:-$HOME/.cache}/pgsyncer/kafka-$version
  [ -e "$jars/kafka_2.13-$version.jar" ] && return
  if ! { command -v java && command -v mvn; } >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say '▸ Installing java and mvn, for Kafka (apt-get install)'
    apt-get update -q >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends default-jre-headless maven >&2 || true
    hash -r
  fi
  if { command -v java && command -v mvn; } >/dev/null; then
    say "▸ Bringing Kafka $version to $jars (mvn)"
    # Under another name until all is there.
    rm -rf "$jars.part"
    if mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars.part" >&2; then
      rm -rf "$jars" && mv "$jars.part" "$jars" || true
    fi
  fi
  [ -e "$jars/kafka_2.13-$version.jar" ] && return
  say 'There is no Kafka here: its tests are skipped. To get it, with Java 17 and Maven (apt-get install default-jre-headless maven):'
  say "  mvn -f $pom dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$jars"
}
