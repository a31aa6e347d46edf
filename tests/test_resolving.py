"""Parents and options: what is merged, what replaces, and which files may be opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simlib.errors import ScenarioError
from simlib.scenario import check, load, load_text, option_scenario, resolve
from simlib.scenario.resolving import MOST_PARENTS

BASE = """simlib: 1
name: base
context_of_use: A test.
start: 2025-01-01
end: 2025-12-31
places: {Anbar: {country: Iraq}, Basra: {country: Iraq}}
neighbors: [[Anbar, Basra]]
parameters:
  pace: {distribution: {uniform: {low: 1, high: 2}}, unit: '1', judgement: test, note: kept}
  rate: {value: 3, unit: '1', judgement: test}
state: {fighters: {over: governorate, unit: persons, start: {Anbar: 10, Basra: 5}}}
agents: {council: {}}
postures:
  mood:
    owner: council
    start: calm
    states:
      calm: {median_months: 6, next: {tense: 0.5, over: 0.5}}
      tense: {median_months: 2, next: {calm: 1}}
      over: {}
incidents:
  attack:
    groups:
      all:
        target: any
        level: {Anbar: 3, Basra: 2}
        factors: {many: {power: fighters, elasticity: 1}}
        marks: {killed: {law: {poisson: {mean: 2}}}}
