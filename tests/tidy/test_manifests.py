"""Policies for the Kubernetes files, on the plain files: what every workload must have, whoever edits them."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml

from billing.settings import Settings as BillingSettings
from msp_kit.settings import ServiceSettings
from portal_gateway.settings import Settings
from tickets.settings import Settings as TicketsSettings

K8S = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "k8s"


def documents() -> list[dict[str, Any]]:
    files = sorted((K8S / "base").rglob("*.yaml")) + sorted((K8S / "overlays").rglob("ingress.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text()) if one and "metadata" in one]


WORKLOADS = [one for one in documents() if one["kind"] in ("Deployment", "Job")]


def patch(kind: str) -> dict[str, Any]:
    whole = yaml.safe_load((K8S / "components" / "hardened" / f"{kind.lower()}.yaml").read_text())
    spec: dict[str, Any] = whole["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_every_container_is_locked_down(kind: str) -> None:
    spec = patch(kind)
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]


def test_deployments_are_probed_and_drained() -> None:
    spec = patch("Deployment")
    (container,) = spec["containers"]

    assert {"startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} <= set(container)
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert spec["terminationGracePeriodSeconds"] >= 60


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one["metadata"]["name"])
def test_a_workload_has_one_container_named_as_the_patch_expects(workload: dict[str, Any]) -> None:
    (container,) = workload["spec"]["template"]["spec"]["containers"]

    assert container["name"] == "main"
    assert ":" not in container["image"], "overlays choose the tag or digest"
    assert container["args"][1] in ("api", "worker", "migrate", "topology")
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/run/secrets/msp", "/tmp"}
    assert "env" not in container, "secrets are files, the rest is the ConfigMap"


def test_every_deployment_has_a_disruption_budget() -> None:
    budgets = {one["metadata"]["name"] for one in documents() if one["kind"] == "PodDisruptionBudget"}

    assert budgets == {one["metadata"]["name"] for one in WORKLOADS if one["kind"] == "Deployment"}


def test_nothing_may_talk_to_anything_by_default() -> None:
    (deny,) = [one for one in documents() if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"] == {}]

    assert sorted(deny["spec"]["policyTypes"]) == ["Egress", "Ingress"]
    assert not {"ingress", "egress"} & set(deny["spec"])


def test_no_secret_value_is_in_the_files() -> None:
    assert [one for one in documents() if one["kind"] == "Secret"] == []


def test_every_variable_is_a_setting() -> None:
    settings = (ServiceSettings, Settings, TicketsSettings, BillingSettings)
    known = {f"MSP_{name.upper()}" for one in settings for name in one.model_fields}
    (config,) = [one for one in documents() if one["kind"] == "ConfigMap"]

    assert set(config["data"]) - known == {"MSP_SECRETS_DIR"}
    assert {"MSP_ATTACHMENTS_URL", "MSP_MAIL_FROM", "MSP_PUBLIC_URL", "MSP_SELLER"} <= set(config["data"])
    assert isinstance(json.loads(config["data"]["MSP_SELLER"]), dict)
