#!/usr/bin/env bash
# Puts a current Emacs below .editors/emacs and prints the path of its start
# script: Eglot comes with Emacs 29 and later, which Debian's older releases do
# not have. Nothing is installed on the machine itself, and root is not needed.
# An Emacs on PATH that is new enough is taken instead. EMACS_SUITE chooses the
# suite.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/debian.sh"

# new_enough EMACS: 29 or later?
new_enough() {
  local v
  v=$("$1" --version 2>/dev/null | sed -n '1s/^GNU Emacs \([0-9]*\).*/\1/p') || return 1
  [ -n "$v" ] && [ "$v" -ge 29 ]
}

if have emacs && new_enough emacs; then
  command -v emacs
  exit
fi

suite=${EMACS_SUITE:-trixie}
dest=$store/emacs
key="$suite $dest $(cat "$0" "$here/debian.sh" | cksum)"
if fresh emacs "$key" && new_enough "$dest/emacs"; then
  echo "$dest/emacs"
  exit
fi
say "fetching Emacs from Debian's suite $suite"
rm -rf "$dest"
mkdir -p "$dest"
debian_root "$suite" "$dest/root" emacs-nox || exit 1
program=$(ls "$dest"/root/usr/bin/emacs-nox)
debian_program "$dest/root" "$program"
version=$(basename "$(ls -d "$dest"/root/usr/share/emacs/[0-9]*)")
share=$dest/root/usr/share/emacs/$version
libexec=$(ls -d "$dest"/root/usr/libexec/emacs/"$version"/* 2>/dev/null || ls -d "$dest"/root/usr/lib/emacs/"$version"/*)
dump=$(find "$dest/root/usr" -name '*.pdmp' | head -1)
# Emacs looks for its files where it would be installed, unless it is told.
loads=$(find "$share/lisp" -type d ! -name obsolete | sort | paste -sd:)
cat >"$dest/emacs" <<W
#!/bin/sh
export EMACSLOADPATH="$loads" EMACSDATA="$share/etc" EMACSDOC="$share/etc" EMACSPATH="$libexec"
exec "$program" --dump-file="$dump" "\$@"
W
chmod +x "$dest/emacs"
new_enough "$dest/emacs" || { say "the Emacs of $suite is too old or does not start: $("$dest/emacs" --version 2>&1 | head -3)"; exit 1; }
made emacs "$key"
echo "$dest/emacs"
