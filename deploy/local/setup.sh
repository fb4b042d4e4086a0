#!/usr/bin/env bash
# Makes .venv with every dependency pinned and hashed. A second run with nothing changed takes a fraction of a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

UV_VERSION=0.13.9
CACHE="$PWD/.cache"
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true

stop() { echo "setup: $*" >&2; exit 1; }

PYTHON=${PYTHON:-python3}
command -v "$PYTHON" >/dev/null || stop "python3 is missing; install Python 3.11 or newer"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$("$PYTHON" -V) is too old; Python 3.11 or newer is needed"

MEMBERS=(shared/kernel shared/events shared/kit shared/client services/tickets services/sla services/contracts services/billing
    services/portal-gateway deploy/local)
stamp() {
    { "$PYTHON" -V; echo "$PWD"; cat requirements.lock deploy/local/setup.sh; for member in "${MEMBERS[@]}"; do cat "$member/pyproject.toml"; done; } |
        sha256sum | cut -d' ' -f1
}
WANTED=$(stamp)
[ -x .venv/bin/python ] && [ "$(cat .venv/.stamp 2>/dev/null)" = "$WANTED" ] && exit 0

# uv: the one on the PATH, else one of our own, made with pip; a Debian python without pip lends its wheel of pip.
if command -v uv >/dev/null; then
    UV=uv
else
    UV="$CACHE/uv/bin/uv"
    if ! [ -x "$UV" ]; then
        echo "setup: fetching uv $UV_VERSION"
        mkdir -p "$CACHE"
        if "$PYTHON" -m pip --version >/dev/null 2>&1; then
            "$PYTHON" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$CACHE/uv" "uv==$UV_VERSION"
        else
            command -v apt-get >/dev/null || stop "neither uv nor pip nor apt-get is here; install pip for $PYTHON"
            BOOT="$CACHE/boot"
            mkdir -p "$BOOT"/{lists/partial,cache/archives/partial,root}
            APT=(apt-get -qq -o "Dir::State::lists=$BOOT/lists" -o "Dir::Cache=$BOOT/cache" -o Debug::NoLocking=true -o APT::Sandbox::User=)
            (cd "$BOOT" && "${APT[@]}" update && "${APT[@]}" download python3-pip-whl && dpkg-deb -x python3-pip-whl_*.deb root) ||
                stop "pip could not be fetched with apt-get; install python3-pip"
            WHEEL=$(ls "$BOOT"/root/usr/share/python-wheels/pip-*.whl)
            PYTHONPATH="$WHEEL" "$PYTHON" -m pip install --quiet --disable-pip-version-check --target "$CACHE/uv" "uv==$UV_VERSION"
        fi
    fi
fi

echo "setup: making .venv"
"$UV" venv --quiet --clear --python "$PYTHON" .venv
"$UV" pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
# hatchling builds the editable members: pinned and hashed like everything else, it is in the lock already.
EDITABLE=()
for member in "${MEMBERS[@]}"; do EDITABLE+=(-e "$member"); done
"$UV" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation "${EDITABLE[@]}"
echo "$WANTED" >.venv/.stamp
