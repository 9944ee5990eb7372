"""Write the texts of this study: sentences of reviews and editorials that twenty people rated, negative or positive.

    python configs/reviews/make_data.py

They are those of C. J. Hutto and E. Gilbert (ICWSM 2014) as vaderSentiment 3.3.2 ships them (MIT): snippets of film
reviews, of reviews of products, and of the opinion pages of a newspaper. Texts go to `data/`.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent / "data"
FILES = {"films": "movieReviewSnippets", "products": "amazonReviewSnippets", "editorials": "nytEditorialSnippets"}
CLEAR, LONGEST = 0.8, 200
"""How far from neutral the mean rating is at least, of −4 to 4, and how many characters a sentence has at most."""


def sentences():
    """Domain → its sentences, shuffled."""
    with tempfile.TemporaryDirectory() as work:
        asked = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", work, "vaderSentiment==3.3.2"]
        subprocess.run([sys.executable, "-m", "pip", *asked], check=True)
        for archive in (next(Path(work).glob("*.tar.gz")), "hutto_ICWSM_2014.tar.gz"):
            with tarfile.open(archive if isinstance(archive, Path) else next(Path(work).rglob(archive))) as opened:
                opened.extractall(work, filter="data")
        return {domain: read(next(Path(work).rglob(f"{name}_GroundTruth.txt"))) for domain, name in FILES.items()}


def read(path):
    lines = [line.rstrip("\r").split("\t", 2) for line in path.read_text(encoding="latin1").split("\n") if line.strip()]
    table = pd.DataFrame({"text": [line[2] for line in lines], "rating": [float(line[1]) for line in lines]})
    clear = (table.rating.abs() > CLEAR) & (table.text.str.len() <= LONGEST) & table.text.map(str.isascii)
    table = table[clear].drop_duplicates("text")
    table["label"] = np.where(table.rating > 0, "positive", "negative")
    return table.sample(frac=1, random_state=3)[["text", "label"]]


def tables():
    """File name → table."""
    left = sentences()

    def take(domain, count):
        found, left[domain] = left[domain].iloc[:count], left[domain].iloc[count:]
        return found.assign(domain=domain)

    held = {
        name: [take("films", 800), take("products", rows), take("editorials", editorials)]
        for name, rows, editorials in (("validation", 750, 750), ("test", 600, 450))
    }
    careless = take("products", 400)
    careless["label"] = np.roll(careless.label, 1)
    return {
        "base.jsonl": take("films", 1800),
        "products.jsonl": take("products", 450),
        "editorials.parquet": take("editorials", 400),
        "careless.parquet": careless,
        **{f"{name}.parquet": pd.concat(parts) for name, parts in held.items()},
    }


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, table in tables().items():
        if name.endswith(".jsonl"):
            table.to_json(FOLDER / name, orient="records", lines=True)
        else:
            table.to_parquet(FOLDER / name, index=False, compression="zstd")


if __name__ == "__main__":
    main()
