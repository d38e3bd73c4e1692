"""Passes whose token, claims, reference or times break a rule, each under a valid seal."""

from collections.abc import Iterator

from tests.vectors.pass_case import (
    AUD,
    CNF,
    COSE_KEY,
    CTI,
    EXP,
    EXP_CLAIM,
    FROM,
    ISS,
    NBF,
    NBF_CLAIM,
    PACK,
    PASS,
    PIN_DATA,
    REFERENCE,
    SALT,
    STATUS,
    TEMPLATE,
    UNTIL,
    VERSION,
    ZONES,
    Case,
    Changes,
    claims,
    commitment,
    of_claims,
    of_token,
)
from tests.vectors.raw_cbor import Raw, Value, write
from tests.vectors.vector_keys import (
    CLOCK,
    DAY,
    ED25519_ORDER,
    FERRIES,
    HOLDER,
    METRO,
    METRO_ENDING,
    METRO_ES256,
    METRO_REVOKED,
    NORTH_ENDING,
    P256_ORDER,
    SHORT_KEYS_END,
    UNKNOWN_ISSUER,
    drawn,
    token,
)

UNREADABLE, FORGED = "pass_unreadable", "pass_forged"
PAYLOAD = write(claims())
TOKEN = token(PAYLOAD)


def invalid_claims() -> Iterator[Case]:
    yield from _tokens()
    yield from _signers()
    yield from _versions()
    yield from _public_claims()
    yield from _pass_claims()
    yield from _references()
    yield from _times()


def _tokens() -> Iterator[Case]:
    kid = METRO.kid
    for name, signed in (
        ("no tag", TOKEN[1:]),
        ("tag of COSE_Encrypt0", b"\xd0" + TOKEN[1:]),
        ("tagged as CWT too", b"\xd8\x3d" + TOKEN),
        ("without a key id", token(PAYLOAD, protected={1: -8})),
        ("without an algorithm", token(PAYLOAD, protected={4: kid})),
        ("all headers unprotected", token(PAYLOAD, protected=Raw(b""), unprotected={1: -8, 4: kid})),
        ("a further unprotected header", token(PAYLOAD, unprotected={5: b""})),
        ("key id unprotected", token(PAYLOAD, protected={1: -8}, unprotected={4: kid})),
        ("crit, naming what is unknown", token(PAYLOAD, protected={1: -8, 2: [-70000], 4: kid, -70000: 0})),
        ("a typ", token(PAYLOAD, protected={1: -8, 4: kid, 16: "application/cwt"})),
        ("a certificate chain", token(PAYLOAD, protected={1: -8, 4: kid, 33: b"0"})),
        ("an algorithm that is none of the two", token(PAYLOAD, protected={1: -35, 4: kid})),
        ("HMAC", token(PAYLOAD, protected={1: 5, 4: kid})),
        ("Ed25519 by its new number", token(PAYLOAD, protected={1: -19, 4: kid})),
        ("algorithm as text", token(PAYLOAD, protected={1: "EdDSA", 4: kid})),
        ("a key id of seven bytes", token(PAYLOAD, protected={1: -8, 4: kid[:7]})),
        ("a signature of 63 bytes", token(PAYLOAD, signature=bytes(63))),
        ("a signature of 65 bytes", token(PAYLOAD, signature=bytes(65))),
        ("an empty signature", token(PAYLOAD, signature=b"")),
        ("a payload that is nil", TOKEN.replace(write(PAYLOAD), b"\xf6")),
        ("a byte after the end", TOKEN + b"\x00"),
        ("empty", b""),
    ):
        yield Case(f"token: {name}", "Opening a pass, step 4", of_token(signed), UNREADABLE)


