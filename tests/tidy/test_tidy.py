"""What the house asks of its rooms, as tests: sizes, banned calls, words, answers, isolation, links, dead files."""

from __future__ import annotations

import ast
import importlib
import pathlib
import pkgutil
import re
import subprocess
from collections.abc import Iterator

import asyncpg
import problem_pages
import pytest

from msp_kit.problems import COMMON
from msp_kit.testing import drop_database, fresh_database, superuser_url

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX, FUNCTION_LINES_MAX = 400, 60
SERVICES = ("tickets", "sla", "contracts", "billing")
BANNED = {
    "print": "use the logger, or sys.stdout in a command",
    "datetime.now": "take tx.now, the database clock, or the time as an argument",
    "datetime.utcnow": "take tx.now, the database clock, or the time as an argument",
    "datetime.today": "take tx.now, the database clock, or the time as an argument",
    "date.today": "take the day as an argument; a day has a zone",
    "time.time": "take tx.now, the database clock, or the time as an argument",
}
CLOCKS_ON_THE_WALL = {
    "msp_kit/migrations.py": "a migration bears the day its author wrote it on",
    "msp_kit/identity.py": "a token is issued and expires by the clock of the machine that checks it",
    "tickets/blobs/s3.py": "a signed request bears the time of the machine that sends it",
    "portal_gateway/pages/shown.py": "a page says how long ago something was for the one who looks at it",
}
BANNED_IN_DOMAINS = {
    "float": "minutes and money are integers",
    "now": "the time comes in as an argument",
    "open": "rules do no I/O",
}
NOUNS = {"ticket", "invoice", "contract", "bucket", "overage", "agent", "sla", "worklog", "entry", "rate", "promise"}
INSIDE = {
    "ClockNotRunning": "clocks are read from facts in order; nobody asks for a pause over HTTP",
    "ClockNotPaused": "as above, for a resume",
    "LedgerBroken": "said by `verify`, which operators run",
}


def tracked(pattern: str) -> list[pathlib.Path]:
    # Somebody else's checkout may be tested, too: as root, in a container.
    git = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", pattern]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file())


