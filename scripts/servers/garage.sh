#!/usr/bin/env bash
# Garage, a single node. The first start builds it from source: about six minutes on two cores.
#   eval "$(scripts/servers/garage.sh start)"
set -euo pipefail
server=garage provider=garage
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=2.5.0
garage=$programs/garage-$release/bin/garage

# A debug build answers as a release build does, and takes a fifth of the time to make.
fetch() {
  local half=$programs/garage-$release.half
  [ -x "$garage" ] && return
  say "cargo install garage $release"
  # Away from this tree, whose configuration is not Garage's.
  (cd "$programs" && CARGO_TARGET_DIR=$half/target cargo install garage --version "$release" --locked --debug \
    --no-default-features --features bundled-libs,sqlite --root "$half")
  mkdir -p "$(dirname "$garage")"
  mv "$half/bin/garage" "$garage"
  rm -rf "$half"
}
version() { echo "Garage $release"; }

launch() {
  local s3 admin rpc node
  read -r s3 admin rpc < <(net ports 3)
  cat >"$state/data/garage.toml" <<TOML
metadata_dir = "$state/data/meta"
data_dir = "$state/data/blocks"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$rpc"
rpc_public_addr = "127.0.0.1:$rpc"
rpc_secret = "$(random_hex 32)"

[s3_api]
s3_region = "garage"
api_bind_addr = "127.0.0.1:$s3"
root_domain = ".s3.localhost"

[admin]
api_bind_addr = "127.0.0.1:$admin"
admin_token = "$(random_hex 16)"
TOML
  export GARAGE_CONFIG_FILE=$state/data/garage.toml RUST_LOG=garage=warn
  daemon garage "$garage" server
  ready "http://127.0.0.1:$admin/health"
  node=$("$garage" node id -q)
  "$garage" layout assign -z here -c 10G "${node%@*}" >/dev/null
  "$garage" layout apply --version 1 >/dev/null
  ready "http://127.0.0.1:$admin/health" --status 200
  "$garage" key import --yes -n wharf "$access_key" "$secret_key" >/dev/null
  "$garage" key allow --create-bucket "$access_key" >/dev/null
  ready "http://127.0.0.1:$s3/" --status 403
  publish "http://127.0.0.1:$s3" garage
}

serve "$@"