timeline: {leave: {date: 2025-09-30}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


def child(folder: Path, text: str) -> str:
    """Return the resolved text of a child of the base."""
    return resolve(load_text(f"extends: base.yaml\n{text}", base=folder))


def test_nothing_said_is_the_parent(folder: Path) -> None:
    assert child(folder, "") == resolve(load(folder / "base.yaml"))


def test_a_parent_may_be_named_as_a_scenario_is(folder: Path) -> None:
    assert resolve(load_text("extends: base", base=folder)) == resolve(load(folder / "base.yaml"))
    assert resolve(load_text("extends: theatre")) == resolve(load("theatre"))


def test_mappings_are_merged_and_scalars_and_lists_replaced(folder: Path) -> None:
    """What the child says replaces; what it leaves out stays; an emptied list is empty."""
    text = "name: child\nneighbors: []\nstate: {fighters: {start: {Basra: 7}}}\n"
    scenario = load_text(f"extends: base.yaml\n{text}", base=folder)
    assert scenario.name == "child"
    assert scenario.neighbors == ()
    assert scenario.state["fighters"].start == {"Anbar": 10, "Basra": 7}
    assert scenario.context_of_use == "A test."


def test_distribution_law_and_next_are_replaced_whole(folder: Path) -> None:
    """Half of the parent's arguments would mean neither of the two."""
    text = """
parameters: {pace: {distribution: {normal: {mean: 1, sd: 2}}}}
postures: {mood: {states: {calm: {next: {over: 1}}}}}
incidents: {attack: {groups: {all: {marks: {killed: {law: {fixed: {value: 1}}}}}}}}
"""
    scenario = load_text(f"extends: base.yaml\n{text}", base=folder)
    assert scenario.parameters["pace"].distribution == {"normal": {"mean": 1, "sd": 2}}
    assert scenario.postures["mood"].states["calm"].next == {"over": 1}
    assert scenario.postures["mood"].states["calm"].median_months == 6
    marks = scenario.incidents["attack"].groups["all"].marks
    assert marks["killed"].law == {"fixed": {"value": 1}}


@pytest.mark.parametrize(
    ("given", "left"),
    [("value: 4", "value"), ("expression: 2 * rate", "expression")],
)
def test_parameter_has_one_source_of_its_value(folder: Path, given: str, left: str) -> None:
    """A value drops the parent's distribution; unit, judgement and note stay."""
    scenario = load_text(f"extends: base.yaml\nparameters: {{pace: {{{given}}}}}", base=folder)
    pace = scenario.parameters["pace"]
    kinds = {"value": pace.value, "expression": pace.expression, "distribution": pace.distribution}
    assert [name for name, value in kinds.items() if value is not None] == [left]
    assert (pace.unit, pace.judgement, pace.note) == ("1", "test", "kept")


def test_factor_of_another_kind_replaces(folder: Path) -> None:
    text = "incidents: {attack: {groups: {all: {factors: {many: {value: fighters}}}}}}\n"
    scenario = load_text(f"extends: base.yaml\n{text}", base=folder)
    factor = scenario.incidents["attack"].groups["all"].factors["many"]
    assert factor.model_dump() == {"value": "fighters", "at": "here"}


def test_factor_of_the_same_kind_is_merged(folder: Path) -> None:
    text = "incidents: {attack: {groups: {all: {factors: {many: {elasticity: 2}}}}}}\n"
    scenario = load_text(f"extends: base.yaml\n{text}", base=folder)
    factor = scenario.incidents["attack"].groups["all"].factors["many"]
    assert factor.model_dump()["elasticity"] == 2
    assert factor.model_dump()["power"] == "fighters"


def test_chain_flattened_is_the_chain(folder: Path) -> None:
    """Writing out a child and extending what was written gives what the chain gives."""
    middle = "extends: base.yaml\nname: middle\nparameters: {rate: {value: 5}}\n"
    last = "name: last\nstate: {fighters: {start: {Basra: 1}}}\n"
    (folder / "middle.yaml").write_text(middle, encoding="utf-8")
    chained = load_text(f"extends: middle.yaml\n{last}", base=folder)
    flat = resolve(load(folder / "middle.yaml"))
    (folder / "flat.yaml").write_text(flat, encoding="utf-8")
    assert load_text(f"extends: flat.yaml\n{last}", base=folder) == chained
    assert chained.parameters["rate"].value == 5


def test_base_that_is_incomplete_says_so_alone(folder: Path) -> None:
    """A base may leave dates to its children; checked alone, it says what is missing."""
    incomplete = BASE.replace("start: 2025-01-01\n", "").replace("end: 2025-12-31\n", "")
    (folder / "open.yaml").write_text(incomplete, encoding="utf-8")
    assert [problem.path for problem in check(folder / "open.yaml")] == ["start", "end"]
    whole = load_text("extends: open.yaml\nstart: 2025-01-01\nend: 2025-12-31\n", base=folder)
    assert whole == load(folder / "base.yaml")


def test_problem_of_a_parent_names_the_parent(folder: Path) -> None:
    """The file's own problems come first, then those of the parent, each with its line."""
    broken = BASE.replace("value: 3", "value: none")
    (folder / "broken.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_text("extends: broken.yaml\nreplications: 0\n", base=folder, file="child.yaml")
    files = [(problem.file, problem.line) for problem in caught.value.problems]
    assert files == [("child.yaml", 2), (str(folder / "broken.yaml"), 10)]


OPTIONS = """
options:
  as_agreed: {}
  later: {timeline.leave: {shift: 3 months, forced: true}}
  fast: {parameters.pace: {value: 9}, parameters: {rate: {expression: 2 * pace}}}
"""


def test_dotted_option_keys_are_mappings(folder: Path) -> None:
    dotted = child(folder, OPTIONS)
    nested = OPTIONS.replace("{timeline.leave: {shift", "{timeline: {leave: {shift").replace(
        "true}}", "true}}}"
    )
    assert nested != OPTIONS
    assert child(folder, nested) == dotted


def test_option_parameter_is_whole(folder: Path) -> None:
    """An option says only what it changes: unit, judgement and note are the scenario's."""
    scenario = load_text(f"extends: base.yaml\n{OPTIONS}", base=folder)
    fast = option_scenario(scenario, "fast")
    assert fast.parameters["pace"].value == 9
    assert fast.parameters["pace"].distribution is None
    assert fast.parameters["pace"].note == "kept"
    assert fast.parameters["rate"].expression == "2 * pace"
    assert scenario.parameters["pace"].value is None
    assert option_scenario(scenario, "as_agreed").parameters == scenario.parameters


def test_unknown_option(folder: Path) -> None:
    scenario = load_text(f"extends: base.yaml\n{OPTIONS}", base=folder)
    with pytest.raises(
        ScenarioError, match=r"undefined option \(got 'latr'\); did you mean 'later'"
    ):
        option_scenario(scenario, "latr")


def refused(folder: Path, name: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_text(f"extends: {name}\n", base=folder)
    (problem,) = caught.value.problems
    return problem.rule


def test_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder / "base.yaml")
    assert load_text("extends: link.yaml\n", base=folder) == load(folder / "base.yaml")


def test_link_out_of_the_folder_is_not(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "base.yaml"
    outside.write_text(BASE, encoding="utf-8")
    (folder / "link.yaml").symlink_to(outside)
    assert refused(folder, "link.yaml").startswith("must not be a link out of its folder")


def test_dangling_and_circular_links(folder: Path) -> None:
    (folder / "dangling.yaml").symlink_to(folder / "nothing.yaml")
    (folder / "circular.yaml").symlink_to(folder / "circular.yaml")
    assert refused(folder, "dangling.yaml").startswith("no such file")
    assert refused(folder, "circular.yaml").startswith("no such file")


def test_name_that_no_file_can_have(folder: Path) -> None:
    assert refused(folder, "x" * 300 + ".yaml").startswith("no such file")


def test_directory_and_pipe(folder: Path) -> None:
    """A pipe is not even opened: reading it would wait for ever."""
    import os

    (folder / "directory.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    assert refused(folder, "directory.yaml").startswith("must be a regular file")
    assert refused(folder, "pipe.yaml").startswith("must be a regular file")


@pytest.mark.parametrize(
    "name",
    ["../base.yaml", "sub/base.yaml", "./base.yaml", "/base.yaml", "~base.yaml", "C:base.yaml",
     "file:base.yaml", "base.txt", "..", '"base.yaml\\0"', '"base\\n.yaml"', "-base.yaml"],
)  # fmt: skip
def test_only_bare_file_names(folder: Path, name: str) -> None:
    assert refused(folder, name).startswith("must be the bare name of a YAML file")


def included(folder: Path, part: str, *names: str) -> list[str]:
    """Return what is wrong with a scenario that includes a part, with the files' names."""
    (folder / "parts").mkdir(exist_ok=True)
    (folder / "parts" / "more.yaml").write_text(part, encoding="utf-8")
    text = BASE + f"includes: [{', '.join(names or ['parts/more.yaml'])}]\n"
    (folder / "whole.yaml").write_text(text, encoding="utf-8")
    return [str(problem).replace(f"{folder}/", "") for problem in check(folder / "whole.yaml")]


def test_parts_add_what_they_say(folder: Path) -> None:
    part = "parameters: {more: {value: 1, unit: '1', judgement: test}}\nroot_seed: 9\n"
    assert included(folder, part) == []
    scenario = load(folder / "whole.yaml")
    assert list(scenario.parameters) == ["pace", "rate", "more"]
    assert scenario.root_seed == 9


def test_parts_say_nothing_twice(folder: Path) -> None:
    """Each problem stands at the part's line and names the line that said it first."""
    part = "name: other\nparameters:\n  pace: {value: 1, unit: '1', judgement: test}\n"
    rule, first = "stands in two files that go together", "first in whole.yaml, line"
    assert included(folder, part) == [
        f"parts/more.yaml:1:1: name: {rule} (got 'name'); {first} 2",
        f"parts/more.yaml:3:3: parameters.pace: {rule} (got 'pace'); {first} 9",
    ]


def test_part_has_no_parts_and_no_parent(folder: Path) -> None:
    part = "extends: base.yaml\nincludes: [more.yaml]\n"
    assert included(folder, part) == [
        f"parts/more.yaml:{line}:1: {key}: must not stand in a file that is included"
        for line, key in ((1, "extends"), (2, "includes"))
    ]


def test_mistake_of_a_part_stands_at_its_line(folder: Path) -> None:
    part = "parameters:\n  more: {value: 1, unit: '1'}\n"
    (problem,) = included(folder, part)
    rule = "must have a register id or a judgement"
    assert problem.startswith(f"parts/more.yaml:2:9: parameters.more: {rule};")


def test_parts_lie_where_they_are_said_to(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither a folder nor a file that leads elsewhere is followed."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "more.yaml").write_text("root_seed: 9\n", encoding="utf-8")
    (folder / "other").symlink_to(outside)
    (folder / "link.yaml").symlink_to(outside / "more.yaml")
    for name in ("other/more.yaml", "link.yaml"):
        (problem,) = included(folder, "root_seed: 9\n", name)
        assert "includes: must not be a link out of its folder" in problem


def test_own_borders_go_before_those_that_come_with_simlib(folder: Path) -> None:
    """Two squares with a side in common are neighbors; a third that meets a corner is none."""
    squares = {"Anbar": (0, 0), "Basra": (1, 0), "Cairo": (2, 1)}
    features = [
        {
            "properties": {"name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x + i, y + j] for i in (0, 1) for j in (0, 1)]],
            },
        }
        for name, (x, y) in squares.items()
    ]
    (folder / "places.geojson").write_text(json.dumps({"features": features}), encoding="utf-8")
    text = BASE.replace("neighbors: [[Anbar, Basra]]", "neighbors: places.geojson")
    text = text.replace("Basra: {country: Iraq}}", "Basra: {country: Iraq}, Cairo: {}}")
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    assert load(folder / "own.yaml").neighbors == (("Anbar", "Basra"),)


def test_place_goes_before_shares_and_countries(folder: Path) -> None:
    """A child replaces one place of what its parent shares out, or all shares at once."""
    base = BASE.replace("{Anbar: 3, Basra: 2}", "{total: rate, shares: {Anbar: 0.4, Basra: 0.6}}")
    (folder / "shared.yaml").write_text(base, encoding="utf-8")

    def level(text: str) -> object:
        child = (
            f"extends: shared.yaml\nincidents: {{attack: {{groups: {{all: {{level: {text}}}}}}}}}"
        )
        return load_text(child, base=folder).incidents["attack"].groups["all"].level

    assert level("{}") == {"Anbar": "0.4 * rate", "Basra": "0.6 * rate"}
    assert level("{Anbar: 1}") == {"Anbar": 1, "Basra": "0.6 * rate"}
    assert level("{total: pace}") == {"Anbar": "0.4 * pace", "Basra": "0.6 * pace"}
    assert level("{shares: {Basra: 1}}") == {"Basra": "rate"}
    assert level("{shares: {Basra: 3}, of: 1 + pace}") == {"Basra": "3 * rate / (1 + pace)"}
    assert level("{Iraq: 7}") == {"Anbar": 7, "Basra": 7}


def test_numbers_by_place_are_bounded(folder: Path) -> None:
    """A country of many places in many variables would be more than any scenario is."""
    places = "".join(f"  P{i}: {{country: Iraq}}\n" for i in range(300))
    state = "".join(
        f"  v{i}: {{over: governorate, unit: x, start: {{Iraq: 1}}}}\n" for i in range(300)
    )
    text = f"name: many\nplaces:\n{places}state:\n{state}"
    with pytest.raises(ScenarioError, match="must give at most 50000 numbers by place"):
        load_text(text)


def test_longest_chain(folder: Path) -> None:
    """Ten parents are read, an eleventh is not."""
    (folder / "f0.yaml").write_text(BASE, encoding="utf-8")
    for i in range(1, MOST_PARENTS + 2):
        text = f"extends: f{i - 1}.yaml\nroot_seed: {i}\n"
        (folder / f"f{i}.yaml").write_text(text, encoding="utf-8")
    assert load(folder / f"f{MOST_PARENTS}.yaml").root_seed == MOST_PARENTS
    (problem,) = check(folder / f"f{MOST_PARENTS + 1}.yaml")
    assert problem.rule == "must extend at most 10 files, one after the other"


def test_nodes_are_counted_over_the_chain(folder: Path) -> None:
    """Files that are each within the cap are not, together."""
    for i in range(3):
        extends = f"extends: g{i - 1}.yaml\n" if i else BASE
        places = "".join(f"  P{i}_{j}: {{}}\n" for j in range(9_000))
        text = extends.replace("places: {", "timeline: {}\nplaces: {" if i else "places: {")
        body = f"{text}options:\n{places}" if i else text + "options:\n" + places
        (folder / f"g{i}.yaml").write_text(body, encoding="utf-8")
    assert check(folder / "g1.yaml") == []
    (problem,) = check(folder / "g2.yaml")
    assert problem.rule == "must hold at most 50000 nodes, aliases expanded"
