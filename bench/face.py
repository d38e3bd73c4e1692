"""A frame of 640x480 to a comparison score, against the peer with its defaults on the same frames."""

from dataclasses import replace
from functools import partial

from bench.peer import Peer, PeerMissingError, install_peer
from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches, milliseconds
from bench.workshop import Rider, Workshop
from openstile.crossing import Policy
from openstile.face import FaceEngine, Frame, Template, compare, extract_template, locate
from openstile.face.faults import FaceFault
from openstile.face.packs import load_pack, pull_pack
from openstile.face.quality import assess
from openstile.face.zone import choose_rider

NAME = "face"
TITLE = "Face: frame to comparison score at 640x480"
RATIO_MIN = 8.0
"""Of the plain pack, which has one network for templates as the peer has."""
FRAME_MS_MAX = 45.0
"""Of the default pack, which has two."""
PLAIN = "centerface-dlib"
_PEOPLE = 6
_OURS, _PEER = "openstile: all of it", "face_recognition: all of it"
_PLAIN = f"openstile, {PLAIN}: all of it"


def measure(workshop: Workshop) -> Section:
    """Both take the same frames in turn, on one core; who is first changes from round to round."""
    rounds = 4 if workshop.quick else 15
    riders = workshop.riders.riders[:_PEOPLE]
    watches = Stopwatches()
    pull_pack(PLAIN)
    plain = load_pack(PLAIN)
    plain_references = [_compared(plain, rider.enrolled, None, Stopwatches()) for rider in riders]
    try:
        with Peer(install_peer()) as peer, workshop.progress(NAME, (rounds + 1) * len(riders)) as step:
            for rider in riders:
                peer.add_frame(rider.enrolled.pixels)
                peer.add_frame(rider.frame.pixels)
            for number in range(rounds + 1):
                taken = watches if number else Stopwatches()  # the first round warms both up
                for index, rider in enumerate(riders):
                    if number % 2:
                        _run_ours(workshop.engine, rider, taken)
                        _run_peer(peer, index, taken)
                    else:
                        _run_peer(peer, index, taken)
                        _run_ours(workshop.engine, rider, taken)
                    reference = plain_references[index]
                    taken.run(_PLAIN, partial(_compared, plain, rider.frame, reference, Stopwatches()))
                    step()
    except PeerMissingError as error:
        return Section(NAME, TITLE, skipped=str(error))
    return _section(watches, len(riders))


def _compared(engine: FaceEngine, frame: Frame, reference: Template | None, own: Stopwatches) -> Template:
    """What a crossing does with a good frame, quality included: the probe, compared with `reference` or with itself."""
    policy = Policy()
    faces = own.run("openstile: locate", lambda: locate(engine, frame))
    zone = policy.zone if reference is not None else replace(policy.zone, left=0.0, right=1.0)
    face = choose_rider(faces, frame_width=frame.width, frame_height=frame.height, zone=zone)
    assert not isinstance(face, FaceFault), "riders have good frames"
    own.run("openstile: quality", lambda: assess(frame, face, limits=policy.quality))
    probe = own.run("openstile: template", lambda: extract_template(engine, frame, face))
    own.run("openstile: compare", lambda: compare(engine=engine, probe=probe, reference=reference or probe))
    return probe


def _run_ours(engine: FaceEngine, rider: Rider, watches: Stopwatches) -> None:
    own = Stopwatches()
    watches.run(_OURS, partial(_compared, engine, rider.frame, rider.reference, own))
    for name in own.names():
        watches.add(name, own.times(name).samples[0])


def _run_peer(peer: Peer, index: int, watches: Stopwatches) -> None:
    steps, distance = peer.run(2 * index + 1, reference=2 * index)
    assert distance is not None, "the peer must find the face too"
    watches.add(_PEER, sum(steps))
    for name, elapsed_ms in zip(("face_locations", "face_encodings", "face_distance"), steps, strict=True):
        watches.add(f"face_recognition: {name}", elapsed_ms)


def _section(watches: Stopwatches, people: int) -> Section:
    ours, plain, peer = watches.times(_OURS), watches.times(_PLAIN), watches.times(_PEER)
    ratio = peer.median / plain.median
    return Section(
        NAME,
        TITLE,
        tables=(Table("One core, interleaved", ("step", *TIMES_COLUMNS), watches.rows()),),
        targets=(
            Target(
                f"the plain pack at least {RATIO_MIN:.0f} times faster than face_recognition with its defaults",
                f"{ratio:.1f} times ({milliseconds(plain.median)} against {milliseconds(peer.median)}); "
                f"the default pack, whose two networks must agree, {peer.median / ours.median:.1f} times",
                ratio >= RATIO_MIN,
            ),
            Target(
                f"the default pack at most {FRAME_MS_MAX:.0f} ms a frame on one core",
                f"{milliseconds(ours.median)} (median), {milliseconds(min(ours.samples))} (least)",
                ours.median <= FRAME_MS_MAX,
            ),
        ),
        notes=(
            f"Frames of {people} people, pixels in memory. Ours includes choosing the rider and judging quality, which "
            "the peer does not do.",
            "The peer: face_recognition 1.3.0 on dlib 20.0.1 (prebuilt: package dlib-bin, with AVX); face_locations, "
            "face_encodings with those locations, face_distance, all with their defaults.",
        ),
        figures={"ratio": ratio, **watches.figures()},
    )
