"""The canary finds a planted trace in every form and every kind of file, and nothing where nothing is."""

import base64
import gzip
import json
import os
import sqlite3
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import base45
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openstile.lab.canary import CanaryError, Secret, search_traces
from openstile.lab.windows import RUN_BYTES, Form, WindowIndex

RANDOM = np.random.default_rng(20260301)
FRAME = RANDOM.integers(0, 256, (120, 160, 3), dtype=np.uint8)
TEMPLATE = RANDOM.integers(-128, 128, 128, dtype=np.int8)
EMBEDDING = RANDOM.normal(0, 0.1, 128).astype(np.float32)
PRECISE = RANDOM.normal(0, 0.1, 128)
SECRETS = (
    Secret("frame", FRAME),
    Secret("template", TEMPLATE),
    Secret("embedding", EMBEDDING),
    Secret("precise", PRECISE),
    Secret("pin", b"0123 a salt of sixteen bytes"),
)
CUT = FRAME[100, 100:110].tobytes()[5:21]
"""16 bytes from the middle of a row, beginning in the middle of a pixel."""


def _found(folder: Path) -> set[str]:
    return {trace.encoding for trace in search_traces([folder], SECRETS).traces}


@pytest.mark.parametrize(
    ("what", "planted"),
    [
        ("frame", FRAME.tobytes()),
        ("frame", FRAME[60].tobytes()),
        ("frame", CUT),
        ("frame", FRAME[:, :, ::-1][10].tobytes()),
        ("frame", FRAME[:, :, 1].tobytes()[1000:1016]),
        ("template", TEMPLATE.tobytes()),
        ("template", TEMPLATE.tobytes()[77:93]),
        ("template", TEMPLATE.astype("<f4").tobytes()[:32]),
        ("embedding", EMBEDDING.tobytes()[4:20]),
        ("embedding", EMBEDDING.astype("<f8").tobytes()[:16]),
        ("embedding", EMBEDDING.astype("<f2").tobytes()[8:24]),
        ("embedding", EMBEDDING.astype(">f4").tobytes()),
        ("precise", PRECISE.tobytes()[40:56]),
        ("precise", PRECISE.astype("<f4").tobytes()[:16]),
        ("pin", b"a salt of sixteen"),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 7, 4090])
def test_planted_bytes_are_found(tmp_path: Path, what: str, planted: bytes, at: int) -> None:
    (tmp_path / "core.dump").write_bytes(b"\x00" * at + planted + b"\x00" * 100)
    verdict = search_traces([tmp_path], SECRETS)
    assert not verdict.clean
    assert {trace.what.split()[0] for trace in verdict.traces} == {what}
    assert {trace.encoding for trace in verdict.traces if at <= trace.offset < at + len(planted)} == {"raw"}


@pytest.mark.parametrize("length", [RUN_BYTES - 1, RUN_BYTES])
def test_run_of_sixteen_bytes_is_found_and_of_fifteen_not(tmp_path: Path, length: int) -> None:
    for start in range(40):
        run = FRAME[7].tobytes()[start : start + length]
        (tmp_path / "dump").write_bytes(b"\xff" * 11 + bytes([run[0] ^ 1]) + run)
        after = FRAME[7].tobytes()[start + length] ^ 1
        with (tmp_path / "dump").open("ab") as file:
            file.write(bytes([after]))
        assert search_traces([tmp_path], [Secret("row", FRAME[7])]).clean == (length < RUN_BYTES), start