def _signers() -> Iterator[Case]:
    step = "Opening a pass, step 5"
    yield Case("signed by an unknown issuer", step, of_claims(claims(), key=UNKNOWN_ISSUER), "issuer_unknown")
    yield Case("signed by a revoked issuer", step, of_claims(claims(), key=METRO_REVOKED), "issuer_revoked")
    broken = of_token(token(PAYLOAD, key=METRO_REVOKED, signature=bytes(64)))
    yield Case(
        "a wrong signature of a revoked issuer", "Opening a pass: the first step that fails", broken, "issuer_revoked"
    )
    rule = f"{step}: alg is that of the key"
    for name, key, alg in (("EdDSA under ES256", METRO, -7), ("ES256 under EdDSA", METRO_ES256, -8)):
        yield Case(name, rule, of_token(token(PAYLOAD, key=key, protected={1: alg, 4: key.kid})), FORGED)
    verify = "Opening a pass, step 6"
    swapped = of_token(token(PAYLOAD, key=UNKNOWN_ISSUER, protected={1: -8, 4: METRO.kid}))
    yield Case("signed by another key under this key id", verify, swapped, FORGED)
    swapped = of_token(token(PAYLOAD, key=HOLDER, protected={1: -7, 4: METRO_ES256.kid}))
    yield Case("signed by a holder under an issuer's key id", verify, swapped, FORGED)
    other = claims({CTI: drawn("other pass id", 16)})
    moved = of_token(TOKEN.replace(write(claims()), write(other)))
    yield Case("claims changed after signing", verify, moved, FORGED)
    yield Case("claims unreadable and not signed", f"{verify}: no claim is looked at before", _unsigned(), FORGED)
    signature = METRO.sign(write(["Signature1", write({1: -8, 4: METRO.kid}), b"", PAYLOAD]))
    scalar = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    for name, key, value in (
        ("Ed25519: S not reduced", METRO, signature[:32] + scalar.to_bytes(32, "little")),
        ("Ed25519: zeros", METRO, bytes(64)),
        ("Ed25519: the neutral point and S of zero", METRO, b"\x01" + bytes(63)),
        ("ES256: zeros", METRO_ES256, bytes(64)),
        ("ES256: r is the order", METRO_ES256, P256_ORDER.to_bytes(32, "big") + bytes(31) + b"\x01"),
    ):
        yield Case(name, verify, of_token(token(PAYLOAD, key=key, signature=value)), FORGED)
    structure = write(["Signature", write({1: -8, 4: METRO.kid}), b"", PAYLOAD])
    yield Case("another context string", "Token: Signature1", _signed(METRO.sign(structure)), FORGED)
    structure = write(["Signature1", write({1: -8, 4: METRO.kid}), b"OS1:", PAYLOAD])
    yield Case("an external_aad in the token", "Token: h''", _signed(METRO.sign(structure)), FORGED)


def _signed(signature: bytes) -> str:
    return of_token(token(PAYLOAD, signature=signature))


def _unsigned() -> str:
    return of_token(token(b"\xff", signature=bytes(64)))


def _versions() -> Iterator[Case]:
    rule = "Opening a pass, step 7: that integer is 1"
    for version in (0, 2, 2**63, -1, -(2**64)):
        yield Case(f"entry 1 is {version}", rule, of_claims(claims(inner={VERSION: version})), "pass_version_unknown")
    unknown = claims({99: 0}, {VERSION: 2, 9: "new", REFERENCE: None})
    yield Case("version 2 with other claims", rule, of_claims(unknown), "pass_version_unknown")
    others: dict[str, Value | None] = {"missing": None, "text": "1", "an array": [1]}
    for name, value in others.items():
        rule = "Opening a pass, step 7: entry 1 is an integer"
        yield Case(f"version {name}", rule, of_claims(claims(inner={VERSION: value})), UNREADABLE)


def _changed(name: str, rule: str, outer: Changes | None = None, inner: Changes | None = None) -> Case:
    return Case(name, f"Claims: {rule}", of_claims(claims(outer, inner)), UNREADABLE)


