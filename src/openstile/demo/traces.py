"""The canary's part: what must not be found, and where it is looked for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from openstile.demo.cast import Cast
from openstile.demo.stage import Played
from openstile.face import FaceEngine, Frame, extract_template, locate
from openstile.face.align import align
from openstile.face.images import read_image
from openstile.face.template import extract_reference
from openstile.lab.canary import CanaryVerdict, Secret, search_traces


def search_everything_written(
    folders: tuple[Path, ...], *, cast: Cast, played: tuple[Played, ...], engine: FaceEngine
) -> CanaryVerdict:
    """Search `folders` for every frame that was read, every chip, embedding and template made from one.

    The secrets are made again from the same frames: nothing that ran kept them.
    """
    return search_traces(folders, _secrets(cast, played, engine))


def _secrets(cast: Cast, played: tuple[Played, ...], engine: FaceEngine) -> Iterator[Secret]:
    photographs = {path for held in cast.passes for path in held.photographs}
    for path in sorted(photographs):
        yield from _secrets_of(f"photograph {path.name}", read_image(path), engine)
    seen: set[int] = set()
    for number, scene in enumerate(played, start=1):
        for frame in scene.frames:
            if id(frame) not in seen:
                seen.add(id(frame))
                yield from _secrets_of(f"frame of scene {number}", frame, engine)


def _secrets_of(what: str, frame: Frame, engine: FaceEngine) -> Iterator[Secret]:
    yield Secret(what, frame.pixels)
    for face in locate(engine, frame):
        for number, part in enumerate(engine.parts):
            chip = align(frame, face, part.chip)
            yield Secret(f"chip of {what}", chip)
            yield Secret(f"embedding of {what}", engine.embed(number, chip))
        for name, template in (("template", extract_template), ("reference", extract_reference)):
            yield Secret(f"{name} of {what}", np.frombuffer(template(engine, frame, face).data, np.int8))