_LOG = b"2026-03-01 12:00:00 ERROR gate: "


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("hex", lambda cut: cut.hex().encode()),
        ("hex", lambda cut: b"f" + cut.hex().upper().encode()),
        ("hex, apart", lambda cut: cut.hex(" ").encode()),
        ("hex, apart", lambda cut: ", ".join(f"0x{byte:02x}" for byte in cut).encode()),
        ("base64", lambda cut: base64.b64encode(cut)),
        ("base64", lambda cut: base64.b64encode(b"1" + cut + b"2")),
        ("base64", lambda cut: base64.b64encode(b"12" + cut + b"3")),
        ("base64", lambda cut: base64.urlsafe_b64encode(b"x" + cut + b"345")),
        ("base45", lambda cut: base45.b45encode(cut)),
        ("base45", lambda cut: base45.b45encode(b"1" + cut + b"2")),
        ("base45", lambda cut: base45.b45encode(b"1" + cut)),
        ("escaped text", lambda cut: repr(cut).encode()),
        ("escaped text", lambda cut: json.dumps(cut.decode("latin-1")).encode()),
        ("list of integers", lambda cut: str(list(cut)).encode()),
        ("list of integers", lambda cut: str(np.frombuffer(cut, np.int8)).encode()),
    ],
)
def test_sixteen_bytes_encoded_in_a_log_are_found(
    tmp_path: Path, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "gate.log").write_bytes(_LOG * 3 + b"value=" + encode(CUT) + b";\n" + _LOG)
    verdict = search_traces([tmp_path], SECRETS)
    assert encoding in {trace.encoding for trace in verdict.traces}
    assert all(trace.offset <= len(_LOG) * 3 + 16 for trace in verdict.traces), verdict.traces


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TEMPLATE.tolist()),
        json.dumps(EMBEDDING.tolist()),
        json.dumps(PRECISE.tolist(), indent=1),
        str(EMBEDDING[:8].tolist()),
        " ".join(repr(float(number)) for number in PRECISE[3:7]),
        base64.encodebytes(FRAME[3].tobytes()).decode(),
        base64.encodebytes(FRAME[3].tobytes()).decode().replace("\n", "\\n"),
    ],
)
def test_numbers_and_wrapped_lines_are_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text('{"event": "debug", "value": ' + text + "}")
    assert not search_traces([tmp_path], SECRETS).clean


def test_trace_in_a_database_page_is_found(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(f"row {number}",) for number in range(2000)])
        connection.execute("INSERT INTO t VALUES (?)", (TEMPLATE.tobytes(),))
    connection.close()
    assert _found(tmp_path) == {"raw"}


def test_trace_that_is_in_the_write_ahead_log_only_is_found(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (?)", (TEMPLATE.tobytes(),))
    traces = search_traces([tmp_path], SECRETS).traces
    connection.close()
    assert {trace.file.name for trace in traces} == {"store.db-wal"}


def test_trace_in_a_page_that_was_freed_is_found(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (?)", (TEMPLATE.tobytes(),))
    connection.execute("DELETE FROM t")
    connection.close()
    assert _found(tmp_path) == {"raw"}


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_trace_in_a_compressed_stream_is_found(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "old.log.gz").write_bytes(b"header" + pack(_LOG * 50 + CUT.hex().encode()))
    assert "compressed, hex" in _found(tmp_path)


def test_trace_in_an_archive_of_arrays_is_found(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "cache.npz", zeros=np.zeros(1000), template=TEMPLATE)
    np.savez(tmp_path / "plain.npz", embedding=EMBEDDING)
    assert _found(tmp_path) == {"compressed, raw", "raw"}


def test_trace_in_a_file_name_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{CUT.hex()}.tmp").touch()
    assert _found(tmp_path) == {"file name, hex"}


def test_trace_across_the_border_of_two_chunks_is_found(tmp_path: Path) -> None:
    for border in (8 * 2**20 - 8, 8 * 2**20 - 16, 8 * 2**20 - 40):
        (tmp_path / "big").write_bytes(bytes(border) + CUT.hex().encode() + CUT + bytes(100))
        assert _found(tmp_path) == {"raw", "hex"}


def test_clean_files_of_every_kind_are_clean(tmp_path: Path) -> None:
    other = np.random.default_rng(1)
    (tmp_path / "noise").write_bytes(other.bytes(3_000_000))
    (tmp_path / "empty").touch()
    (tmp_path / "zero").write_bytes(bytes(100_000))
    (tmp_path / "ramp").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "gate.log").write_bytes((_LOG + b"admitted in 12.5 ms [1, 2, 3] 0.5 0.25 0.125\n") * 2000)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b64").write_bytes(base64.b64encode(other.bytes(300_000)))
    (tmp_path / "sub" / "list.json").write_text(json.dumps(other.normal(size=5000).tolist()))
    verdict = search_traces([tmp_path], SECRETS)
    assert verdict.traces == ()
    assert verdict.clean
    assert (verdict.files, verdict.bytes) == (7, sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()))