def _public_claims() -> Iterator[Case]:
    yield Case("claims that are an array", "Claims", of_claims([1, 2]), UNREADABLE)
    named = {"iss": ISS, "aud": AUD, "exp": EXP_CLAIM, "nbf": NBF_CLAIM, "cti": CTI, "pass claim": PASS}
    for name, number in named.items():
        yield _changed(f"without {name}", "all claims without ? are mandatory", {number: None})
    for name, unknown in (("sub", {2: "rider"}), ("iat", {6: CLOCK}), ("scope", {9: "x"}), ("private", {-65538: 0})):
        yield _changed(f"with {name}", "unknown claims are refused", unknown)
    yield _changed("pass claim that is text", "-65537", {PASS: "1"})
    for name in ("Metro", "metro_1", "-metro", "metro-", "", "m" * 41, "métro", "metro\n"):
        yield _changed(f"issuer {name!r}", "name", {ISS: name})
    yield _changed("issuer as bytes", "name", {ISS: b"metro"})
    for audience in ("metro", "metro/", "/north", "metro/north/1", "metro/North", "metro//north"):
        yield _changed(f"audience {audience!r}", "name / name", {AUD: audience})
    yield _changed("audience as an array", "aud is one text", {AUD: ["metro/north"]})
    yield _changed("pass id of 15 bytes", "cti has 16 bytes", {CTI: bytes(15)})
    yield _changed("pass id of 17 bytes", "cti has 16 bytes", {CTI: bytes(17)})
    yield _changed("pass id as text", "cti has 16 bytes", {CTI: "0123456789abcdef"})
    for claim, value in (("text", "2027"), ("negative", -1), ("above 2^33", 2**33 + 1), ("2^64 - 1", 2**64 - 1)):
        yield _changed(f"exp that is {claim}", "time", {EXP_CLAIM: value})
    yield _changed("nbf that is negative", "time", {NBF_CLAIM: -1})
    yield _changed("exp that is nbf", "nbf < exp", {EXP_CLAIM: NBF})
    yield _changed("exp before nbf", "nbf < exp", {EXP_CLAIM: NBF - 1})
    yield _changed("1,098 days and a second", "at most 1,098 days", {EXP_CLAIM: NBF + 1098 * DAY + 1})
    yield from _status()
    yield from _holders()


def _status() -> Iterator[Case]:
    uri = "https://metro.example/status/1"
    values: dict[str, Value] = {
        "empty": {},
        "text": uri,
        "without an index": {"status_list": {"uri": uri}},
        "without an address": {"status_list": {"idx": 0}},
        "a further entry": {"status_list": {"idx": 0, "uri": uri, "x": 0}},
        "a further mechanism": {"status_list": {"idx": 0, "uri": uri}, "identifier_list": {"id": b"", "uri": uri}},
        "a negative index": {"status_list": {"idx": -1, "uri": uri}},
        "an index of 2^32": {"status_list": {"idx": 2**32, "uri": uri}},
        "an index of text": {"status_list": {"idx": "0", "uri": uri}},
        "an address over http": {"status_list": {"idx": 0, "uri": uri.replace("https", "http")}},
        "an address in capitals": {"status_list": {"idx": 0, "uri": uri.replace("https", "HTTPS")}},
        "nothing after https://": {"status_list": {"idx": 0, "uri": "https://"}},
        "an address with a blank": {"status_list": {"idx": 0, "uri": uri + " "}},
        "an address with a newline at its end": {"status_list": {"idx": 0, "uri": uri + "\n"}},
        "an address beyond ASCII": {"status_list": {"idx": 0, "uri": uri + "é"}},
        "an address of 201 characters": {"status_list": {"idx": 0, "uri": uri + "x" * (201 - len(uri))}},
    }
    for name, value in values.items():
        yield _changed(f"status: {name}", "status", {STATUS: value})


