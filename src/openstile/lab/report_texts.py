"""The words of reports, in every language they are written in."""

from collections.abc import Mapping

from openstile.lab.report_numbers import Language
from openstile.lab.report_texts_de import TEXTS_DE
from openstile.lab.report_texts_en import TEXTS_EN

TEXTS: Mapping[Language, Mapping[str, str]] = {Language.EN: TEXTS_EN, Language.DE: TEXTS_DE}
