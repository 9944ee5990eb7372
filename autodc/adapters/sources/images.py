"""Images of a source: what its options wish for, and one image as an array, refused in words that name the file."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import ValidationError

from autodc.adapters.pictures.decode import Picture, decoded
from autodc.adapters.pictures.wish import Wish
from autodc.adapters.sources.files import refuse_foreign
from autodc.data.problems import problem
from autodc.data.source import SourceRequest
from autodc.errors import DataError, raise_all

Array = np.ndarray[Any, Any]

OPTIONS = ("size", "mode")
AS_IT_IS = Wish()
HINTS = {
    "size": "size: [height, width], from 1 to 16384 each, or as_it_is",
    "mode": "mode: L, RGB, RGBA, I;16 or F",
}


def wish_of(request: SourceRequest) -> Wish | None:
    """What the options say of images; None where they say nothing, so that nobody decodes them.

    Raises DataError ADC-DATA-012.
    """
    options = {key: request.options[key] for key in OPTIONS if request.options.get(key) is not None}
    if isinstance(options.get("size"), int):
        options["size"] = [options["size"], options["size"]]
    try:
        return Wish.model_validate(options) if options else None
    except ValidationError as error:
        keys = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors())
        raise_all(problem(request, "012", f"`{key}` does not fit", repr(options[key]), HINTS[key]) for key in keys)
        raise


def read_image(request: SourceRequest, wish: Wish = AS_IT_IS) -> Picture:
    """The first image of a file. Raises DataError as `pictures.decode.decoded` does, or for what is no image at all."""
    with open(request.path, "rb", buffering=0) as file:
        content = file.read()
    refuse_foreign(request, content[:1024])
    return decoded(content, wish)


def in_row(request: SourceRequest, where: str, error: DataError) -> DataError:
    """A problem of one file of a source, as one of the source: with its key, and where in it the file is named."""
    number = error.code.rpartition("-")[2]
    text = error.problem.rpartition(" (")[0] if error.place else error.problem
    return problem(request, number, text, f"{where}: {error.got}" if error.got else where, error.hint)
