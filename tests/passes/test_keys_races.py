"""Two processes that change the same key: nothing that one of them withdrew comes back by the other."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openstile.passes import keystore
from openstile.passes.claims import Audience
from openstile.passes.hardware import HardwareKey, HardwareToken
from openstile.passes.keyfile import StoredKey, encode_key
from openstile.passes.keys import generate_gate_group_key
from openstile.passes.keystate import KeyState
from openstile.passes.keystore import KeyStore

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def test_key_revoked_while_its_private_half_goes_into_a_token_stays_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens are slow, and a running gate takes bundles by itself: a person may revoke the key meanwhile."""
    key = generate_gate_group_key(audience=Audience("metro", "main"), not_after=NOW + timedelta(days=99))
    store = KeyStore(tmp_path / "keys")
    public = StoredKey(key.public, 1, NOW, NOW, None)
    store.import_public(encode_key(public, with_private=False), what="key", now=NOW)
    token = HardwareToken(Path("/module.so"), "gate", Path("/pin"))

    def revoked_meanwhile(*_: object, **__: object) -> HardwareKey:
        KeyStore(tmp_path / "keys").revoke(key.public.kid.hex(), now=NOW)
        return HardwareKey(token, b"1")

    monkeypatch.setattr(keystore, "import_agreement_key", revoked_meanwhile)
    info = store.add_gate_group_private(key, now=NOW, hardware=token)
    assert (info.state, info.has_private) == (KeyState.REVOKED, True)
    assert store.gate_keyring().gate_group_keys == ()
