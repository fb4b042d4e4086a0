"""A project of the demo: planned, under way and partly done, on the same bucket as the client's tickets."""

from __future__ import annotations

from typing import Any

from msp_local.api import Api

_TASKS = (("survey", "Survey of all desks", 180), ("firewall", "New firewall", 480), ("move", "Move on the day", 960))


async def add_project(manager: Api, *, client_id: str) -> None:
    """Plan an office move with two milestones, and log the first task's time."""
    (contract, *_) = (await manager.get("/tickets/offer", client_id=client_id))["contracts"]
    project = await manager.post(
        "/projects",
        {
            "client_id": client_id,
            "contract_id": contract["contract_id"],
            "name": "Move to the new office",
            "description": "Everything that has a plug, and the network it hangs on.",
            "status": "active",
            "is_client_visible": True,
            "budget_minutes": 1800,
            "plan": {
                "milestones": [{"name": "Network ready", "after_days": 14}, {"name": "Moved", "after_days": 30}],
                "tasks": [
                    {
                        "key": key,
                        "title": title,
                        "milestone": "Moved" if key == "move" else "Network ready",
                        "estimate_minutes": minutes,
                        "job_type": contract["job_types"][0]["code"],
                        "level": contract["levels"][0],
                        "needs": [] if key == "survey" else ["survey"],
                    }
                    for key, title, minutes in _TASKS
                ],
            },
        },
    )
    tasks: list[dict[str, Any]] = (await manager.get(f"/projects/{project['id']}"))["tasks"]
    first = next(task for task in tasks if task["title"] == _TASKS[0][1])
    body = {"task_id": first["id"], "worked_minutes": 150, "note": "Counted, drawn, photographed"}
    await manager.post("/time-entries", body)
