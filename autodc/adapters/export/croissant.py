"""A Croissant file: what a folder of rows holds, so that programs which know the format read it (MLCommons 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from autodc.adapters.export.layouts import Layout
from autodc.files import digest

if TYPE_CHECKING:
    import pyarrow as pa

STANDARD = "http://mlcommons.org/croissant/1.0"
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the standard's appendix recommends."""
FORMATS = {
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".npz": "application/zip",
    ".json": "application/json",
    ".png": "image/png",
}
RECORDS, PICTURES = "rows", "pictures"
MEANINGS = {
    "autodc_dataset": "the dataset of the study that the row belongs to",
    "autodc_weight": "how many times the row is drawn in an epoch, on average",
    "autodc_row": "its position in that dataset, from 0",
    "autodc_parent": "the dataset of the row that it was made of",
    "autodc_parent_row": "the position of that row there",
    "autodc_finding": "the weakness of the model that it was made for",
    "autodc_round": "the round of the study in which it joined",
    "autodc_by": "who proposed it; given: the study file",
}


def described(folder: Path, layout: Layout, about: Mapping[str, Any], further: tuple[str, ...]) -> dict[str, Any]:
    """Describe the files of a folder. about: name, description, license, url, creator, datePublished, version.

    further: other files of it. See https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
    """
    first = layout.files[0]
    fields = [_field(first, name, kind, layout) for name, kind in layout.columns.items()]
    files = [_file(folder, name) for name in (*layout.files, *further)]
    records = [
        {"@type": "cr:RecordSet", "@id": RECORDS, "name": RECORDS, "description": "One row each.", "field": fields}
    ]
    if layout.kind == "images":
        files.append(
            {
                "@type": "cr:FileSet",
                "@id": PICTURES,
                "name": PICTURES,
                "description": "The inputs, one PNG file a row.",
                "encodingFormat": FORMATS[".png"],
                "includes": f"{layout.pictures}/*/*.png",
            }
        )
        records.append(
            {
                "@type": "cr:RecordSet",
                "@id": "images",
                "name": "images",
                "description": f"The pictures that `path` of {RECORDS} names.",
                "field": [
                    _property("path", "sc:Text", "fullpath"),
                    _property("image", "sc:ImageObject", "content"),
                ],
            }
        )
    return {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": STANDARD,
        **about,
        "distribution": files,
        "recordSet": records,
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": FORMATS[path.suffix],
        "sha256": digest(path),
    }


def _field(file: str, name: str, kind: pa.DataType, layout: Layout) -> dict[str, Any]:
    import pyarrow as pa

    values, repeated = kind, False
    while pa.types.is_fixed_size_list(values) or pa.types.is_list(values):
        values, repeated = values.value_type, True
    what = "a target" if name in layout.targets else "an input" if name in layout.inputs else "metadata"
    return {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{quote(name, safe='')}",
        "name": name,
        "description": MEANINGS.get(name, what),
        "dataType": _type(values),
        **({"repeated": True} if repeated else {}),
        "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
    }


def _property(name: str, kind: str, of: str) -> dict[str, Any]:
    """A field of a picture's own file."""
    source = {"fileSet": {"@id": PICTURES}, "extract": {"fileProperty": of}}
    return {
        "@type": "cr:Field",
        "@id": f"images/{name}",
        "name": name,
        "description": name,
        "dataType": kind,
        "source": source,
    }


def _type(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "sc:Float"
    return "sc:Date" if pa.types.is_timestamp(kind) or pa.types.is_date(kind) else "sc:Text"
