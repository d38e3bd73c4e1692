"""Seeds of files: whole ones, and others with one thing wrong."""

import io
import json
import math
import struct
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import count
from math import frexp
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuzz.workshop import AUDIENCE, FACE, GATE_PRIVATE, HOLDER, ISSUER, KEYS_END, NOW, SALT, steady
from openstile.assembly.settings_text import DEFAULT_SETTINGS
from openstile.face import packs
from openstile.journal import Direction, GateKey, Journal, Tap
from openstile.journal.taps import Head
from openstile.passes.keyfile import StoredKey, encode_key
from openstile.passes.keys import SoftwareSigner, gate_group_key_of
from openstile.passes.live import WalletPass
from openstile.passes.wallet import encode_holder, encode_holder_public, encode_wallet
from openstile.terms import GateId, PassId

MEMBER_NAME = "package/weights.onnx"
MEMBER = b"weights of nothing " * 8
MEMBER_SHA256 = sha256(MEMBER).hexdigest()
JOURNAL_GATE = GateId("north-1")
_DAY = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
_YEAR_ZERO = (1980, 1, 1, 0, 0, 0)


def key_files() -> tuple[bytes, ...]:
    """An issuer's and a gate group's, with and without the private half, and some that are refused."""
    signer = ISSUER.signer
    assert isinstance(signer, SoftwareSigner)
    group = gate_group_key_of(GATE_PRIVATE, audience=AUDIENCE, not_after=KEYS_END)
    later = NOW + timedelta(days=9)
    keys = (
        StoredKey(ISSUER.public, generation=1, created=NOW, active_from=NOW, private=signer.private),
        StoredKey(group.public, generation=3, created=NOW, active_from=later, private=GATE_PRIVATE, retired_at=later),
        StoredKey(ISSUER.public, generation=1, created=NOW, active_from=NOW, private=None, revoked=True),
    )
    files = tuple(encode_key(key, with_private=private) for key in keys for private in (True, False))
    swapped = files[0].replace(b'"issuer"', b'"gate-group"')
    return (*files, swapped, files[0].replace(b"PRIVATE", b"PUBLIC"), b"{}", b"[" * 99, b'{"a":1e999}', b"\xff{")


def holder_files() -> tuple[bytes, ...]:
    """A holder's key with and without its private half, with another's, and what is none."""
    whole, public = encode_holder(HOLDER), encode_holder_public(HOLDER.public)
    return (whole, public, whole.replace(b"PRIVATE", b"PUBLIC"), public.replace(b'"04', b'"05'), b"[]", b"\xff")


def wallets() -> tuple[bytes, ...]:
    """A pass on a phone, and files that are none."""
    group = gate_group_key_of(GATE_PRIVATE, audience=AUDIENCE, not_after=KEYS_END).public
    whole = encode_wallet(WalletPass(b"token", SALT, FACE, group))
    return (whole, whole.replace(b"metro/north", b"metro"), whole.replace(b"=", b""), whole[:-9], b"{}", b"\xff")


def told() -> tuple[bytes, ...]:
    """Settings that a gate is told, a line each, and products, a line without an equals sign each."""
    lines = (
        "policy.passback_s=300\nquality.noise_max=0.05",
        "Annual\nPhone!\npolicy.look_ms_max=1000",
        'policy.products=["Annual", "Weekly"]',
        "policy.products=[",
        "policy.look_ms_max=9e99",
        "zone.width_min=0.2",
        "policy.zone=1",
        "gate.id=x",
        "",
    )
    return tuple(line.encode() for line in lines)


def pass_ids() -> tuple[bytes, ...]:
    """Ids of passes, a line each, with remarks; and lines that are none."""
    whole = bytes(range(16)).hex().encode()
    return (
        whole,
        b"# lost\r\n" + whole + b" # on Monday\n\n" + whole.upper(),
        whole[:8],
        whole + b"0",
        b"./card.png",
        b"",
    )


def gate_key_files() -> tuple[bytes, ...]:
    """PEM of an Ed25519 key, of one for another curve, and what is no key."""
    pem, pkcs8, bare = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    keys = (Ed25519PrivateKey.from_private_bytes(steady("gate key")(32)), GATE_PRIVATE)
    locked = keys[0].private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"x"))
    return (*(key.private_bytes(pem, pkcs8, bare) for key in keys), locked, b"", b"-----BEGIN PRIVATE KEY-----\n")


