# What the other scripts share; sourced, not run. `project` is the folder of the checkout.
# shellcheck shell=bash

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

# Run a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

# Install Debian packages; what they print goes to standard error.
apt_install() {
    command -v apt-get >/dev/null || return 1
    say "Installing with apt-get: $*"
    {
        as_root apt-get -q update &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
    } >&2
}

# Make .venv where there is none that works.
make_venv() {
    "$project/.venv/bin/python" -c '' 2>/dev/null && return
    command -v python3 >/dev/null || apt_install python3 python3-venv || fail "Python 3.11 or newer is needed."
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed; python3 is $(python3 --version)."
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv ||
        fail "python3 cannot make virtual environments: install the package python3-venv."
    say "Making .venv"
    python3 -m venv --clear "$project/.venv"
}

# Install the project into .venv: `install_project media` to run it, `install_project dev`, which has all of that, to work
# on it. Again only when pyproject.toml or constraints.txt have changed since.
install_project() {
    local extra=$1 stamp=$project/.venv/installed wanted
    make_venv
    wanted=$(cat "$project/pyproject.toml" "$project/constraints.txt" | sha256sum | cut -d ' ' -f 1)
    grep -qsxE "$wanted (dev|$extra)" "$stamp" && return
    say "Installing into .venv"
    "$project/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$project/constraints.txt" --editable "${project}[$extra]" >&2
    printf '%s %s\n' "$wanted" "$extra" >"$stamp"
}

# Install the npm packages of a folder of the project at the versions of its lock file: `install_node_packages .` for what
# checks the page's scripts, `install_node_packages tests/interop` for the clients that the tests run. Again only when the
# lock file has changed.
install_node_packages() {
    local folder=$project/$1 wanted
    local stamp=$folder/node_modules/installed
    command -v npm >/dev/null || apt_install nodejs npm || fail "Node.js and npm are needed."
    wanted=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -d ' ' -f 1)
    grep -qsx "$wanted" "$stamp" && return
    say "Installing into $folder/node_modules"
    npm --prefix "$folder" ci --silent --ignore-scripts --no-audit --no-fund >&2
    printf '%s\n' "$wanted" >"$stamp"
}
