#!/usr/bin/env bash
# moto: S3 in memory, which checks no signatures.
#   eval "$(scripts/servers/moto.sh start)"
set -euo pipefail
server=moto provider=moto
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=5.2.5
folder=$programs/moto-$release

fetch() { pip_install "$folder" --requirement "$here/moto.txt"; }
version() { echo "moto $release"; }

launch() {
  local port
  port=$(net ports 1)
  # Not bin/moto_server, whose first line names the folder: this works in one that was moved.
  daemon moto "$folder/bin/python3" -m moto.server -H 127.0.0.1 -p "$port"
  ready "http://127.0.0.1:$port/moto-api/" --status 200
  publish "http://127.0.0.1:$port" us-east-1
}

serve "$@"
