# The packages of Debian and Ubuntu that `dev`, which sources this, needs: from Debian 12 and
# Ubuntu 24.04 on.
# shellcheck shell=bash

required=(g++ cmake ninja-build pybind11-dev libcli11-dev libfmt-dev libtomlplusplus-dev python3-dev
          python3-aiohttp)
optional=(ccache python3-uvloop python3-hypothesis python3-venv) # and CPython's own tests: see choose_packages
oldest_boost=1.81

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# The version that apt would install; nothing if this release does not have the package.
candidate() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

has_boost() {
    local state name version
    while read -r state name version; do
        if [[ $state == installed && $name =~ ^libboost[0-9.]*-dev$ ]] &&
            dpkg --compare-versions "$version" ge "$oldest_boost"; then
            return 0
        fi
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' 'libboost*-dev' 2>/dev/null)
    return 1
}

# The newest of libboost-dev and the libboostX.Y-dev; the oldest that suffices if there is none.
newest_boost() {
    local name version newest=libboost$oldest_boost-dev newest_version=0
    for name in $(apt-cache search --names-only '^libboost[0-9.]*-dev$' | cut -d ' ' -f 1); do
        version=$(candidate "$name")
        if dpkg --compare-versions "${version:-0}" gt "$newest_version"; then
            newest=$name newest_version=$version
        fi
    done
    if dpkg --compare-versions "$newest_version" lt "$oldest_boost"; then newest=libboost$oldest_boost-dev; fi
    echo "$newest"
}

# Sets missing (packages to install), absent (those that this release must have and does not) and
# skipped (those that it need not have).
choose_packages() {
    local name python
    local wanted=("${required[@]}")
    missing=() absent=() skipped=()
    has_boost || wanted+=("$(newest_boost)")
    for name in "${wanted[@]}"; do
        if is_installed "$name"; then continue; fi
        if [ -n "$(candidate "$name")" ]; then missing+=("$name"); else absent+=("$name"); fi
    done
    python=$(candidate python3 | grep -o '^3\.[0-9]*' || true)
    for name in "${optional[@]}" "libpython${python:-3}-testsuite"; do
        if is_installed "$name"; then continue; fi
        if [ -n "$(candidate "$name")" ]; then missing+=("$name"); else skipped+=("$name"); fi
    done
}

install_missing() {
    local sudo=()
    choose_packages
    [ ${#missing[@]} -gt 0 ] || [ ${#absent[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "dev: as root, run: apt-get update && apt-get install ${absent[*]} ${missing[*]}" >&2
            exit 1
        fi
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq
    choose_packages
    if [ ${#absent[@]} -gt 0 ]; then
        echo "dev: apt knows no ${absent[*]}; Debian 12 and Ubuntu 24.04 are the first that have them (Ubuntu in universe)" >&2
        exit 1
    fi
    echo "dev: installing ${missing[*]}${skipped[*]:+; this release has no ${skipped[*]}}"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
