#!/usr/bin/env bash
# Rules of the house that no compiler checks.
set -euo pipefail
# `forbid` ends pipelines and sets a variable.
shopt -s lastpipe
cd "$(dirname "${BASH_SOURCE[0]}")/.."

most_crates=90
most_crates_with_all=130
most_lines=500
machine_path='(^|[^A-Za-z0-9_.~-])/(root|Users|work|workspace|home/[a-z]+/(src|code|projects))/[A-Za-z0-9]'
broken=0

# forbid RULE: what comes in breaks it, a line each
forbid() {
  local found
  found=$(cat)
  if [ -n "$found" ]; then
    printf 'broken: %s\n%s\n' "$1" "$found" | head -n 40
    broken=1
  fi
}

# crates_of PACKAGE [FEATURES]: all that its users build, by name and version
crates_of() { cargo tree --locked -p "$@" -e normal,build --prefix none --no-dedupe | awk '{ print $1, $2 }' | sort -u; }

# files: all that is or would be committed
files() { git ls-files --cached --others --exclude-standard -z -- "$@"; }

# matches REGEX: of lines on stdin; none is no error
matches() { grep -E "$@" || true; }

crates=$(crates_of wharf)
count=$(wc -l <<<"$crates")
echo "note: wharf builds $count crates"
if [ "$count" -gt $most_crates ]; then
  forbid "a program that depends on wharf builds at most $most_crates crates" <<<"$crates"
fi
everything=$(crates_of wharf --all-features)
if [ "$(wc -l <<<"$everything")" -gt $most_crates_with_all ]; then
  forbid "with all features it builds at most $most_crates_with_all" <<<"$everything"
fi
matches '^(openssl|openssl-sys|native-tls) ' <<<"$crates" | forbid "wharf brings no OpenSSL"
crates_of wharf-proto | matches '^(tokio|hyper|rustls|mio|rand|getrandom|fastrand) ' |
  forbid "wharf-proto brings neither I/O nor randomness"
crates_of wharf-embedded | matches '^wharf(-proto)? ' | forbid "wharf-embedded holds no code of the client"

# Comments may name what the code must not use.
files 'crates/wharf-proto/src/*.rs' | xargs -0 grep -nHE '' | sed -E 's,(^[^:]+:[0-9]+:|[^:"])//.*,\1,' |
  matches 'tokio|::now\(|UNIX_EPOCH\.elapsed|std::(env|fs|net|process|thread)|env::var|File::|getrandom|fastrand|rand::' |
  forbid "wharf-proto has no clock, environment, files, sockets, threads or randomness"

files 'crates/wharf-proto/src/op/*.rs' | xargs -0 awk '
  /^#\[must_use/ { warns = 1 }
  /^pub struct [A-Za-z]+<S = \(\)>/ && !warns { print FILENAME ": " $3 }
  /^}/ { warns = 0 }' |
  forbid "a call that is dropped before it is awaited is warned of: #[must_use]"

files 'crates/*/src/*.rs' | xargs -0 -n 1 wc -l | awk -v most=$most_lines '$1 > most' |
  forbid "a source file has at most $most_lines lines"

# The quickstart walks through everything; any other example is a page.
files 'crates/wharf/examples/*.rs' | xargs -0 -n 1 wc -l | awk '($1 < 20 || $1 > 50) && !/quickstart|total/' |
  forbid "an example has 20 to 50 lines"

# grep's "nothing found" comes out of xargs as a failure.
{ files | xargs -0 grep -InHE "$machine_path" || true; } |
  forbid "no file names a path of the machine that it was written on"

exit $broken