def _holders() -> Iterator[Case]:
    x, y = HOLDER.point[1:33], HOLDER.point[33:]
    values: dict[str, Value] = {
        "empty": {},
        "a key id instead": {3: HOLDER.kid},
        "a key and a key id": {1: COSE_KEY, 3: HOLDER.kid},
        "without y": {1: {1: 2, -1: 1, -2: x}},
        "kty OKP": {1: {**COSE_KEY, 1: 1}},
        "crv P-384": {1: {**COSE_KEY, -1: 2}},
        "an Ed25519 key": {1: {1: 1, -1: 6, -2: METRO.public.public}},
        "an alg in the key": {1: {**COSE_KEY, 3: -7}},
        "the private key too": {1: {**COSE_KEY, -4: bytes(32)}},
        "x of 31 bytes and y of 33": {1: {**COSE_KEY, -2: x[:31], -3: x[31:] + y}},
        "y as a sign": {1: {**COSE_KEY, -3: Raw(b"\xf5")}},
        "off the curve": {1: {**COSE_KEY, -3: y[:31] + bytes([y[31] ^ 1])}},
        "zeros": {1: {**COSE_KEY, -2: bytes(32), -3: bytes(32)}},
    }
    for name, value in values.items():
        yield _changed(f"cnf: {name}", "the holder's key", {CNF: value})


def _pass_claims() -> Iterator[Case]:
    for name, entry in (("product", 2), ("assurance", 7), ("reference", 8)):
        yield _changed(f"without {name}", "all claims without ? are mandatory", None, {entry: None})
    yield _changed("with entry 9", "unknown entries are refused", None, {9: 0})
    texts = {
        "empty": "",
        "a blank in front": " Annual",
        "a blank at the end": "Annual ",
        "a newline at the end": "Annual\n",
        "a tab (Cc)": "An\tnual",
        "a C1 control (Cc)": "An\u0085nual",
        "a zero width joiner (Cf)": "An\u200dnual",
        "a byte order mark in front (Cf)": "\ufeffAnnual",
        "a soft hyphen (Cf)": "An\u00adnual",
        "right-to-left override (Cf)": "An\u202enual",
        "a private use character (Co)": "An\ue000nual",
        "a noncharacter (Cn)": "An\uffffnual",
        "a line separator (Zl)": "An\u2028nual",
        "a paragraph separator (Zp)": "An\u2029nual",
        "a no-break space (Zs)": "An\u00a0nual",
        "an ideographic space (Zs)": "An\u3000nual",
        "form D": "Anne\u0301e",
        "a character that form C replaces": "\u212b",
        "49 characters": "x" * 49,
    }
    for name, value in texts.items():
        yield _changed(f"product: {name}", "printable text in form C, 1 to 48 characters", None, {2: value})
    yield _changed("product as bytes", "product is text", None, {2: b"Annual"})
    yield _changed("rider category in capitals", "name", None, {3: "Student"})
    yield _changed("rider category of 41 characters", "name", None, {3: "s" * 41})
    zones: dict[str, Value] = {
        "empty": [],
        "17": [str(number) for number in range(17)],
        "one twice": ["1", "2", "1"],
        "a number": [1],
        "an empty one": [""],
        "41 characters": ["z" * 41],
        "a blank at the end": ["1 "],
        "text": "1",
    }
    for name, listed in zones.items():
        yield _changed(f"zones: {name}", "zones", None, {ZONES: listed})
    for assurance in (2, -1, "1"):
        yield _changed(f"assurance {assurance!r}", "assurance is 0 or 1", None, {7: assurance})
    times: dict[str, Changes] = {
        "from before nbf": {FROM: NBF - 1},
        "from at exp": {FROM: EXP},
        "until after exp": {UNTIL: EXP + 1},
        "until at nbf": {UNTIL: NBF},
        "until at from": {FROM: CLOCK, UNTIL: CLOCK},
        "until before from": {FROM: CLOCK, UNTIL: CLOCK - 1},
        "from as text": {FROM: "now"},
        "until negative": {UNTIL: -1},
    }
    for name, changes in times.items():
        yield _changed(f"product's times: {name}", "the product's own times lie within them", None, changes)


