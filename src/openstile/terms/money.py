"""Money: an integer of minor units with its currency, never mixed with another (ISO 4217)."""

import re
from dataclasses import dataclass

from openstile.terms.errors import BadInputError
from openstile.terms.limits import MONEY_MINOR_MAX

_CURRENCY = re.compile(r"[A-Z]{3}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_DIGITS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Minor-unit digits of the currencies that do not have two (ISO 4217, list one)."""


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units (cents, say) of `currency`, a code of three capital letters. Raises BadInputError."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not _CURRENCY.fullmatch(self.currency):
            raise BadInputError(
                f"currency {self.currency[:16]!r}: must be three capital letters, such as EUR (ISO 4217)"
            )
        if abs(self.minor) > MONEY_MINOR_MAX:
            raise BadInputError(f"amount: {self.minor} minor units of {self.currency} are beyond {MONEY_MINOR_MAX}")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        """As `2.80 PLN`."""
        return f"{self.decimal} {self.currency}"

    @property
    def decimal(self) -> str:
        """The amount in major units, with all digits of the currency, as `2.80`; a point, no grouping."""
        digits = minor_digits(self.currency)
        sign, whole = ("-" if self.minor < 0 else ""), abs(self.minor)
        return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}}" if digits else f"{sign}{whole}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise BadInputError(f"money: {self} and {other} are of two currencies, which are never mixed")
        return other.minor


def minor_digits(currency: str) -> int:
    """How many digits follow the point in amounts of `currency` (ISO 4217)."""
    return _DIGITS.get(currency, 2)


def parse_money(text: str, currency: str) -> Money:
    """An amount in major units, as `2.80` or `-1`; digits beyond the currency's must be zeros. Raises BadInputError."""
    digits = minor_digits(currency)
    whole, _, fraction = text.partition(".")
    if not _DECIMAL.fullmatch(text) or fraction[digits:].strip("0"):
        raise BadInputError(f"amount {text[:32]!r}: must be a number with at most {digits} decimals, as {currency} has")
    minor = int(whole.removeprefix("-") + fraction[:digits].ljust(digits, "0"))
    return Money(-minor if text.startswith("-") else minor, currency)
