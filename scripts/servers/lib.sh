# What every server script shares; sourced, not run. Linux only: it needs setsid, flock and /proc.
#
# A server script sets `server` (its own name) and `provider` (wharf's name for it), defines
#   fetch    install the program, once, from a package registry
#   launch   start it with `daemon`, wait with `ready`, then call `publish`
#   version  print what was installed
# and ends with: serve "$@"
# shellcheck shell=bash

# Programs stay here; several runs share them.
programs=${WHARF_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/wharf/servers}
# Data, logs and process ids of the servers that run. Whoever sets another folder has servers of their own.
runs=${WHARF_SERVERS_RUN:-${TMPDIR:-/tmp}/wharf-servers-$(id -u)}
# shellcheck disable=SC2154
state=$runs/$server
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "$server: $*" >&2; }
die() { say "$*"; exit 1; }
net() { python3 "$here/net.py" "$@"; }
random_hex() { python3 -c 'import secrets, sys; print(secrets.token_hex(int(sys.argv[1])))' "$1"; }

# apt_install PACKAGE...: from the distribution, when we may
apt_install() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || die "missing packages, please install: $*"
  say "apt-get install $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# pip_install FOLDER ARGUMENTS...: a virtual environment of its own; the folder's name carries the version. The mark
# is made last, so that a broken install is never taken for a whole one.
pip_install() {
  local folder=$1
  shift
  if [ -e "$folder/whole" ]; then return; fi
  python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3 python3-venv
  say "pip install $*"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  touch "$folder/whole"
}

# born PID: when the process started, empty when it has ended. With it an id that was given anew is told apart.
born() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
  read -ra fields <<<"${stat##*) }"
  case ${fields[0]} in Z | X) ;; *) echo "${fields[19]}" ;; esac
}

# daemon NAME COMMAND...: in a session of its own, so that it outlives this script and a signal reaches its children
daemon() {
  local name=$1
  shift
  setsid "$@" >"$state/log/$name" 2>&1 </dev/null 9>&- &
  echo "$! $(born $!)" >>"$state/pids"
}

# ready URL OPTIONS...: see `net.py wait --help`
ready() { net wait --pids "$state/pids" "$@"; }

# publish ENDPOINT REGION: the environment that a client needs
publish() {
  local name
  (
    umask 077
    WHARF_TEST_ENDPOINT=$1 AWS_ENDPOINT_URL_S3=$1 WHARF_TEST_REGION=$2 AWS_REGION=$2
    # shellcheck disable=SC2154
    WHARF_TEST_PROVIDER=$provider AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key
    for name in WHARF_TEST_ENDPOINT WHARF_TEST_REGION WHARF_TEST_PROVIDER \
      AWS_ENDPOINT_URL_S3 AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
      printf 'export %s=%q\n' "$name" "${!name}"
    done >"$state/env"
  )
}

# living: the ids of our processes that run, newest first
living() {
  local pid start
  [ -e "$state/pids" ] || return 0
  while read -r pid start; do
    [ -n "$start" ] && [ "$(born "$pid")" = "$start" ] && echo "$pid"
  done < <(tac "$state/pids")
  return 0
}

# is_whole: none of our processes has ended
is_whole() { [ "$(living | wc -l)" = "$(wc -l <"$state/pids")" ]; }

# signal_all NAME: to each process and its children
signal_all() {
  local pid
  for pid in $(living); do kill "-$1" -- "-$pid" 2>/dev/null || true; done
}

# halt: TERM, two seconds, KILL (the data goes with it, so nothing needs to be saved); the logs of the last run are kept beside the programs
halt() {
  local tries=0
  [ -d "$state" ] || return 0
  signal_all TERM
  while [ -n "$(living)" ] && [ $((tries += 1)) -le 20 ]; do sleep 0.1; done
  if [ -n "$(living)" ]; then
    say "had to be killed"
    signal_all KILL
    while [ -n "$(living)" ]; do sleep 0.1; done
  fi
  mkdir -p "$programs/log"
  rm -rf "$programs/log/$server"
  [ ! -d "$state/log" ] || cp -r "$state/log" "$programs/log/$server"
  rm -rf "$state"
}

# A server of which a process ended is tried three times: another program may have taken its port meanwhile.
start() {
  local try status
  if [ -e "$state/env" ] && is_whole; then
    cat "$state/env"
    return
  fi
  halt
  (
    mkdir -p "$programs"
    exec 8>"$programs/$server.lock"
    flock 8
    fetch
  ) >&2
  trap 'halt; exit 130' INT
  trap 'halt; exit 143' TERM
  access_key=GK$(random_hex 12) secret_key=$(random_hex 32)
  for ((try = 1; try <= 3; try++)); do
    mkdir -p "$state/data" "$state/log"
    : >"$state/pids"
    # Not `if ( ... )`: there `set -e` would be ignored.
    set +e
    (
      set -e
      launch
    ) >&2
    status=$?
    set -e
    if [ $status = 0 ]; then
      cat "$state/env"
      return
    fi
    say "start $try of 3 failed"
    tail -n 5 "$state"/log/* >&2 || true
    if is_whole; then try=3; fi
    halt
  done
  die "does not start; its logs are in $programs/log/$server"
}

serve() {
  mkdir -p -m 700 "$runs"
  [ -O "$runs" ] || die "$runs belongs to somebody else; set WHARF_SERVERS_RUN"
  exec 9>"$runs/$server.lock"
  flock 9
  case "${1:-}" in
    start) start ;;
    stop) halt ;;
    version) fetch >&2 && version ;;
    *) echo "usage: $0 start|stop|version" >&2 && exit 2 ;;
  esac
}
