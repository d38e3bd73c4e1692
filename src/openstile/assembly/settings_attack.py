"""The settings of a deployer's context network: which file, and how it is asked."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from openstile.terms.errors import BadInputError
from openstile.terms.limits import ATTACK_CONTEXT_SIDE_PIXELS_MAX

if TYPE_CHECKING:
    from openstile.face.attack.context import ContextInput

Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
TensorName = Annotated[str, Field(max_length=200)]


class ContextTable(BaseModel):
    """[context]: a network that knows how attacks look like, and can deny and nothing more. Empty: none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: Annotated[str, Field(max_length=1000)] = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    source: TensorName = ""
    result: TensorName = ""
    side: Annotated[int, Field(ge=16, le=ATTACK_CONTEXT_SIDE_PIXELS_MAX)] = 80
    around: Annotated[float, Field(ge=1, le=8)] = 2.7
    channels: Literal["bgr", "rgb"] = "bgr"
    mean: Annotated[list[Number], Field(min_length=3, max_length=3)] = Field(default_factory=lambda: [0.0, 0.0, 0.0])
    scale: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    attack_index: Annotated[int, Field(ge=0, lt=1000)] = 1
    attack_min: Annotated[float, Field(gt=0, le=1)] = 0.9

    def wants(self) -> "ContextInput | None":
        """How the network is asked; None where there is none. Raises BadInputError where only a part of it is set."""
        named = (self.network, self.sha256, self.source, self.result)
        if not any(named):
            return None
        if not all(named):
            raise BadInputError("context: set network, sha256, source and result, or none of them")
        from openstile.face.attack.context import ContextInput

        first, second, third = self.mean
        return ContextInput(
            source=self.source,
            result=self.result,
            side=self.side,
            around=self.around,
            channels=self.channels,
            mean=(first, second, third),
            scale=self.scale,
            attack_index=self.attack_index,
            attack_min=self.attack_min,
        )