def name(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


PROGRAMS = [path for path in tracked("*.py") if "tests" not in path.parts and "migrations" not in path.parts]
SOURCES = [path for path in PROGRAMS if "src" in path.parts]
DOMAINS = [path for path in SOURCES if "domain" in path.parts or "msp_kernel" in path.parts]
each_program = pytest.mark.parametrize("path", PROGRAMS, ids=name)


def called(path: pathlib.Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, ``module.name`` as written, and bare name of every call."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            bare = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            whole = ast.unparse(node.func) if isinstance(node.func, ast.Attribute) else bare
            yield node.lineno, whole.removeprefix("datetime.datetime.").removeprefix("dt."), bare


@each_program
def test_modules_and_functions_stay_small(path: pathlib.Path) -> None:
    text = path.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    lengths = {one.name: (one.end_lineno or one.lineno) - one.lineno + 1 for one in functions}

    assert {found: lines for found, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}, (
        "a function has one job"
    )
    assert len(text.splitlines()) <= LINES_MAX, "make it a folder of the same name"


@pytest.mark.parametrize("path", [one for one in SOURCES if "msp_local" not in one.parts], ids=name)
def test_nobody_calls_what_is_banned(path: pathlib.Path) -> None:
    wall_clock = any(path.as_posix().endswith(place) for place in CLOCKS_ON_THE_WALL)

    found = {f"line {line}: {whole}": BANNED[whole] for line, whole, _ in called(path) if whole in BANNED}

    assert not found or (wall_clock and all("print" not in one for one in found)), found


@pytest.mark.parametrize("place", CLOCKS_ON_THE_WALL)
def test_an_exception_that_nobody_needs_is_taken_back(place: str) -> None:
    (path,) = [one for one in SOURCES if one.as_posix().endswith(place)]

    assert {whole for _, whole, _ in called(path)} & BANNED.keys()


@pytest.mark.parametrize("path", DOMAINS, ids=name)
def test_rules_take_integers_and_the_time_as_arguments(path: pathlib.Path) -> None:
    calls = [(line, bare) for line, _, bare in called(path) if bare in BANNED_IN_DOMAINS]

    assert {f"line {line}: {bare}": BANNED_IN_DOMAINS[bare] for line, bare in calls} == {}


@pytest.mark.parametrize("path", [one for one in SOURCES if "msp_kit" in one.parts], ids=name)
def test_the_kit_knows_no_business_noun(path: pathlib.Path) -> None:
    words = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
    spoken = {
        word.lower().removesuffix("s"): f"line {getattr(node, 'lineno', '?')}: {said}"
        for node in ast.walk(ast.parse(path.read_text()))
        if not isinstance(node, ast.keyword)  # a parameter of somebody else's, as the buckets of a histogram
        for kind in ("id", "attr", "arg", "name", "module")
        if isinstance(said := getattr(node, kind, None), str)
        for word in words.findall(said)
    }

    assert {noun: place for noun, place in spoken.items() if noun in NOUNS} == {}, "it belongs to a service"


def rules_of(service: str) -> set[type[Exception]]:
    domain = importlib.import_module(f"{service}.domain")
    modules = [
        importlib.import_module(one.name) for one in pkgutil.walk_packages(domain.__path__, f"{service}.domain.")
    ]
    return {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Exception) and found.__module__ == module.__name__
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_broken_rule_has_an_answer(service: str) -> None:
    answered = {one.__name__ for one in (*problem_pages.table_of(service), *COMMON)}

    unanswered = {one.__name__ for one in rules_of(service)} - answered

    assert unanswered - INSIDE.keys() == set(), "give it a row in PROBLEMS"


def test_every_rule_that_stays_inside_exists_and_is_not_answered() -> None:
    rules = {one.__name__ for service in SERVICES for one in rules_of(service)}
    answered = {one.__name__ for service in SERVICES for one in problem_pages.table_of(service)}

    assert INSIDE.keys() <= rules - answered


def test_every_answer_is_explained() -> None:
    assert problem_pages.PAGE.read_text() == problem_pages.page(), "run python tests/tidy/problem_pages.py"


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_of_clients_is_behind_row_level_security(service: str) -> None:
    made = await fresh_database(database=service, module=service)
    connection = await asyncpg.connect(superuser_url(made))
    try:
        tables = await connection.fetch("""
            SELECT c.oid::regclass::text AS name,
                   c.relrowsecurity AND c.relforcerowsecurity
                   AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS is_locked,
                   a.attnotnull AS is_named
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'
             WHERE c.relkind IN ('r', 'p')
               AND c.relnamespace <> 'bus'::regnamespace  -- only staff's roles may read what was sent
        """)
    finally:
        await connection.close()
        await drop_database(made)

    assert tables
    assert [row["name"] for row in tables if not row["is_locked"]] == [], "enable and force row-level security"
    assert [row["name"] for row in tables if not row["is_named"]] == [], "client_id is not null"


@pytest.mark.parametrize("path", tracked("*.md"), ids=name)
def test_links_lead_somewhere(path: pathlib.Path) -> None:
    links = re.findall(r"""\]\(([^)#\s]+)|(?:src|href)="([^"#]+)""", path.read_text())
    local = [link for pair in links for link in pair if link and "://" not in link and not link.startswith("mailto:")]

    assert [link for link in local if not (path.parent / link).exists()] == []


def test_no_template_is_dead_and_none_needs_eval() -> None:
    folder = ROOT / "services/portal-gateway/src/portal_gateway"
    templates = {
        path.relative_to(folder / "templates").as_posix(): path.read_text()
        for path in (folder / "templates").rglob("*.html")
    }
    everything = "\n".join([*templates.values(), *(path.read_text() for path in (folder / "pages").glob("*.py"))])

    assert [found for found in templates if f"'{found}'" not in everything and f'"{found}"' not in everything] == []
    for file, text in templates.items():
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script>|javascript:|hx-on", text), file


def test_files_name_no_machine_and_no_unfinished_work() -> None:
    # One letter stands in brackets, so that this file is not its own finding.
    marks = (r"\bTOD[O]\b", r"\bFIXM[E]\b", r"\bHAC[K]\b", "/wor[k]/", "pypi[.]org", "pythonhoste[d]", "artifactor[y]")
    found = {}
    for path in tracked("*"):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found.update({name(path): match[0] for mark in marks if (match := re.search(mark, text))})

    assert found == {}
