# Debian packages of a newer suite, unpacked into a folder of their own with
# their C library. Source it after lib.sh; then
#   debian_root SUITE DIR PACKAGE...   unpacks the packages and all they need
#   debian_program DIR FILE            makes a program below DIR run with the
#                                      libraries there; needs patchelf

# debian_arch: sets loader and triplet for this machine.
debian_arch() {
  have dpkg-deb || { say "this recipe needs Debian's dpkg and apt"; return 1; }
  case $(dpkg --print-architecture) in
    amd64) loader=ld-linux-x86-64.so.2 triplet=x86_64-linux-gnu ;;
    arm64) loader=ld-linux-aarch64.so.1 triplet=aarch64-linux-gnu ;;
    *) say "no recipe for this machine's architecture"; return 1 ;;
  esac
}

debian_root() {
  local suite=$1 dir=$2 mirror apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg deb
  shift 2
  debian_arch || return 1
  # The mirror is the one that this machine's apt already uses.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '/\/debian\/?$/ {print; exit}')
  [ -n "$mirror" ] || { say "apt on this machine has no Debian mirror"; return 1; }
  apt=$dir.apt
  rm -rf "$dir" "$apt"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$dir"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
  : >"$apt/status" # an empty list of installed packages: every dependency is fetched
  local private=(
    -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=-
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
    -o Acquire::Languages=none -o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1
  )
  apt-get "${private[@]}" -qq update || return 1
  apt-get "${private[@]}" -qq -y --download-only install "$@" >/dev/null || return 1
  for deb in "$apt"/cache/archives/*.deb; do
    dpkg-deb -x "$deb" "$dir" || return 1
  done
  rm -rf "$apt"
}

# The search path is in the program and not in the environment, where the
# language servers that it starts would inherit it.
debian_program() {
  local lib
  debian_arch || return 1
  have patchelf || apt_install patchelf || return 1
  lib=$1/usr/lib/$triplet
  patchelf --set-interpreter "$lib/$loader" --force-rpath --set-rpath "$lib:$lib/pulseaudio" "$2"
}
