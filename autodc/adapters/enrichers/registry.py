"""Which enrichers there are, what each measures and of which inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from autodc.adapters.enrichers import embedding, image, table, text
from autodc.data.attributes import Fittable
from autodc.table import Inputs, Table

_BUILT_IN: Final[Mapping[str, type]] = {
    "image": image.ImageEnricher,
    "table": table.TableEnricher,
    "text": text.TextEnricher,
}


def built_in(name: str, *, networks: bool = True) -> Fittable:
    """The enricher of this name, to be fitted to a base. networks: whether it may ask those that are installed."""
    if name == "embedding":
        return embedding.EmbeddingEnricher(networks=networks)
    made: Fittable = _BUILT_IN[name]()
    return made


def fitting(x: Inputs) -> tuple[str, ...]:
    """The enrichers of ours that measure such inputs; embedding, which is for all, is the last."""
    if not isinstance(x, Table):
        return {2: ("table", "embedding"), 3: ("image", "embedding"), 4: ("image", "embedding")}.get(
            x.ndim, ("embedding",)
        )
    return {"table": ("table", "embedding"), "text": ("text", "embedding")}.get(x.kind, ("image", "embedding"))


def measures() -> Mapping[str, Mapping[str, str]]:
    """Enricher → its columns → what each means, for the guide."""
    return {
        "image": image.MEASURES,
        "table": table.MEASURES,
        "text": text.MEASURES,
        "embedding": embedding.MEASURES,
    }
