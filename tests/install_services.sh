#!/usr/bin/env bash
# Installs what the tests use from Debian when run as root; otherwise names the one command.
set -euo pipefail
packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v psql >/dev/null || packages+=(postgresql)
command -v redis-server >/dev/null || packages+=(redis-server)
if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "• Installing ${packages[*]} for the tests"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >/dev/null
  else
    echo "Left out: the tests that need ${packages[*]}. To run them: sudo apt-get install -y ${packages[*]}"
  fi
fi
if [ "$(id -u)" = 0 ] && command -v pg_ctlcluster >/dev/null && ! pg_isready -q -h 127.0.0.1; then
  echo "• Starting PostgreSQL"
  read -r version cluster _ < <(pg_lsclusters -h)
  pg_hba="/etc/postgresql/$version/$cluster/pg_hba.conf"
  grep -q '127.0.0.1/32 *trust' "$pg_hba" || sed -i '1i host all all 127.0.0.1/32 trust' "$pg_hba"
  pg_ctlcluster --skip-systemctl-redirect "$version" "$cluster" start || true
fi
