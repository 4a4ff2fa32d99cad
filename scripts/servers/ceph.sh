#!/usr/bin/env bash
# Ceph's RADOS Gateway over one monitor and one OSD that keeps its objects in memory. From the distribution's packages
# (Debian 12: Ceph 16.2), so the first start needs root.
#   eval "$(scripts/servers/ceph.sh start)"
set -euo pipefail
server=ceph provider=ceph
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fetch() {
  local command
  for command in radosgw ceph-mon ceph-osd ceph; do
    command -v $command >/dev/null || { apt_install radosgw ceph-mon ceph-osd ceph-common && return; }
  done
}
version() { radosgw --version | sed -E 's/^ceph version ([0-9.]+).*/Ceph \1/'; }

launch() {
  local data=$state/data id monitor_v2 monitor_v1 s3
  read -r monitor_v2 monitor_v1 s3 < <(net ports 3)
  id=$(python3 -c 'import uuid; print(uuid.uuid4())')
  export CEPH_CONF=$data/ceph.conf
  mkdir -p "$data/run" "$data/mon" "$data/osd" "$data/rgw"
  cat >"$CEPH_CONF" <<CONF
[global]
fsid = $id
mon host = [v2:127.0.0.1:$monitor_v2,v1:127.0.0.1:$monitor_v1]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = $data/keyring
run dir = $data/run
admin socket = $data/run/\$name.asok
log file = $state/log/\$name.log
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
# one copy on one OSD
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
# a nearly full disk of the machine is no concern of ours
mon data avail warn = 1
mon data avail crit = 1
[mon.a]
mon data = $data/mon
[osd.0]
osd data = $data/osd
osd objectstore = memstore
memstore device bytes = 4294967296
[client.rgw.a]
rgw data = $data/rgw
rgw frontends = beast endpoint=127.0.0.1:$s3
rgw dns name = s3.localhost
# customer keys over plain http
rgw crypt require ssl = false
rgw thread pool size = 32
CONF
  keyring() { ceph-authtool "$data/keyring" --gen-key "$@"; }
  keyring --create-keyring -n mon. --cap mon 'allow *'
  keyring -n client.admin --cap mon 'allow *' --cap osd 'allow *'
  keyring -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
  keyring -n client.rgw.a --cap mon 'allow *' --cap osd 'allow *'
  monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$monitor_v2,v1:127.0.0.1:$monitor_v1]" "$data/monmap"
  ceph-mon -i a --mkfs --monmap "$data/monmap" --keyring "$data/keyring"
  daemon mon ceph-mon -i a -f
  until_says quorum timeout 10 ceph mon stat

  id=$(python3 -c 'import uuid; print(uuid.uuid4())')
  ceph osd new "$id"
  ceph-osd -i 0 --mkfs --osd-uuid "$id"
  daemon osd ceph-osd -i 0 -f
  until_says '1 up' timeout 10 ceph osd stat
  daemon rgw radosgw -n client.rgw.a -f
  # The gateway makes its pools before it listens.
  ready "http://127.0.0.1:$s3/" --status 200 --seconds 180
  timeout 60 radosgw-admin user create --uid=wharf --display-name=wharf \
    --access-key="$access_key" --secret-key="$secret_key" >/dev/null
  publish "http://127.0.0.1:$s3" us-east-1
}

# until_says TEXT COMMAND...: for up to 200 tries
until_says() {
  local text=$1 try
  shift
  for ((try = 0; try < 200; try++)); do
    if "$@" 2>/dev/null | grep -q "$text"; then return; fi
    sleep 0.1
  done
  say "never said '$text': $*"
  return 1
}

serve "$@"
