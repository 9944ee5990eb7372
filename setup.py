"""What pyproject.toml cannot say: the example studies and search spaces beside the package are its data."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("configs", "search_spaces")


class BuildPy(build_py):
    """Builds the package with the folders beside it; an editable install reads them where they are."""

    def run(self) -> None:
        """Copy them below `autodc`."""
        super().run()
        if not self.editable_mode:
            for name in FOLDERS:
                skip = shutil.ignore_patterns(
                    "__pycache__", "mlflow.db*", "mlartifacts", "runs", "photographs", "photos"
                )
                shutil.copytree(name, Path(self.build_lib, "autodc", name), ignore=skip, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildPy})