def test_flat_areas_and_ramps_of_a_picture_raise_no_alarm(tmp_path: Path) -> None:
    picture = np.full((100, 100, 3), 255, np.uint8)
    picture[50:] = (np.arange(300) % 256).astype(np.uint8).reshape(100, 3)
    picture[:3, :3] = FRAME[:3, :3]
    (tmp_path / "white").write_bytes(b"\xff" * 1000 + bytes(range(256)))
    assert search_traces([tmp_path], [Secret("picture", picture)]).clean


def test_run_at_the_edge_of_a_flat_area_is_found(tmp_path: Path) -> None:
    for place in range(5, 40):
        row = np.zeros(64, np.uint8)
        row[place : place + 6] = (9, 200, 31, 77, 150, 4)
        for start in range(max(0, place - 10), place + 1):
            (tmp_path / "dump").write_bytes(b"\xaa" * 3 + row.tobytes()[start : start + 16] + b"\xbb" * 9)
            assert not search_traces([tmp_path], [Secret("row", row)]).clean, (place, start)


def test_what_pads_the_searched_bytes_is_no_part_of_a_run() -> None:
    source = bytes(53) + b"\x01\x02\x03\x05\x04"
    index = WindowIndex([Form("source", source)])
    assert [hit.offset for hit in index.find(source[-16:])] == [0]
    assert list(index.find(source[-15:] + b"\xff")) == []


@given(st.binary(min_size=40, max_size=300), st.data())
def test_index_finds_what_a_plain_search_finds(source: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source) - RUN_BYTES))
    run = source[start : start + RUN_BYTES]
    steps = {(after - before) % 256 for before, after in pairwise(run)}
    prefix = data.draw(st.binary(max_size=20))
    found = list(WindowIndex([Form("source", source)]).find(prefix + run))
    if len(set(run)) >= 6 and len(steps) >= 4:
        assert found
    assert all(0 <= hit.offset <= len(prefix) for hit in found)


def test_search_without_a_folder_has_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(CanaryError, match="does not exist"):
        search_traces([tmp_path / "typo"], SECRETS)


@pytest.mark.parametrize("secrets", [[], [Secret("short", b"15 bytes, no mo")], [Secret("flat", bytes(1000))]])
def test_search_for_nothing_has_no_verdict(tmp_path: Path, secrets: list[Secret]) -> None:
    with pytest.raises(CanaryError, match="no secret"):
        search_traces([tmp_path], secrets)


def test_search_of_no_file_is_not_clean(tmp_path: Path) -> None:
    assert not search_traces([tmp_path], SECRETS).clean


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "outside").write_bytes(CUT)
    (tmp_path / "here" / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(tmp_path / "here" / "pipe")
    assert search_traces([tmp_path / "here"], SECRETS).files == 0


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_frame_saved_as_a_lossless_picture_is_found(tmp_path: Path, suffix: str) -> None:
    """PNG filters its rows before it packs them, so the bytes of the file do not show the pixels."""
    frame = np.random.default_rng(5).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    frame = cv2.GaussianBlur(frame, (0, 0), 1).astype(np.uint8)
    cv2.imwrite(str(tmp_path / f"crash{suffix}"), frame, [cv2.IMWRITE_WEBP_QUALITY, 101])
    (trace, *_) = search_traces([tmp_path], [Secret("frame", frame)]).traces
    assert trace.file.name == f"crash{suffix}"