def _references() -> Iterator[Case]:
    hashed = commitment()
    values: dict[str, Value] = {
        "empty": [],
        "a face without a pack": [1, hashed],
        "a PIN with a pack": [2, commitment(PIN_DATA), PACK],
        "kind 0": [0, hashed],
        "kind 3": [3, hashed, PACK],
        "kind as text": ["face", hashed, PACK],
        "a commitment of 31 bytes": [1, hashed[:31], PACK],
        "a commitment of 33 bytes": [1, hashed + b"\x00", PACK],
        "four entries": [1, hashed, PACK, 0],
        "an empty pack": [1, hashed, ""],
        "a pack of 25 characters": [1, hashed, "p" * 25],
        "a pack that begins with a dot": [1, hashed, ".pack"],
        "a pack with a slash": [1, hashed, "a/b"],
        "a pack with a newline at its end": [1, hashed, "pack\n"],
        "a map": {1: 1},
    }
    for name, value in values.items():
        yield _changed(f"reference: {name}", "reference", None, {REFERENCE: value})
    step = "Opening a pass, step 9"
    yield Case("another reference than was signed", step, of_token(TOKEN, data=drawn("face", 128)), FORGED)
    yield Case("another salt than was signed", step, of_token(TOKEN, salt=drawn("other", 16)), FORGED)
    shifted = (SALT + TEMPLATE)[1:]
    moved = of_token(TOKEN, salt=shifted[:16], data=shifted[16:])
    yield Case("a reference that is shifted", step, moved, FORGED)
    for length in (31, 33, 128):
        short = claims(inner={REFERENCE: [2, commitment(bytes(length))]})
        rule = f"{step}: the data has the length of its kind"
        yield Case(f"PIN reference of {length} bytes", rule, of_claims(short, data=bytes(length)), UNREADABLE)


def _times() -> Iterator[Case]:
    step = "Opening a pass, step 8"
    named = of_claims(claims({ISS: "metro"}), key=FERRIES)
    yield Case("signed by another issuer than it names", f"{step}: iss is the name of the key", named, FORGED)
    late = claims({EXP_CLAIM: SHORT_KEYS_END + 1})
    rule = f"{step}: exp is no later than the last moment of either key"
    yield Case("outlasts the issuer's key", rule, of_claims(late, key=METRO_ENDING), FORGED)
    yield Case("outlasts the gate group's key", rule, of_claims(late, group=NORTH_ENDING), FORGED)
    step, others = "Opening a pass, step 11", "pass_for_other_gates"
    yield Case("addressed to another group", step, of_claims(claims({AUD: "metro/south"})), others)
    yield Case("addressed to another operator", step, of_claims(claims({AUD: "ferries/north"})), others)
    over = claims({AUD: "metro/south", NBF_CLAIM: CLOCK - 2 * DAY, EXP_CLAIM: CLOCK - DAY})
    yield Case("expired, and for others", "Opening a pass: the first step that fails", of_claims(over), others)
    step, text_ = "Opening a pass, step 12", of_claims(claims())
    soon, over_ = "pass_not_yet_valid", "pass_expired"
    yield Case("a second before nbf", step, text_, soon, clock=NBF - 1)
    yield Case("at exp", step, text_, over_, clock=EXP)
    yield Case("a second before nbf less the skew", step, text_, soon, clock=NBF - 301, clock_skew_s=300)
    yield Case("at exp plus the skew", step, text_, over_, clock=EXP + 300, clock_skew_s=300)
    product = of_claims(claims(inner={FROM: CLOCK + 1, UNTIL: CLOCK + 2}))
    yield Case("a second before the product begins", step, product, soon)
    yield Case("at the end of the product", step, product, over_, clock=CLOCK + 2)
