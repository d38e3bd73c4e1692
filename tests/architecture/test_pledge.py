"""The pledge, enforced: each test fails when a promise of docs/architecture.md, "The pledge", is broken."""

import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from typing import Any

import onnx

import openstile
from openstile.crossing import Crossing
from openstile.face import Template
from openstile.gate.lane import Lane
from openstile.passes import OpenedPass
from openstile.passes.reference import Reference

ROOMS_THAT_SEE_FACES = ("openstile.face", "openstile.crossing", "openstile.gate")
BIOMETRIC = (Template, Reference, OpenedPass)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _modules(*prefixes: str) -> list[types.ModuleType]:
    found = [m.name for m in pkgutil.walk_packages(openstile.__path__, "openstile.")]
    return [importlib.import_module(name) for name in found if name.startswith(prefixes)]


def _functions(module: types.ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in vars(module).items():
        if inspect.isfunction(member) and member.__module__ == module.__name__:
            yield f"{module.__name__}.{name}", member
        if inspect.isclass(member) and member.__module__ == module.__name__:
            for inner_name, inner in vars(member).items():
                function = inner.__func__ if isinstance(inner, classmethod | staticmethod) else inner
                if inspect.isfunction(function):
                    yield f"{module.__name__}.{name}.{inner_name}", function


def _parts(annotation: object) -> tuple[object, ...]:
    """What an annotation is made of: the arguments of a generic, the fields of one of our dataclasses."""
    if isinstance(annotation, type) and is_dataclass(annotation) and annotation not in BIOMETRIC:
        return tuple(typing.get_type_hints(annotation, localns={"onnx": onnx}).values())
    return typing.get_args(annotation)


def _holds_biometric(annotation: object) -> bool:
    return any(annotation is kind for kind in BIOMETRIC) or any(_holds_biometric(part) for part in _parts(annotation))


def _is_optional(annotation: object) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _collects(annotation: object) -> bool:
    """Whether `annotation` is a container, iterator or callable of templates, or holds one, at any depth."""
    arguments = typing.get_args(annotation)
    if arguments and not _is_optional(annotation) and any(_holds_biometric(argument) for argument in arguments):
        return True
    return any(_collects(part) for part in _parts(annotation))


def _offences(function: Callable[..., Any]) -> list[str]:
    hints = typing.get_type_hints(function, localns={"onnx": onnx})
    hints.pop("return", None)
    many = {name for name, parameter in inspect.signature(function).parameters.items() if parameter.kind in _VARIADIC}
    found = [
        f"{name}: a collection"
        for name, hint in hints.items()
        if _collects(hint) or (name in many and _holds_biometric(hint))
    ]
    held = [name for name, hint in hints.items() if _holds_biometric(hint)]
    references = [name for name in held if name != "probe"]
    if len(references) > 1:
        found.append(f"{', '.join(references)}: more than one reference")
    return found


def test_no_function_of_face_crossing_or_gate_takes_more_than_one_reference() -> None:
    checked = 0
    for module in _modules(*ROOMS_THAT_SEE_FACES):
        for name, function in _functions(module):
            assert _offences(function) == [], name
            checked += 1
    assert checked > 100


@dataclass
class Drawer:
    """A gallery under another name, for the test below."""

    label: str
    templates: tuple[Template, ...]


def test_the_check_would_see_a_search() -> None:
    def identify(probe: Template, references: list[Template]) -> int:
        return 0

    def watch(probe: Template, wanted: dict[str, tuple[Template, ...]]) -> int:
        return 0

    def twice(probe: Template, first: Template, second: Template) -> int:
        return 0

    def stream(probe: Template, supply: Callable[[], Iterator[Template]]) -> int:
        return 0

    def starred(probe: Template, *references: Template) -> int:
        return 0

    def keyed(probe: Template, **wanted: Template) -> int:
        return 0

    def wrapped(probe: Template, wanted: Drawer) -> int:
        return 0

    def honest(probe: Template, reference: Template | None) -> int:
        return 0

    for function in (identify, watch, twice, stream, starred, keyed, wrapped):
        assert _offences(function), function.__name__
    assert _offences(honest) == []


def test_no_name_of_the_code_speaks_of_a_search_for_faces() -> None:
    banned = ("gallery", "watchlist", "blocklist", "identify", "search_face", "find_person", "track")
    for module in _modules("openstile."):
        for name, _ in _functions(module):
            assert not any(word in name.lower() for word in banned), name


def test_result_of_a_crossing_holds_nothing_biometric() -> None:
    allowed = {"decision", "pass_id", "product", "frames_read", "steps"}
    assert set(Crossing.__dataclass_fields__) == allowed


def test_lane_keeps_no_template_frame_or_opened_pass_between_crossings() -> None:
    hints = typing.get_type_hints(Lane.__init__)
    assert not any(_holds_biometric(hint) for hint in hints.values())
