#!/usr/bin/env bash
# Puts a current Helix below .editors/helix and prints the path of its start
# script. Nothing is installed on the machine itself. A Helix on PATH is taken
# instead. HELIX_SUITE chooses Debian's suite.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/debian.sh"

have tmux || apt_install tmux || { say "tmux is needed to see Helix's screen"; exit 1; }
for name in hx helix; do
  if have "$name" && "$name" --version 2>/dev/null | grep -q '^helix '; then
    command -v "$name"
    exit
  fi
done

suite=${HELIX_SUITE:-forky}
dest=$store/helix
key="$suite $dest $(cat "$0" "$here/debian.sh" | cksum)"
if fresh helix "$key" && "$dest/hx" --version >/dev/null 2>&1; then
  echo "$dest/hx"
  exit
fi
say "fetching Helix from Debian's suite $suite"
rm -rf "$dest"
mkdir -p "$dest"
debian_root "$suite" "$dest/root" hx || exit 1
program=$(find "$dest/root/usr" -type f \( -name hx -o -name helix \) -perm -u+x | head -1)
[ -n "$program" ] || { say "the package has no program hx"; exit 1; }
debian_program "$dest/root" "$program"
runtime=$(find "$dest/root/usr" -type d -path '*helix*' -name runtime | head -1)
[ -n "$runtime" ] || runtime=$(dirname "$(find "$dest/root/usr" -type d -path '*helix*' -name queries | head -1)")
cat >"$dest/hx" <<W
#!/bin/sh
export HELIX_RUNTIME="$runtime"
exec "$program" "\$@"
W
chmod +x "$dest/hx"
"$dest/hx" --version >/dev/null || { say "the Helix of $suite does not start"; exit 1; }
made helix "$key"
echo "$dest/hx"
