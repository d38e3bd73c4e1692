"""A folder of keys, empty or with an issuer's and a gate group's first ones."""

from pathlib import Path

import pytest
from tests.passes.key_workshop import GROUP
from tests.passes.pass_workshop import NOW

from openstile.passes.keyfile import Role
from openstile.passes.keystore import KeyStore


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "home" / "keys")


@pytest.fixture
def filled(store: KeyStore) -> KeyStore:
    store.create(Role.ISSUER, "metro", now=NOW)
    store.create(Role.GATE_GROUP, GROUP, now=NOW)
    return store
