"""Settings that fuzzing found (docs/fuzzing.md): each once ended in another way than by a refusal."""

from pathlib import Path

import pytest

from openstile.assembly.settings import load_settings
from openstile.terms import BadInputError


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 20_000, "a = " + "{a = " * 9000, "[policy]\nlook_ms_max = " + "9" * 5000],
    ids=["deep lists", "deep tables", "a number of 5,000 digits"],
)
def test_settings_that_python_itself_gives_up_on_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadInputError, match=r"settings\.toml"):
        load_settings(path)
