"""The peer, timed in its own environment on request. Run by bench/peer.py; imports nothing of this project.

Standard input: a line of JSON, for a frame followed by its pixels; standard output: a line of JSON for each.
    {"frame": [height, width]}            RGB bytes follow; answers {"faces": n}, and keeps the encoding as a reference
    {"run": frame, "reference": frame}    answers {"ms": [locate, encode, compare], "distance": d}
"""

import importlib
import json
import sys
import time
import warnings
from typing import Any

import numpy as np


def main() -> None:
    """Serve until standard input ends."""
    warnings.simplefilter("ignore")
    peer: Any = importlib.import_module("face_recognition")
    frames: list[Any] = []
    encodings: list[Any] = []
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        if "frame" in request:
            height, width = request["frame"]
            data = sys.stdin.buffer.read(height * width * 3)
            frames.append(np.frombuffer(data, np.uint8).reshape(height, width, 3).copy())
            encodings.append(peer.face_encodings(frames[-1]))
            answer: dict[str, Any] = {"faces": len(encodings[-1])}
        else:
            answer = _run(peer, frames[request["run"]], encodings[request["reference"]][0])
        print(json.dumps(answer), flush=True)


def _run(peer: Any, frame: Any, reference: Any) -> dict[str, Any]:
    """All defaults; the locations are handed on, so that faces are looked for once."""
    started_ns = time.perf_counter_ns()
    locations = peer.face_locations(frame)
    located_ns = time.perf_counter_ns()
    encodings = peer.face_encodings(frame, locations)
    encoded_ns = time.perf_counter_ns()
    distance = float(peer.face_distance([reference], encodings[0])[0]) if encodings else None
    ended_ns = time.perf_counter_ns()
    steps = (located_ns - started_ns, encoded_ns - located_ns, ended_ns - encoded_ns)
    return {"ms": [step / 1e6 for step in steps], "distance": distance}


if __name__ == "__main__":
    main()
