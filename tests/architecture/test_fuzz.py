"""Fuzzing covers every parser of untrusted bytes, its seeds are sound, and it can fail (docs/fuzzing.md)."""

import ast
import importlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.registry import GROUPS, all_targets
from fuzz.target import BrokenPromiseError, Target

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "src"
DOCUMENT = (REPOSITORY / "docs" / "fuzzing.md").read_text()
TARGETS = {name: target for name, (_, target) in all_targets().items()}
_READS = re.compile(r"(read|decode|parse|open|inspect|from|inflate|reread)_\w+|decode|read")
_UNTRUSTED = {"data", "presented", "payload", "plaintext", "token", "proof", "compressed", "content"}


def documented_targets() -> dict[str, str]:
    """Parser by name of its target, as the table says."""
    table = DOCUMENT.partition("<!-- targets: begin -->")[2].partition("<!-- targets: end -->")[0]
    return dict(re.findall(r"^\| `([\w-]+)` \| `([\w.]+)` \|", table, re.MULTILINE))


def reached_through_others() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(openstile\.[\w.]+)` \| (`[\w`, -]+`) \|$", DOCUMENT, re.MULTILINE)
    return {parser: set(re.findall(r"`([\w-]+)`", names)) for parser, names in rows}


def parsers_of(source: str, module: str) -> list[str]:
    """Public functions of a module that read bytes, by their name and the first thing that they take."""
    found = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef) or not _READS.fullmatch(node.name):
            continue
        taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if any(a.arg in _UNTRUSTED and "bytes" in ast.unparse(a.annotation or a) for a in taken):
            found.append(f"{module}.{node.name}")
    return found


def attribute(dotted: str) -> tuple[object, str]:
    """What holds the function of this dotted name, a module or a class, and its name in there."""
    front, _, name = dotted.rpartition(".")
    try:
        return importlib.import_module(front), name
    except ModuleNotFoundError:
        module, _, kind = front.rpartition(".")
        return getattr(importlib.import_module(module), kind), name


def test_every_parser_of_untrusted_bytes_has_a_target_or_is_reached_through_one() -> None:
    covered = {target.parser for target in TARGETS.values()} | set(reached_through_others())
    for path in sorted((SOURCES / "openstile").rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for parser in parsers_of(path.read_text(), module):
            assert parser in covered, f"{parser}: give it a fuzz target, or say in docs/fuzzing.md which one reaches it"


def test_the_search_for_parsers_would_see_a_new_one() -> None:
    source = (
        "def read_new(data: bytes) -> int: ...\ndef read_path(path: Path) -> int: ...\ndef _read(data: bytes): ...\n"
    )
    assert parsers_of(source, "m") == ["m.read_new"]


def test_documentation_and_targets_name_the_same_parsers() -> None:
    assert documented_targets() == {name: target.parser for name, target in TARGETS.items()}
    assert set().union(*reached_through_others().values()) <= set(TARGETS)
    for parser in reached_through_others():
        holder, name = attribute(parser)
        assert callable(getattr(holder, name)), parser


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_seeds_pass_their_target(target: Target, tmp_path: Path) -> None:
    seeds = target.seeds()
    assert seeds
    assert all(len(seed) <= target.bytes_max for seed in seeds)
    for seed in seeds:
        target.run(seed, tmp_path)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_some_seed_is_accepted_so_that_the_fuzzer_begins_deep(target: Target, tmp_path: Path) -> None:
    def accepted(seed: bytes) -> bool:
        try:
            target.parse(seed, tmp_path)
        except target.refusals:
            return False
        return True

    assert any(accepted(seed) for seed in target.seeds())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_error_that_the_parser_does_not_document_is_a_crash(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PlantedError(Exception):
        """Not one of ours."""

    def plant(*arguments: object, **named: object) -> object:
        raise PlantedError

    seeds = target.seeds()
    monkeypatch.setattr(*attribute(target.parser), plant)

    def run_all() -> None:
        for seed in seeds:
            target.run(seed, tmp_path)

    with pytest.raises(PlantedError):
        run_all()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_value_that_no_parser_gives_is_a_crash(target: Target) -> None:
    for seed in target.seeds():
        with pytest.raises(BrokenPromiseError):
            target.check(seed, object())


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="there is no wheel of atheris for this machine")
@pytest.mark.parametrize("planted", [True, False])
def test_run_finds_the_planted_crash_and_names_its_input(planted: bool, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fuzz", "--only", "planted" if planted else "base45", "--seconds", "60"]
    limits = ["--runs", "200000" if planted else "500", "--out", str(tmp_path), "--json"]
    done = subprocess.run([*command, *limits], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert json.loads((tmp_path / "report.json").read_text())["targets"] == report["targets"]
    (outcome,) = report["targets"]
    assert outcome["executions"] > 0
    if planted:
        assert done.returncode == 1, done.stderr
        assert Path(outcome["crash"]).read_bytes()[:3] == b"OS!"
    else:
        assert (done.returncode, outcome["crash"]) == (0, ""), done.stderr
        assert outcome["edges"] > 0


def test_groups_share_no_name() -> None:
    names = [target.name for group in GROUPS for target in importlib.import_module(group).TARGETS]
    assert len(names) == len(set(names))
