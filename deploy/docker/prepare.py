"""Compose's one-shot: databases and roles, shapes, topology, and the secrets each service reads from a folder."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from pathlib import Path

from msp_kit import identity, migrations, topology
from msp_kit.provisioning import provision

SERVICES = {
    "tickets": "tickets",
    "sla": "sla",
    "contracts": "contracts",
    "billing": "billing",
    "portal-gateway": "portal_gateway",
}


async def main() -> None:
    """Prepare everything; any number of times."""
    folder = Path(os.environ["SECRETS"])
    kept = folder / "all.json"
    if not kept.exists():
        kept.write_text(
            json.dumps(
                {
                    **{name: secrets.token_urlsafe(16) for name in ("owner", "app", "sealing")},
                    "key": identity.new_key(),
                }
            )
        )
        kept.chmod(0o600)
    values = json.loads(kept.read_text())
    admin, amqp = os.environ["ADMIN_DATABASE_URL"], os.environ["AMQP_URL"]
    for name, module in SERVICES.items():
        urls = await provision(admin, database=module, owner_password=values["owner"], app_password=values["app"])
        own = folder / name
        own.mkdir(exist_ok=True)
        files = {
            "msp_database_url": urls.app,
            "msp_migrate_database_url": urls.owner,
            "msp_amqp_url": amqp,
            "msp_identity_public_keys": json.dumps(identity.public_keys([values["key"]])),
        }
        if name == "portal-gateway":
            files["msp_identity_private_key"] = json.dumps(values["key"])
            # Made before there was one: what is sealed there was sealed with the identity key.
            if "sealing" in values:
                files["msp_sealing_key"] = values["sealing"]
            for other, of in SERVICES.items():
                files[f"msp_{of}_url"] = f"http://{other}:8000"
        if name == "billing" and os.environ.get("MSP_SELLER"):
            files["msp_seller"] = os.environ["MSP_SELLER"]
        for file, text in files.items():
            (own / file).write_text(text)
            (own / file).chmod(0o644)  # read by the services, which run as another user
        await asyncio.to_thread(migrations.upgrade, module, url=urls.owner)
    # A new volume belongs to root; only the tickets service has it besides.
    Path(os.environ["ATTACHMENTS"]).chmod(0o777)
    await topology.declare(amqp)


if __name__ == "__main__":
    asyncio.run(main())