def settings() -> tuple[bytes, ...]:
    """The default settings, shorter ones, and wrong ones."""
    short = (
        '[gate]\nid = "east-1"\ndirection = "out"\n',
        '[policy]\nproducts = ["A", "B"]\ndistance_max = 0.4\n[zone]\n[quality]\nsharpness_min = 0.5\n',
        '[issuer]\nstatus_list_uri = "https://a.example/1"\nstatus_list_size = 4096\n',
        "[policy]\nlook_ms_max = 1e9\n",
        "[policy]\nlook_ms_max = nan\n",
        "[quality]\nnoise_max = inf\n",
        "gate = 5\n",
        "[gate]\nid = 2026-01-01T00:00:00Z\n",
        "[policy]\nlook_ms_max = 0x7fffffffffffffffffffff\n",
        f"a = {'[' * 50}{']' * 50}\n",
    )
    return (DEFAULT_SETTINGS.encode(), *(text.encode() for text in short), b"\xff", b"")


def manifests() -> tuple[bytes, ...]:
    """The manifest of the default pack, one without sources, and wrong ones."""
    whole = (Path(packs.__file__).parent / "centerface_dual.toml").read_bytes()
    own = whole[: whole.index(b"[[weights]]")] if b"[[weights]]" in whole else whole
    wrong = (own.replace(b"distance_max", b"distance_mux"), own.replace(b'"rgb"', b'"grb"'), b"[pack]\n", b"pack = 1\n")
    return (whole, own, *wrong, b"a=" + b"[" * 50, b"\xff")


def zip_archives() -> tuple[bytes, ...]:
    """Wheels: stored and deflated, the member twice, another member, a link, a damaged one."""
    made = [
        _zip({MEMBER_NAME: MEMBER}, zipfile.ZIP_STORED),
        _zip({"a/b": b"x", MEMBER_NAME: MEMBER}, zipfile.ZIP_DEFLATED),
        _zip({MEMBER_NAME: MEMBER}, zipfile.ZIP_BZIP2),
        _zip({MEMBER_NAME: MEMBER}, zipfile.ZIP_LZMA),
        _zip({MEMBER_NAME: MEMBER[:-1]}, zipfile.ZIP_STORED),
        _zip({"other": MEMBER}, zipfile.ZIP_STORED),
    ]
    return (*made, made[0].replace(b"weights of", b"weights or"), made[1][:-30], b"PK\x05\x06" + bytes(18), b"")


def tar_archives() -> tuple[bytes, ...]:
    """Gzipped sdists: in each format of tar, with links, devices, long names and sparse files."""
    kinds = (
        tarfile.REGTYPE,
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.DIRTYPE,
        tarfile.GNUTYPE_SPARSE,
    )
    formats = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    made = [_tar(MEMBER_NAME, form=form) for form in formats]
    made += [_tar(MEMBER_NAME, kind=kind) for kind in kinds[1:]]
    made += [_tar("long" * 60, form=form) for form in formats[1:]]
    return (*made, _tar("other"), made[0][:-600], b"", bytes(512))


