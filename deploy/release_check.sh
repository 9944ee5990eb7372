#!/usr/bin/env bash
# Wheel and sdist as somebody gets them: built, installed each into an empty environment, and tried there.
# PYTHON: which Python makes the environments; EXTRAS: what to install beside the core, such as [all].
set -euo pipefail
unset PYTHONPATH # pip would take the checkout for what is installed
cd "$(dirname "$0")/.."
project=$PWD python=${PYTHON:-python3} extras=${EXTRAS:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n== %s\n' "$*"; }

step "build"
rm -rf dist
"${VENV:-.venv}/bin/python" -m uv build --quiet --out-dir dist

for made in "$project"/dist/*.whl "$project"/dist/*.tar.gz; do
    step "$(basename "$made"), installed by $("$python" --version)"
    place=$work/$(basename "$made" | tr -c 'a-z0-9\n' _)
    "$python" -m venv "$place/env"
    "$place/env/bin/pip" --disable-pip-version-check install --quiet --constraint constraints.txt "$made$extras"
    "$place/env/bin/pip" --disable-pip-version-check check
    (
        cd "$place" # away from the checkout, which would be imported in its place
        env/bin/autodc --version
        env/bin/autodc init study --example tabular >/dev/null
        printf 'runner: inline\n' >inline.yaml
        env/bin/autodc check study/study.yaml --set tracking.uri=none >/dev/null
        env/bin/autodc run study/study.yaml --machine inline.yaml --out run \
            --set tracking.uri=none --set budget.trainings=12 --set loop.rounds=1 --json >result.json
        env/bin/python -c 'import json; told = json.load(open("result.json")); assert told["finished"], told'
        test -s run/report/index.html
    )
done
step "wheel and sdist install, check, run and report; they lie in dist/"
