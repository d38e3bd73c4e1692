"""Keys in hardware: the same passes opened with the gate-group key in memory and in a token of SoftHSM2, in turn."""

import os
import secrets
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches, milliseconds
from bench.workshop import Workshop
from openstile.passes import GateKeyring, OpenedPass, issue_pass, open_pass
from openstile.passes.claims import Assurance, Audience, Entitlement
from openstile.passes.hardware import (
    HardwareError,
    HardwareKeyAgreement,
    HardwareSigner,
    HardwareToken,
    generate_hardware_agreement_key,
    generate_hardware_signing_key,
)
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import (
    GateGroupKey,
    GateGroupPublicKey,
    IssuerKey,
    IssuerPublicKey,
    generate_gate_group_key,
    generate_issuer_key,
)
from openstile.passes.reference import Reference, ReferenceKind
from openstile.passes.signing import Algorithm

NAME = "hardware"
TITLE = "Keys in hardware: opening and signing with SoftHSM2"
FILE_MS_MAX, HARDWARE_MS_MAX = 1.0, 2.0
_AUDIENCE = Audience("metro", "gates")
_MODULES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib64/pkcs11/libsofthsm2.so"))
_PIN = "bench-98765432"
_IN_FILE, _IN_TOKEN = "key from a file", "key in SoftHSM2"


def measure(workshop: Workshop) -> Section:
    """Skipped where SoftHSM2 or python-pkcs11 is absent.

    Each round issues four fresh passes (by two algorithms, signed and sealed with keys of files and of the token) and
    opens them in turn.
    """
    module = next((path for path in _MODULES if path.is_file()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        return Section(NAME, TITLE, skipped="SoftHSM2 is absent; run: apt install softhsm2")
    not_after = datetime.now(UTC) + timedelta(days=800)
    try:
        token = _make_token(workshop.work, module)
        groups = {
            _IN_FILE: generate_gate_group_key(audience=_AUDIENCE, not_after=not_after),
            _IN_TOKEN: _group_in(token, not_after),
        }
        issuers = {(where, a): _issuer(where, a, token, not_after) for where in groups for a in Algorithm}
    except HardwareError as error:
        return Section(NAME, TITLE, skipped=str(error))
    watches, rounds = Stopwatches(), 60 if workshop.quick else 500
    ring = GateKeyring(
        gate_group_keys=tuple(groups.values()), issuers=tuple(TrustedIssuer(key.public) for key in issuers.values())
    )
    with workshop.progress(NAME, rounds) as step:
        for _ in range(rounds):
            _round(watches, groups, issuers, ring)
            step()
    return _section(watches)


def _round(
    watches: Stopwatches,
    groups: dict[str, GateGroupKey],
    issuers: dict[tuple[str, Algorithm], IssuerKey],
    ring: GateKeyring,
) -> None:
    for algorithm in Algorithm:
        texts = {}
        for where, group in groups.items():
            issue = partial(_issue, issuers[where, algorithm], group)
            texts[where] = watches.run(f"issue, {algorithm.value}, {where}", issue)
        for where, text in texts.items():
            watches.run(f"open and verify, {algorithm.value}, {where}", partial(_opened, text, ring))


def _issue(issuer: IssuerKey, group: GateGroupKey) -> str:
    return issue_pass(
        issuer_key=issuer,
        gate_group_key=group.public,
        entitlement=Entitlement("season-ticket"),
        assurance=Assurance.SELF_ENROLLED,
        reference=Reference(ReferenceKind.FACE, "centerface-dlib-1", secrets.token_bytes(128)),
        now=datetime.now(UTC),
        valid_for=timedelta(days=365),
    ).text


def _opened(text: str, ring: GateKeyring) -> OpenedPass:
    return open_pass(presented=text, keyring=ring, audience=_AUDIENCE, now=datetime.now(UTC), clock_skew_s=60)


def _group_in(token: HardwareToken, not_after: datetime) -> GateGroupKey:
    key, point = generate_hardware_agreement_key(token)
    return GateGroupKey(GateGroupPublicKey(_AUDIENCE, point, not_after), HardwareKeyAgreement(key, point))


def _issuer(where: str, algorithm: Algorithm, token: HardwareToken, not_after: datetime) -> IssuerKey:
    if where == _IN_FILE:
        return generate_issuer_key(name="metro", algorithm=algorithm, not_after=not_after)
    key, public = generate_hardware_signing_key(token, algorithm=algorithm)
    return IssuerKey(IssuerPublicKey("metro", algorithm, public, not_after), HardwareSigner(key, algorithm))


def _make_token(work: Path, module: Path) -> HardwareToken:
    """SoftHSM2 finds its store by an environment variable, read when it is started in this process."""
    store, pin_file = work / "softhsm", work / "pin"
    store.mkdir()
    (work / "softhsm2.conf").write_text(f"directories.tokendir = {store}\nlog.level = ERROR\n")
    pin_file.touch(mode=0o600)
    pin_file.write_text(_PIN + "\n")
    os.environ["SOFTHSM2_CONF"] = str(work / "softhsm2.conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "12345678", "--pin", _PIN]
    subprocess.run(command, check=True, capture_output=True)
    return HardwareToken(module, "bench", pin_file)


def _section(watches: Stopwatches) -> Section:
    worst = {
        where: max(watches.times(f"open and verify, {algorithm.value}, {where}").median for algorithm in Algorithm)
        for where in (_IN_FILE, _IN_TOKEN)
    }
    return Section(
        NAME,
        TITLE,
        tables=(Table("One core, interleaved, a fresh pass each time", ("step", *TIMES_COLUMNS), watches.rows()),),
        targets=tuple(
            Target(
                f"QR text to opened and verified pass, {where}: median at most {limit:.0f} ms",
                f"{milliseconds(worst[where])} (the slower algorithm)",
                worst[where] <= limit,
            )
            for where, limit in ((_IN_FILE, FILE_MS_MAX), (_IN_TOKEN, HARDWARE_MS_MAX))
        ),
        notes=(
            "SoftHSM2 is software behind the interface of hardware: the figures say what that interface costs. A token "
            "of one's own decides how long its own arithmetic takes.",
            "Issuing signs in the token, opening agrees on the secret there; all else is the same.",
        ),
        figures=watches.figures(),
    )
