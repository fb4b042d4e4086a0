#!/usr/bin/env bash
# Re-resolves the dependencies into requirements.lock: versions, markers and hashes, no addresses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true
UV=$(command -v uv || echo "$PWD/.cache/uv/bin/uv")
"$UV" lock --quiet "$@"
"$UV" export --quiet --all-packages --all-groups --no-emit-workspace --frozen --no-header -o requirements.lock >/dev/null
if grep -q '://' requirements.lock; then echo "requirements.lock names an address" >&2; exit 1; fi
