#!/usr/bin/env bash
# fetch-nvim.sh [--oldest]: puts a current Neovim below .editors/nvim, with a C
# library of its own, and prints the path of its start script; with --oldest
# the oldest that the plugin works in, below .editors/nvim-oldest. Debian's stable releases are too old
# for the plugin's tests, so the packages of a newer suite are unpacked into a
# folder; the system is left as it is. A Neovim on PATH that is new enough is
# taken instead of the current one. NVIM_SUITE chooses its suite.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

name=nvim suite=${NVIM_SUITE:-forky} least=11
[ "${1:-}" = --oldest ] && name=nvim-oldest suite=trixie least=10

# new_enough NVIM: is it what is wanted, or later?
new_enough() {
  local v
  v=$("$1" --version 2>/dev/null | sed -n '1s/^NVIM v\([0-9]*\)\.\([0-9]*\).*/\1 \2/p') || return 1
  [ -n "$v" ] || return 1
  set -- $v
  [ "$1" -gt 0 ] || [ "$2" -ge $least ]
}

if [ $name = nvim ] && have nvim && new_enough nvim; then
  command -v nvim
  exit
fi

dest=$store/$name
key="$suite $dest $(cksum <"$0")"
if fresh $name "$key" && new_enough "$dest/nvim"; then
  echo "$dest/nvim"
  exit
fi
have dpkg-deb || { say "Neovim 0.$least or later is needed: none is on PATH, and this is not Debian"; exit 1; }
have patchelf || apt_install patchelf
case $(dpkg --print-architecture) in
  amd64) loader=ld-linux-x86-64.so.2 triplet=x86_64-linux-gnu ;;
  arm64) loader=ld-linux-aarch64.so.1 triplet=aarch64-linux-gnu ;;
  *) say "no recipe for this machine's architecture; put a Neovim 0.$least or later on PATH"; exit 1 ;;
esac
# The mirror is the one that this machine's apt already uses.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '/\/debian\/?$/ {print; exit}')
[ -n "$mirror" ] || { say "apt on this machine has no Debian mirror; put a Neovim 0.$least or later on PATH"; exit 1; }

say "fetching Neovim from Debian's suite $suite"
rm -rf "$dest"
apt=$dest/apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$dest/root"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
: >"$apt/status" # an empty list of installed packages: every dependency is fetched
private=(
  -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=-
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
  -o Acquire::Languages=none -o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1
)
apt-get "${private[@]}" -qq update
apt-get "${private[@]}" -qq -y --download-only install neovim >/dev/null
for deb in "$apt"/cache/archives/*.deb; do
  dpkg-deb -x "$deb" "$dest/root"
done
rm -rf "$apt"

# Neovim starts itself again for its screen, so the program itself must name
# the loader. The search path is in the program and not in the environment,
# where the language servers it starts would inherit it.
lib=$dest/root/usr/lib/$triplet
patchelf --set-interpreter "$lib/$loader" --force-rpath --set-rpath "$lib" "$dest/root/usr/bin/nvim"
cat >"$dest/nvim" <<W
#!/bin/sh
# VIMRUNTIME, because the program looks below /usr/share; the runtime path,
# because Debian keeps the bundled tree-sitter parsers in /usr/lib/nvim.
export VIMRUNTIME="$dest/root/usr/share/nvim/runtime"
exec "$dest/root/usr/bin/nvim" --cmd "set rtp^=$dest/root/usr/lib/nvim" "\$@"
W
chmod +x "$dest/nvim"
new_enough "$dest/nvim" || { say "the Neovim of $suite is too old or does not start: $("$dest/nvim" --version 2>&1 | head -1)"; exit 1; }
made $name "$key"
echo "$dest/nvim"
