# What .ci/run and ci/full share; sourced, not run.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# No step may reach an account of whoever runs this, nor a server that was left in the environment.
for name in $(compgen -e); do
  case $name in AWS_* | WHARF_TEST_*) unset "$name" ;; esac
done

# Nothing is built twice here, and what incremental builds keep for a second time takes twice the disk.
export CARGO_INCREMENTAL=0

began=$SECONDS
failed=()

# numbers LOG: what a section counted, for the result's table
numbers() {
  awk '
    /^test result:/ { passed += $4; missed += $6; ignored += $8; tests = 1 }
    /^[0-9]+ checks, [0-9]+ failed/ { checks = $0 }
    /^differs as known / { differ++ }
    /^test .* \.\.\. FAILED$/ { note = note separator "failed: " $2; separator = ", " }
    # These are of a panic.
    /^note: (Some details are omitted|run with `RUST_BACKTRACE)/ { next }
    /^note: / { note = note separator substr($0, 7); separator = ", " }
    END {
      if (checks) printf "%s, %d differ as known", checks, differ
      else {
        if (tests) printf "%d passed, %d failed, %d ignored%s", passed, missed, ignored, note ? ", " : ""
        printf "%s", note
      }
    }' "$1"
}

# section NAME COMMAND...: runs the command, whatever became of those before it. A line `note: ...` that it prints
# goes into the result's table. A function used here must not rely on `set -e`.
section() {
  local name=$1 start=$SECONDS result=pass log
  shift
  log=$(mktemp)
  printf '\n===== %s (at %d s)\n' "$name" $((SECONDS - began))
  if ! "$@" 2>&1 | tee "$log"; then
    result=FAIL
    failed+=("$name")
  fi
  printf '===== %s: %s after %d s\n' "$name" "$result" $((SECONDS - start))
  if [ -n "${WHARF_CI_RESULTS:-}" ]; then
    printf '| %s | %s | %d | %s |\n' "$name" "$result" $((SECONDS - start)) "$(numbers "$log")" >>"$WHARF_CI_RESULTS"
  fi
  rm -f "$log"
}

# finish: the end of the script
finish() {
  local name
  printf '\n===== %d s in all, %d failed\n' $((SECONDS - began)) ${#failed[@]}
  for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED: $name"; done
  [ ${#failed[@]} = 0 ]
}

# conformance SERVER: all checks on a server that is started for them
conformance() {
  # --workspace, so that nothing is built a second time with fewer features
  cargo test --workspace --test endpoint --no-run &&
    timeout --foreground 1500 scripts/with-server "$1" -- cargo test --workspace --test endpoint
}

# command_on SERVER: the command's tests on a server that is started for them
command_on() {
  cargo test --workspace --test verbs --no-run &&
    timeout --foreground 900 scripts/with-server "$1" -- cargo test --workspace --test verbs
}
