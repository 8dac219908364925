"""How an office sets a district up on the command line, from tables and a GeoJSON file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridwarden.cli import main

WEST, EAST, SECONDARY = "410105001001001", "410105001001002", "410105001001"
YEAR = datetime.now(UTC).astimezone().year


class Office:
    """Somebody at the command line of a hub."""

    def __init__(self, folder: Path, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self._settings = folder / "hub.toml"
        self._settings.write_text(
            f'[database]\nurl = "{database_url}"\n[hub]\ndata_dir = "{folder / "hub"}"\n',
            encoding="utf-8",
        )

    def file(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    def does(self, *arguments: str | Path, code: int = 0) -> str:
        """What the command says, of a failure too."""
        self._capsys.readouterr()
        assert main([*map(str, arguments), "--config", str(self._settings)]) == code
        said = self._capsys.readouterr()
        return said.err + said.out

    def ready(self) -> str:
        """What the readiness check says, whatever its exit code."""
        self._capsys.readouterr()
        main(["readiness", "--config", str(self._settings)])
        return self._capsys.readouterr().out


@pytest.fixture
def office(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """An office whose district has a grid."""
    here = Office(tmp_path, database_url, capsys)
    here.does("grid", "import", here.file("district.geojson", district()))
    return here


def district() -> str:
    def feature(code: str, lon: float, width: float) -> dict[str, object]:
        ring = [
            [lon, 34.70],
            [lon + width, 34.70],
            [lon + width, 34.71],
            [lon, 34.71],
            [lon, 34.70],
        ]
        shape = {"type": "Polygon", "coordinates": [ring]}
        named = {"code": code, "name_en": f"Cell {code}", "name_zh": f"网格{code}"}
        return {"type": "Feature", "properties": named, "geometry": shape}

    features = [
        feature("410105", 113.60, 0.02),
        feature(SECONDARY, 113.60, 0.02),
        feature(WEST, 113.60, 0.01),
        feature(EAST, 113.61, 0.01),
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


UNITS = """code,kind,name_en,name_zh,parent,phone,email
station,station,Station 1,一号站,bureau,,
bureau,部门,Bureau,城管局,,12319,bureau@example.org
"""
PEOPLE = f"""工号,姓名,单位,岗位,网格,终端,培训中
1001,王静,station,网格长,{SECONDARY},t-1,
1002,李伟,station,网格员,{WEST},t-2,
1002,李伟,station,网格员,{EAST},t-2,
1003,赵磊,bureau,部门,,,
"""


def test_a_district_is_set_up_from_tables_until_nothing_but_accounts_is_missing(
    office: Office,
) -> None:
    assert "assistant" in office.does("readiness", code=1)

    assert office.does("units", "import", office.file("units.csv", UNITS)) == (
        "took 2 units from units.csv\n"
    )
    people = office.file("people.csv", PEOPLE, "gb18030")  # as a Chinese spreadsheet writes it
    assert office.does("people", "import", people).startswith("took 3 people with 4 posts")
    everything = "\n".join(f"{c},,410105,bureau" for c in CATEGORIES)
    matrix = office.file("matrix.csv", f"大类,小类,网格,责任单位\n{everything}\n")
    assert office.does("units", "matrix", matrix).startswith("took 9 entries")
    lines = "\n".join(f"{c},{YEAR},12000" for c in (SECONDARY, WEST, EAST))
    budget = office.file("budget.csv", f"cell,year,amount_yuan\n{lines}\n")
    assert office.does("grid", "budget", budget).startswith("took 3 budget lines")

    assert office.does("grid", "check").startswith("the cells fit together")
    assert "城管局" in office.does("units", "who", "fire_safety", WEST)
    listed = office.does("people", "list", "--role", "assistant")
    assert listed == f"1002        李伟      assistant {WEST}, assistant {EAST}\n"
    left = {line.split()[1] for line in office.ready().splitlines()[1:]}
    assert left == {"account"}

    office.does("people", "leave", "1003")
    log = office.does("audit", "--limit", "20")
    for act in ("import_units units.csv", "import_people people.csv", "leave 1003"):
        assert f"by command  {act}" in log


def test_a_unit_never_becomes_a_part_of_itself_by_way_of_one_that_is_there(
    office: Office,
) -> None:
    office.does("units", "import", office.file("units.csv", UNITS))
    turned = office.file(
        "turned.csv",
        "code,kind,name_en,name_zh,parent\nbureau,department,Bureau,城管局,station\n",
    )
    told = office.does("units", "import", turned, code=1)
    assert "turned.csv line 2, parent: unit" in told
    assert "would be a part of itself: " in told


CATEGORIES = (
    "public_security",
    "urban_management",
    "消防安全",
    "traffic_safety",
    "environmental_safety",
    "letters_and_visits",
    "ethnic_and_religious_affairs",
    "land_supervision",
    "peoples_livelihood",
)


def test_who_is_on_duty_comes_from_the_shifts(office: Office) -> None:
    office.does("units", "import", office.file("units.csv", UNITS))
    office.does("people", "import", office.file("people.csv", PEOPLE))
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=7)
    shifts = office.file(
        "shifts.csv",
        f"工号,上班,下班\n1002,{begin.isoformat()},{end.isoformat()}\n1001,2020/01/01 08:00,"
        "2020/01/01 16:00\n",
    )
    assert office.does("people", "shifts", shifts) == "took 2 shifts from shifts.csv\n"

    assert office.does("people", "duty", WEST).startswith("1002")
    assert "no leader is on duty" in office.does("people", "duty", WEST, "--role", "leader")
    office.does("people", "leave", "1002")
    assert "no assistant is on duty" in office.does("people", "duty", WEST)


FAULTY: list[tuple[tuple[str, str], str, str]] = [
    (("people", "import"), "code,name\n,A\n", "people.csv line 2, code: is empty"),
    (("people", "import"), "code,name\n7,A,B\n", "line 2, name: 3 fields under 2 columns"),
    (("people", "import"), "code,nam\n", "no column 'nam'; there are code (工号), name (姓名)"),
    (("people", "import"), "name\n", "people.csv lacks the column code"),
    (("people", "import"), "", "people.csv is empty"),
    (("people", "import"), "code,name,unit\n7,A,x\n", "line 2, unit: there is no unit 'x'"),
    (
        ("people", "import"),
        f"code,name,role,cell\n7,A,leader,{WEST}\n",
        "line 2, cell: the post of leader needs the code of a secondary grid",
    ),
    (
        ("people", "import"),
        "code,name,role\n7,A,king\n",
        "line 2, role: 'king' is none of assistant",
    ),
    (
        ("people", "import"),
        "code,name\n7,A\n7,B\n",
        "line 3, name: 'B', but 'A' in line 2",
    ),
    (
        ("units", "import"),
        "code,kind,name_en,name_zh,parent\na,station,A,甲,b\nb,station,B,乙,a\n",
        "line 2, parent: unit a would be a part of itself",
    ),
    (("units", "matrix"), "category,cell,unit\nfire,1,x\n", "line 2, category: 'fire'"),
    (
        ("people", "shifts"),
        "person,begins_at,ends_at\n7,8:00,9:00\n",
        "line 2, begins_at: '8:00' is no time such as 2026-11-24 08:00",
    ),
    (("grid", "budget"), "cell,year,amount_yuan\n410105,2026,-1\n", "'-1' is no whole number"),
]


def test_a_table_with_a_fault_is_refused_as_a_whole_with_line_and_column(
    office: Office,
) -> None:
    for verb, text, told in FAULTY:
        said = office.does(*verb, office.file("people.csv", text), code=1)
        assert told in said
    assert office.does("people", "list").startswith("nobody")
    assert office.does("units", "list").startswith("no unit")


def test_a_grid_file_is_checked_before_it_is_imported(office: Office) -> None:
    faulty = json.loads(district())
    del faulty["features"][3]
    path = office.file("faulty.geojson", json.dumps(faulty))
    out = office.folder / "faults.geojson"

    said = office.does("grid", "check", path, "--geojson", out, code=1)

    assert "gap" in said
    (fault,) = json.loads(out.read_text(encoding="utf-8"))["features"]
    assert fault["geometry"]["type"] == "Polygon"
    dry = office.does("grid", "import", path, "--dry-run")
    assert dry.startswith("would change: 0 new, 0 changed, 1 ended")
    assert "no_parts" in office.does(
        "grid",
        "check",
        office.file(
            "a.json", json.dumps({"type": "FeatureCollection", "features": faulty["features"][:1]})
        ),
        code=1,
    )
    assert "not JSON" in office.does("grid", "import", office.file("b.json", "{"), code=1)
    assert "cannot read" in office.does("grid", "check", office.folder / "none", code=1)


def test_the_files_in_the_documentation_are_taken_as_they_stand(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path, database_url, capsys)
    page = Path(__file__).resolve().parents[2] / "docs" / "registry.md"
    blocks: list[list[str]] = [[]]
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            blocks[-1].append(line[4:])
        elif blocks[-1]:
            blocks.append([])

    def example(begin: str) -> Path:
        (block,) = ("\n".join(b) for b in blocks if b and b[0].startswith(begin))
        return office.file("example", block + "\n")

    took = [
        office.does(*verb, example(begin)).partition(" from")[0]
        for verb, begin in (
            (("grid", "import"), '{"type": "FeatureCollection"'),
            (("units", "import"), "code,kind"),
            (("units", "matrix"), "category,"),
            (("people", "import"), "code,name,unit,phone,email,language"),
            (("people", "shifts"), "person,"),
            (("grid", "budget"), "cell,year"),
        )
    ]

    assert took[0].startswith("changed: 4 new")
    assert took[1:] == [
        "took 3 units",
        "took 3 entries of the matrix",
        "took 3 people with 4 posts",
        "took 2 shifts",
        "took 1 budget lines",
    ]
