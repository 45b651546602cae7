# What the scripts here share. Source it; it sets:
#   here   the directory of these scripts      root   the repository
#   store  where fetched editors are kept (EDITORS_DIR, default .editors in the repository)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
store=${EDITORS_DIR:-$root/.editors}
mkdir -p "$store"
store=$(cd "$store" && pwd)

say() { printf '%s\n' "$*" >&2; }

# have COMMAND: is it there?
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE...: installs Debian packages, if this user may.
apt_install() {
  have apt-get || { say "these packages are needed: $*"; return 1; }
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    sudo=(sudo -n)
    "${sudo[@]}" true 2>/dev/null || { say "these packages are needed, and only root can install them: apt-get install $*"; return 1; }
  fi
  local env=(env DEBIAN_FRONTEND=noninteractive)
  "${sudo[@]}" "${env[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return
  "${sudo[@]}" "${env[@]}" apt-get update -qq >/dev/null &&
    "${sudo[@]}" "${env[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# fresh NAME KEY: does the store hold NAME, made by the recipe KEY?
fresh() { [ "$(cat "$store/$1.made" 2>/dev/null)" = "$2" ]; }

# made NAME KEY: notes that it does.
made() { printf '%s\n' "$2" >"$store/$1.made"; }