def _zip(members: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, data in members.items():
            opened.writestr(zipfile.ZipInfo(name, _YEAR_ZERO), data, method)
    return buffer.getvalue()


def _tar(name: str, *, kind: bytes = tarfile.REGTYPE, form: int = tarfile.USTAR_FORMAT) -> bytes:
    """The plain tar. The target compresses it, so that what the fuzzer changes is not hidden under a checksum."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=form) as opened:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "elsewhere" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
        info.size = len(MEMBER) if kind == tarfile.REGTYPE else 0
        if form == tarfile.PAX_FORMAT:
            info.pax_headers = {"comment": "x", "mtime": "1.5"}
        opened.addfile(info, io.BytesIO(MEMBER))
        opened.addfile(tarfile.TarInfo("last"), io.BytesIO())
    return buffer.getvalue()[:4096]


@dataclass(frozen=True, slots=True)
class MadeJournal:
    """A journal as bytes, and every head that its gate signed."""

    data: bytes
    heads: tuple[Head, ...]


@cache
def journal_key() -> GateKey:
    """The key of the one gate."""
    return GateKey(Ed25519PrivateKey.from_private_bytes(steady("journal")(32)))


@cache
def journals() -> tuple[MadeJournal, ...]:
    """An empty journal, one with taps, and one of which some have faded."""
    with tempfile.TemporaryDirectory() as folder:
        return tuple(
            _journal(Path(folder) / f"{taps}-{faded}" / "journal.db", taps, faded)
            for taps, faded in ((0, 0), (3, 0), (4, 2))
        )


def open_journal(path: Path, seed: str) -> Journal:
    """A journal of the fixed gate, whose randomness and monotonic clock are the same in every run."""
    ticks = count(0, 1000)
    return Journal.open(
        path, key=journal_key(), gate=JOURNAL_GATE, random=steady(seed), monotonic_ns=lambda: next(ticks)
    )


def _journal(path: Path, taps: int, faded: int) -> MadeJournal:
    with open_journal(path, f"journal {taps} {faded}") as journal:
        heads = [journal.head()]
        for number in range(1, taps + 1):
            at = _DAY + timedelta(minutes=number)
            journal.append(Tap(PassId(bytes([number]) * 16), at, JOURNAL_GATE, "Annual", Direction.IN))
            heads.append(journal.head())
        journal.count_refusal("no_face", at=_DAY)
        if faded:
            journal.fade(_DAY + timedelta(minutes=faded, seconds=1))
    return MadeJournal(path.read_bytes(), tuple(heads))


def dlib_networks() -> tuple[bytes, ...]:
    """A network of each kind of layer, small; with a layer of another name; cut; with impossible sizes."""
    whole = _dlib_network()
    return (whole, whole.replace(b"relu_", b"rely_"), whole[:-9], whole + b"\0", whole[:40], b"")


def graph_models() -> tuple[bytes, ...]:
    """A graph of one operation and two weights, NUL, its weights file; without a part, cut, of another kind."""
    node = {"name": "add", "op": "Add", "input": ["picture", "add/w"], "attr": {"T": {"type": "DT_FLOAT"}}}
    weights = [{"name": "add/w", "shape": [2, 1], "dtype": "float32"}, {"name": "n", "shape": [], "dtype": "int32"}]
    graph = {"format": "graph-model", "modelTopology": {"node": [node]}, "weightsManifest": [{"weights": weights}]}
    whole = json.dumps(graph).encode() + b"\0" + struct.pack("<ffi", 0.5, -2.0, 3)
    nan = whole[:-12] + struct.pack("<ffi", math.nan, 0.0, 3)
    return (whole, nan, whole[:-1], whole.replace(b"float32", b"float16"), whole.replace(b"[2, 1]", b"[2, -1]"), b"")


STAGE_OUTPUTS = 2


def stages() -> tuple[bytes, ...]:
    """A mean of two numbers and a matrix of two rows; with a number that is none; cut; empty."""
    whole = struct.pack("<6f", 0.5, -0.5, 1.0, 0.0, 0.0, 2.0)
    return (whole, whole[:-4] + struct.pack("<f", math.inf), whole[:-1], b"")


def _dlib_network() -> bytes:
    layers = [
        _convolution(filters=2, channels=3),
        _affine(channels=2),
        _text("relu_"),
        _pool("max_pool_2", 3, 2),
        _text("add_prev_"),
        _pool("avg_pool_2", 0, 1),
        _text("fc_2") + _integers(4, 2) + _tensor(2, 4, 1, 1) + _integers(1, 2, 4, 1, 1) * 2 + _integers(1) + _RATES,
    ]
    data = _integers(1) + _text("loss_metric_2") + _real(0.04) + _real(0.6) + _integers(2, 2, 2, 1, 2, 2, 2, 3)
    data += _text("input_rgb_image_sized") + _real(122.5) + _real(117.0) + _real(104.25) + _integers(18, 18)
    trailer = b"110" + _integers(2, 0, 0, 0, 0) * 3
    return data + b"".join(layer + trailer + (_integers(1) if at == 0 else b"") for at, layer in enumerate(layers))


def _integers(*values: int) -> bytes:
    encoded = b""
    for value in values:
        size = max(1, (abs(value).bit_length() + 7) // 8)
        encoded += bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")
    return encoded


def _real(value: float) -> bytes:
    mantissa, exponent = frexp(value)
    return _integers(int(mantissa * 2**24), exponent - 24)


_RATES = _real(1) * 3 + _real(0)


def _text(value: str) -> bytes:
    return _integers(len(value)) + value.encode()


def _tensor(*shape: int) -> bytes:
    count = shape[0] * shape[1] * shape[2] * shape[3]
    return _integers(2, *shape) + struct.pack(f"<{count}f", *(number / 8 for number in range(count)))


def _convolution(*, filters: int, channels: int) -> bytes:
    count = filters * channels * 9 + filters
    data = _text("con_4") + _tensor(count, 1, 1, 1) + _integers(filters, 3, 3, 1, 1, 1, 1)
    return data + _integers(1, filters, channels, 3, 3) + _integers(1, 1, filters, 1, 1) + _RATES


def _affine(*, channels: int) -> bytes:
    return _text("affine_") + _tensor(2 * channels, 1, 1, 1) + _integers(1, 1, channels, 1, 1) * 2 + _integers(0)


def _pool(name: str, window: int, stride: int) -> bytes:
    return _text(name) + _integers(window, window, stride, stride, 0, 0)
