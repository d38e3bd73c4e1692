"""The networks' runtime reports to no one and leaves no id on disk."""

import os
import subprocess
import sys
from pathlib import Path

from openstile.face import FaceEngine
from openstile.face.packs.cache import models_folder

_LOAD = "from openstile.face.packs import load_pack; load_pack()"


def test_loading_a_pack_writes_no_id_of_device_or_session(engine: FaceEngine, tmp_path: Path) -> None:
    for folder in ("home", "cache", "temp"):
        (tmp_path / folder).mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    environment |= {
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path / "temp"),
        "OPENSTILE_CACHE": str(models_folder(None).parent),
    }
    subprocess.run([sys.executable, "-c", _LOAD], env=environment, check=True, timeout=120)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
