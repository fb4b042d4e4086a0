"""The names and terms of the demo: invented people and companies, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

JOB_TYPES = (
    ("network", "Network", True),
    ("workplace", "Workplace", True),
    ("server", "Server", True),
    ("cloud", "Cloud", True),
    ("security", "Security", True),
    ("onboarding", "Service onboarding", False),
)
QUEUES = (
    ("infrastructure", "Infrastructure L2"),
    ("security", "Security L2"),
    ("cloud", "Cloud L3"),
    ("architects", "Solution architects"),
)
ROUTES = (
    (10, {"job_types": ["security"]}, "security"),
    (20, {"job_types": ["cloud"], "levels": ["L3", "SA"]}, "cloud"),
    (30, {"levels": ["SA"]}, "architects"),
    (40, {"job_types": ["network", "server"], "levels": ["L2", "L3"]}, "infrastructure"),
)
LEVELS = ("L1", "L2", "L3", "SA")


@dataclass(frozen=True, slots=True)
class AgentCard:
    """An agent of the demo."""

    name: str
    levels: tuple[str, ...]
    skills: tuple[str, ...]
    queues: tuple[str, ...]


AGENTS = (
    AgentCard("Tom Okafor", ("L1", "L2"), ("network", "workplace", "server"), ("service-desk", "infrastructure")),
    AgentCard("Ines Marques", ("L1", "L2"), ("workplace", "cloud", "security"), ("service-desk", "security")),
    AgentCard("Dana Whitlock", ("L1", "L2", "L3"), ("network", "server", "cloud"), ("infrastructure", "cloud")),
    AgentCard("Ravi Menon", ("L1", "L2"), ("network", "workplace"), ("service-desk", "infrastructure")),
    AgentCard("Lena Fischer", ("L2", "L3", "SA"), ("server", "cloud", "security"), ("cloud", "architects")),
    AgentCard("Jo Petrie", ("L1",), ("workplace", "onboarding"), ("service-desk",)),
    AgentCard("Marek Novak", ("L1", "L2"), ("network", "server", "security"), ("infrastructure", "security")),
    AgentCard("Aisha Rahman", ("L1",), ("workplace", "network"), ("service-desk",)),
    AgentCard("Pedro Lima", ("L2", "L3"), ("cloud", "server"), ("cloud", "infrastructure")),
    AgentCard("Freya Holm", ("L1", "L2"), ("workplace", "security"), ("service-desk", "security")),
    AgentCard("Chidi Eze", ("L1", "L2", "L3"), ("network", "server"), ("infrastructure",)),
    AgentCard("Nora Bell", ("L3", "SA"), ("cloud", "network", "security"), ("architects", "cloud")),
)


@dataclass(frozen=True, slots=True)
class ClientCard:
    """A client of the demo; ``bucket_hours`` is the bucket, or the monthly lot of a retainer."""

    code: str
    name: str
    kind: str
    bucket_hours: int
    job_types: tuple[str, ...]
    levels: tuple[str, ...]
    city: str
    busy: int
    """Tickets a month."""


_ALL = tuple(code for code, _, _ in JOB_TYPES)
_DESK = ("workplace", "network", "server")
_CLOUD = ("workplace", "cloud", "security")

CLIENTS = (
    ClientCard(
        "HLO", "Harbour & Lowe", "bucket", 75, ("network", "workplace", "server"), ("L1", "L2", "L3"), "Bristol", 12
    ),
    ClientCard("KES", "Kestrel Freight", "bucket", 50, _DESK, ("L1", "L2", "L3"), "Hull", 13),
    ClientCard("OAK", "Oakfield Clinics", "bucket", 120, _ALL, LEVELS, "Bath", 12),
    ClientCard("BRW", "Brightwater Foods", "retainer", 20, _DESK, ("L1", "L2"), "Exeter", 8),
    ClientCard(
        "NST", "Northfield Schools", "bucket", 90, ("workplace", "network", "onboarding"), ("L1", "L2"), "Leeds", 12
    ),
    ClientCard("PIN", "Pinnacle Estates", "time_and_materials", 0, _CLOUD, ("L1", "L2", "L3"), "London", 6),
    ClientCard("TAM", "Tamar Marine", "bucket", 20, _DESK, ("L1", "L2", "L3"), "Plymouth", 10),
    ClientCard("WRE", "Wren Publishing", "retainer", 12, _CLOUD, ("L1", "L2"), "Oxford", 5),
    ClientCard("ALD", "Alder Joinery", "time_and_materials", 0, _DESK, ("L1", "L2"), "Taunton", 3),
    ClientCard("CMB", "Combe Legal", "bucket", 40, _CLOUD, LEVELS, "Bristol", 6),
    ClientCard("DEN", "Denholm Dental", "bucket", 30, _DESK, ("L1", "L2"), "Cardiff", 5),
    ClientCard("EAS", "Easton Logistics", "bucket", 60, _DESK, ("L1", "L2", "L3"), "Felixstowe", 9),
    ClientCard("FRN", "Fernhill Hotels", "retainer", 30, _ALL, ("L1", "L2", "L3"), "Torquay", 9),
    ClientCard("GRN", "Granite Quarries", "time_and_materials", 0, _DESK, ("L1", "L2"), "Truro", 3),
    ClientCard("HAZ", "Hazel Architects", "bucket", 25, _CLOUD, ("L1", "L2", "L3"), "Bath", 5),
    ClientCard("IVY", "Ivy House Care", "bucket", 45, _DESK, ("L1", "L2"), "Swindon", 7),
    ClientCard("JUN", "Juniper Labs", "retainer", 16, _ALL, LEVELS, "Cambridge", 6),
    ClientCard("LAR", "Larkspur Retail", "bucket", 80, _ALL, ("L1", "L2", "L3"), "Reading", 11),
    ClientCard("MIL", "Millrace Brewing", "bucket", 20, _DESK, ("L1", "L2"), "Burton", 4),
    ClientCard("ORC", "Orchard Finance", "bucket", 55, _CLOUD, LEVELS, "London", 7),
    ClientCard("QUA", "Quayside Media", "time_and_materials", 0, _CLOUD, ("L1", "L2", "L3"), "Newcastle", 4),
    ClientCard("ROW", "Rowan Engineering", "bucket", 65, _DESK, ("L1", "L2", "L3"), "Derby", 8),
    ClientCard("SED", "Sedgemoor Council", "bucket", 100, _ALL, LEVELS, "Bridgwater", 10),
    ClientCard("VAL", "Vale Veterinary", "retainer", 10, _DESK, ("L1", "L2"), "Hereford", 4),
)

CONTACTS = (
    "Priya Nair",
    "George Hall",
    "Emma Stone",
    "Liam Byrne",
    "Sara Lund",
    "Owen Price",
    "Mia Rossi",
    "Noah Klein",
)

TITLES = {
    "network": (
        "VPN drops for the whole office every 20 minutes",
        "Wireless is slow in the meeting rooms",
        "Second site cannot reach the file server",
        "Firewall rule for the new payment terminal",
        "Guests cannot join the visitor network",
    ),
    "workplace": (
        "Scanner to email stopped at reception",
        "Laptop for a new colleague",
        "Roll back the printer driver on reception PCs",
        "Calendar invitations arrive twice",
        "Docking station is not recognised",
    ),
    "server": (
        "Nightly stock export fails with an error 500",
        "Restore the finance share to Friday evening",
        "Disk of the database server is nearly full",
        "Certificate of the intranet expires next week",
        "Backup of the file server ended with warnings",
    ),
    "cloud": (
        "Mailbox of a leaver to a shared mailbox",
        "Move the archive to cold storage",
        "Single sign-on for the new ticketing tool",
        "Costs of the test environment doubled",
    ),
    "security": (
        "Mailbox rule forwards supplier invoices outside",
        "30 laptops stuck on BitLocker recovery after the update",
        "Phishing reported by three people",
        "Quarterly access review",
    ),
    "onboarding": ("Four accounts for Monday", "Add a colleague to the payroll group"),
}
