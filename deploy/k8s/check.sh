#!/usr/bin/env bash
# Renders both overlays and validates them strictly against the schemas of several Kubernetes versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT

if command -v kubectl >/dev/null; then
    for overlay in local production; do
        kubectl kustomize "deploy/k8s/overlays/$overlay" >"$OUT/$overlay.yaml"
    done
else
    echo "kubectl is not installed: the overlays are not rendered, the plain files are validated instead"
    for file in deploy/k8s/base/*/*.yaml deploy/k8s/base/*.yaml deploy/k8s/overlays/production/ingress.yaml; do
        [ "$(basename "$file")" = kustomization.yaml ] || cp "$file" "$OUT/$(echo "$file" | tr / _)"
    done
fi
for version in 1.34 1.35 1.36 1.37; do
    for file in "$OUT"/*.yaml; do
        .venv/bin/kubernetes-validate --quiet --strict -k "$version" "$file" ||
            { echo "$(basename "$file") is not valid for Kubernetes $version"; exit 1; }
    done
done
echo "Kubernetes files are valid for 1.34 to 1.37"
