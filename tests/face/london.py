"""Consenting faces, for tests that have them: 60 adults, each once neutral and once smiling."""

import csv
from dataclasses import dataclass
from pathlib import Path

from openstile.face import FaceEngine, Frame, LocatedFace, Template, locate
from openstile.face.images import read_image
from openstile.face.template import Embeddings, cut_template, embed_face, soften_embeddings
from openstile.face.zone import CaptureZone, choose_rider


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One photograph and what the engine made of it: as a probe, and (softened, reference) as it would be enrolled."""

    frame: Frame
    face: LocatedFace
    embeddings: Embeddings
    template: Template
    softened: Embeddings
    reference: Template


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One adult. groups: self-reported ethnicity (each part, where several are given) and gender."""

    name: str
    groups: tuple[str, ...]
    neutral: Seen
    smiling: Seen


def see_everyone(folder: Path, engine: FaceEngine) -> tuple[Person, ...]:
    """Everyone in the folder of the London set, run through the engine."""
    with (folder / "subjects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Person(
            row["subject"],
            (*row["ethnicity"].split("/"), row["gender"]),
            see(read_image(folder / "neutral" / f"{row['subject']}.jpg"), engine),
            see(read_image(folder / "smiling" / f"{row['subject']}.jpg"), engine),
        )
        for row in rows
    )


def see(frame: Frame, engine: FaceEngine) -> Seen:
    """Locate, choose, embed."""
    face = choose_rider(locate(engine, frame), frame_width=frame.width, frame_height=frame.height, zone=CaptureZone())
    assert isinstance(face, LocatedFace), face
    embeddings = embed_face(engine, frame, face)
    softened = soften_embeddings(engine, frame, face, embeddings)
    return Seen(frame, face, embeddings, cut_template(engine, embeddings), softened, cut_template(engine, softened))
