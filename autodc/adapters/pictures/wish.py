"""What a picture is to become: its size and its mode."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, final

from pydantic import Field

from autodc.studyfile.values import Spec

Mode: TypeAlias = Literal["L", "RGB", "RGBA", "I;16", "F"]
"""Pillow's names. L: grey of 8 bits; RGB, RGBA: colours of 8 bits; I;16: grey of 16 bits; F: grey in float32."""
Side = Annotated[int, Field(ge=1, le=16384, strict=True)]
Size: TypeAlias = tuple[Side, Side]
AS_IT_IS: Literal["as_it_is"] = "as_it_is"


@final
class Wish(Spec):
    """How pictures are decoded."""

    size: Size | Literal["as_it_is"] = Field(
        default=AS_IT_IS, description="[height, width] to resize to, or as_it_is where all are of one size"
    )
    mode: Mode | None = Field(
        default=None, description="L, RGB, RGBA, I;16 or F; left out: each as its file has it, and all must be alike"
    )

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width, None where the size stays."""
        return None if self.size == AS_IT_IS else (self.size[0], self.size[1])


def wished(size: Size | None, mode: Mode | None) -> Wish:
    """What the options of a trainer say of images; without a size it stays."""
    return Wish(size=AS_IT_IS if size is None else size, mode=mode)
