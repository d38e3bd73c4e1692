"""`python -m bench.equity FOLDER`: the remedies against uneven error rates, on a data set, with splits by subject.

Prints, for the plain pack, for it with a group-balanced whitening, and for the two networks that must agree: the
empty band, the rates in every group, and how a scale and a threshold chosen on half of the people do on the other
half. docs/decisions/0015 has what it gave. Embeddings stay in memory. FOLDER: laid out as docs/lab.md says.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face import FaceEngine, Frame, LocatedFace
from openstile.face.images import read_image
from openstile.face.packs import load_pack, pull_pack
from openstile.face.quality import QualityLimits, assess
from openstile.face.template import Embeddings, cut_template, embed_face, restore_embeddings, soften_embeddings
from openstile.face.zone import CaptureZone, locate_rider
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.whitening import fit_whitening, split_by_subject

Distances = NDArray[np.float64]
PLAIN, DUAL = "centerface-dlib", "centerface-dual"
FACE_WIDTH = 112
TREATMENTS: dict[str, tuple[int, float] | None] = {"as it is": None, "112 px": (112, 0.0), "112 px, blur 2": (112, 2.0)}
SHRINKAGES = (0.05, 0.2, 0.5)
SPLITS = 20
QUANTILE = 0.01
"""Of non-mated distances: the scale makes both networks alike there. Extremes would hang on one pair of people."""
FOLDS = 10
PLACE = 0.5
"""Where in the empty band the threshold lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One photograph under one treatment: parts of the probe and of the reference, each (dimensions,) as restored from
    its bytes.
    """

    subject: int
    session: str
    parts: Embeddings = field(repr=False)
    reference: Embeddings = field(repr=False)
    passes_gate: bool


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Every pair of photographs of different sessions, and non-mated ones of the same: distance of each part.

    distances: (parts, n). first, second: (n,) subjects. passes_gate: (n,) of the presented photograph.
    """

    distances: Distances
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    passes_gate: NDArray[np.bool_]

    @property
    def mated(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.asarray(self.first == self.second)

    def among(self, members: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n,): both people are among `members`, (subjects,)."""
        return np.asarray(members[self.first] & members[self.second])


def band(distances: Distances, mated: NDArray[np.bool_]) -> float:
    """(closest non-mated - farthest mated) / closest non-mated."""
    closest, farthest = distances[~mated].min(), distances[mated].max()
    return float((closest - farthest) / closest)


def see_all(folder: Path, engines: dict[str, FaceEngine]) -> tuple[dict[tuple[str, str], list[Seen]], list[str], float]:
    """(pack, treatment) to photographs, the group of each subject, and milliseconds a frame of the dual pack."""
    data = read_data_set(folder)
    groups = [next(g.value for g in s.groups if g.attribute == "ethnicity") for s in data.subjects]
    found: dict[tuple[str, str], list[Seen]] = {(p, t): [] for p in engines for t in TREATMENTS}
    spent: list[float] = []
    for capture in data.captures:
        frame = read_image(capture.path)
        face = _rider(engines[DUAL], frame)
        for name, treatment in TREATMENTS.items():
            treated = frame if treatment is None else _treat(frame, face, *treatment)
            for pack, engine in engines.items():
                begun = process_time()
                rider = _rider(engine, treated)
                fault = assess(treated, rider, limits=QualityLimits()).fault
                sharp = embed_face(engine, treated, rider)
                probe = cut_template(engine, sharp)
                spent += [process_time() - begun] * (pack == DUAL)
                reference = cut_template(engine, soften_embeddings(engine, treated, rider, sharp))
                parts, softened = (restore_embeddings(engine.parts, each.data) for each in (probe, reference))
                found[pack, name].append(
                    Seen(capture.subject, data.conditions[capture.condition], parts, softened, fault is None)
                )
    return found, groups, 1000 * float(np.median(spent))


def _treat(frame: Frame, face: LocatedFace, width: int, blur: float) -> Frame:
    scale = width / face.box.width
    small = cv2.resize(frame.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Frame(np.asarray(cv2.GaussianBlur(small, (0, 0), blur) if blur else small, np.uint8))


def _rider(engine: FaceEngine, frame: Frame) -> LocatedFace:
    found = locate_rider(engine, frame, CaptureZone())
    if not isinstance(found, LocatedFace):
        raise SystemExit(f"a photograph shows no single face: {found}")
    return found


def trials(presented: list[Seen], enrolled: list[Seen]) -> Trials:
    """Each presented photograph against each enrolled one, but for a person against the same session."""
    pairs = [
        (probe, other)
        for probe in presented
        for other in enrolled
        if probe.session != other.session or probe.subject != other.subject
    ]
    differences = [[float(np.linalg.norm(a - b)) for a, b in zip(p.parts, o.reference, strict=True)] for p, o in pairs]
    return Trials(
        np.array(differences).T,
        np.array([p.subject for p, _ in pairs]),
        np.array([o.subject for _, o in pairs]),
        np.array([p.passes_gate for p, _ in pairs]),
    )


def fuse(found: Trials, scales: Iterable[float]) -> Distances:
    """The largest of the scaled distances of the parts."""
    return np.asarray(np.max(found.distances * np.array(list(scales))[:, None], axis=0))


def main() -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(prog="python -m bench.equity", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    for name in (PLAIN, DUAL):
        pull_pack(name)
    engines: dict[str, FaceEngine] = {name: load_pack(name) for name in (PLAIN, DUAL)}
    seen, groups, spent_ms = see_all(folder, engines)
    measured = {key: trials(value, seen[key[0], "as it is"]) for key, value in seen.items()}
    print(f"{len(groups)} people; locate, assess and both embeddings: {spent_ms:.1f} ms of processor time a frame")
    for name, engine in engines.items():
        _print_pack(name, engine, measured, groups)
    _print_cross_fitted(measured, groups)
    _print_splits(measured, groups, engines)
    _print_whitening(seen[PLAIN, "as it is"], groups)
    return 0


def _print_pack(name: str, engine: FaceEngine, measured: dict[tuple[str, str], Trials], groups: list[str]) -> None:
    scales, most = [part.scale for part in engine.parts], engine.distance_max
    print(f"\n{name}: threshold {most}, scales {scales}")
    for treatment in TREATMENTS:
        found = measured[name, treatment]
        distances, mated, gate = fuse(found, scales), found.mated, found.passes_gate
        matched = distances <= most
        kept = mated & gate
        print(
            f"  {treatment:15} FNMR {np.sum(~matched[mated])}/{mated.sum()} (through the gate "
            f"{np.sum(~matched[kept])}/{kept.sum()})  FMR {np.sum(matched[~mated])}/{np.sum(~mated)}"
            f"  farthest mated {distances[mated].max():.3f} closest non-mated {distances[~mated].min():.3f}"
            f"  band {band(distances, mated):+.3f}  d' {_separation(distances, mated):.2f}"
        )
        for group in sorted(set(groups)):
            inside = found.among(np.array([g == group for g in groups]))
            print(
                f"    {group:20} people {groups.count(group):3}  FNMR {np.sum(~matched[inside & mated])}/"
                f"{np.sum(inside & mated)}  FMR {np.sum(matched[inside & ~mated])}/{np.sum(inside & ~mated)}"
            )


def _separation(distances: Distances, mated: NDArray[np.bool_]) -> float:
    one, other = distances[mated], distances[~mated]
    return float((other.mean() - one.mean()) / np.sqrt((one.var() + other.var()) / 2))


def _choose(found: Trials, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """The scale of the second network and the threshold, from the comparisons `inside`."""
    mated = found.mated[inside]
    first, second = np.quantile(found.distances[:, inside][:, ~mated], QUANTILE, axis=1)
    distances = fuse(found, (1.0, first / second))[inside]
    most = (1 - PLACE) * distances[mated].max() + PLACE * distances[~mated].min()
    return float(first / second), float(most)


def _print_splits(measured: dict[tuple[str, str], Trials], groups: list[str], engines: dict[str, FaceEngine]) -> None:
    """Scale and threshold from half of the people, all figures from the other half."""
    both, plain = measured[DUAL, "as it is"], measured[PLAIN, "as it is"]
    blurred = measured[DUAL, "112 px, blur 2"]
    shipped = [part.scale for part in engines[DUAL].parts]
    rows = []
    for number in range(SPLITS):
        half = split_by_subject(groups, parts=2, rng=np.random.default_rng(number))
        for side in (0, 1):
            learnt, tested = both.among(half == side), both.among(half != side)
            scale, most = _choose(both, learnt)
            chosen, fixed = fuse(both, (1.0, scale))[tested], fuse(both, shipped)[tested]
            mated = both.mated[tested]
            poor = fuse(blurred, (1.0, scale))[blurred.among(half != side) & blurred.mated]
            own = plain.among(half != side)
            alone = band(plain.distances[0][own], plain.mated[own])
            rows.append(
                (
                    alone,
                    band(chosen, mated),
                    band(fixed, mated),
                    scale,
                    most,
                    np.sum(chosen[~mated] <= most),
                    np.mean(chosen[mated] > most),
                    np.mean(poor > most),
                )
            )
    names = ("band plain", "band chosen", "band shipped", "scale", "threshold", "false matches", "FNMR", "FNMR blur 2")
    print(f"\nscale and threshold from half of the people, tested on the others ({2 * SPLITS} times): mean (range)")
    for name, values in zip(names, np.array(rows, np.float64).T, strict=True):
        print(f"  {name:14} {values.mean():.4f} ({values.min():.4f} .. {values.max():.4f})")


def _print_cross_fitted(measured: dict[tuple[str, str], Trials], groups: list[str]) -> None:
    """Every pair judged by a scale and a threshold chosen without both of its people (the scale keeps the unit)."""
    fold = split_by_subject(groups, parts=FOLDS, rng=np.random.default_rng(0))
    treated = {name: measured[DUAL, name] for name in TREATMENTS}
    over = {name: np.zeros((2, found.mated.size)) for name, found in treated.items()}
    chosen = []
    for one in range(FOLDS):
        for other in range(one, FOLDS):
            out = (fold == one) | (fold == other)
            scale, most = _choose(treated["as it is"], treated["as it is"].among(~out))
            chosen.append((scale, most))
            for name, found in treated.items():
                pair = np.sort(np.stack([fold[found.first], fold[found.second]]), axis=0)
                here = (pair[0] == one) & (pair[1] == other)
                over[name][0, here] = fuse(found, (1.0, scale))[here]
                over[name][1, here] = most
    everybody = treated["as it is"]
    scale, most = _choose(everybody, np.ones(everybody.mated.size, np.bool_))
    print(f"\nchosen from everybody: scale {scale:.3f}, threshold {most:.3f}")
    scales, thresholds = np.array(chosen).T
    print(f"\neach pair judged by what was chosen without its people ({FOLDS} folds by subject):")
    print(
        f"  scale {scales.min():.2f} .. {scales.max():.2f}, threshold {thresholds.min():.3f} .. {thresholds.max():.3f}"
    )
    for name, found in treated.items():
        mated, (distances, most_of) = found.mated, over[name]
        matched = distances <= most_of
        print(
            f"  {name:15} FNMR {np.sum(~matched[mated])}/{mated.sum()}  FMR {np.sum(matched[~mated])}/{np.sum(~mated)}"
            f"  band {band(distances, mated):+.3f}"
        )


def _print_whitening(seen: list[Seen], groups: list[str]) -> None:
    """The plain pack with a whitening made from half of the people, on the others."""
    rows = np.stack([each.parts[0] for each in seen])
    print("\ngroup-balanced whitening from half of the people, tested on the others: band (plain band there), d'")
    for shrinkage in SHRINKAGES:
        found = []
        for number in range(SPLITS):
            half = split_by_subject(groups, parts=2, rng=np.random.default_rng(number))
            for side in (0, 1):
                learn = [half[each.subject] == side for each in seen]
                names = [groups[each.subject] for each, of in zip(seen, learn, strict=True) if of]
                stage = fit_whitening(rows[learn], names, shrinkage=shrinkage)
                rest = [each for each, of in zip(seen, learn, strict=True) if not of]
                plain = trials(rest, rest)
                white = [
                    Seen(e.subject, e.session, (stage.apply(e.parts[0]),), (stage.apply(e.parts[0]),), e.passes_gate)
                    for e in rest
                ]
                whitened = trials(white, white)
                found.append(
                    (
                        band(whitened.distances[0], whitened.mated),
                        band(plain.distances[0], plain.mated),
                        _separation(whitened.distances[0], whitened.mated),
                    )
                )
        mean = np.mean(found, axis=0)
        print(f"  shrinkage {shrinkage}: {mean[0]:+.3f} ({mean[1]:+.3f}), d' {mean[2]:.2f}")


if __name__ == "__main__":
    sys.exit(main())
