"""What may not be read by others is not there to be read, and all else stays as it is."""

from __future__ import annotations

import pytest

from autodc.errors import DataError
from autodc.masking import masked, masked_said, masked_tree, secret_options, without_user
from autodc.studyfile.study import StudySpec, TrackingSpec

SPEC = {
    "schema_version": 1,
    "name": "t",
    "task": {
        "kind": "classification",
        "trainer": "command",
        "options": {"argv": ["train", "--token", "geheim", "{job}"]},
    },
    "data": {
        "base": {"source": "https://bob:geheim@host/base.csv", "options": {"target": "y"}},
        "validation": {"source": "https://host/val.csv?X-Amz-Signature=geheim&X-Amz-Expires=60"},
    },
    "metrics": {"primary": "accuracy"},
    "slices": [{"name": "overall", "role": "guard", "margin": 0.1}],
    "tracking": {"uri": "postgresql://alice:geheim@db/mlflow?sslmode=require&sslpassword=geheim"},
}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://alice:hunter2@127.0.0.1:9/", "http://alice:***@127.0.0.1:9/"),
        ("https://u:p@ss@host/x", "https://u:***@host/x"),
        ("https://ghp_token@host/x.csv", "https://***@host/x.csv"),
        ("redis://:word@host", "redis://:***@host"),
        ("postgresql+psycopg2://u:p@ss/w0rd?@db:5432/m", "postgresql+psycopg2://u:***@db:5432/m"),
        ("mysql://u:12/34@db/m", "mysql://u:***@db/m"),
        ("postgresql://u@db/m?sslpassword=word&a=1", "postgresql://u@db/m?sslpassword=***&a=1"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dword", "mssql+pyodbc:///?odbc_connect=***"),
        (
            "https://h/x?X-Amz-Credential=AK&X-Amz-Signature=s&e=3",
            "https://h/x?X-Amz-Credential=***&X-Amz-Signature=***&e=3",
        ),
        ("https://a.blob/x?sv=1&sig=abc%3D&se=2", "https://a.blob/x?sv=1&sig=***&se=2"),
        ("https://h/x?token=a,https://h/y?access_token=b", "https://h/x?token=***"),
        ("filecache::https://u:word@h/x.npz", "filecache::https://u:***@h/x.npz"),
        (
            "cannot read 'https://u:word@h/x' (https://h?sig=ab) now",
            "cannot read 'https://u:***@h/x' (https://h?sig=***) now",
        ),
        ("Server=db;Password=word;Port=1", "Server=db;Password=***;Port=1"),
    ],
)
def test_a_secret_is_masked_where_it_stands(given: str, shown: str) -> None:
    assert masked(given) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////data/a%2Fb/mlflow.db",
        "http://host:8080/data@v2/x.csv?max_tokens=3&tokenizer=bpe&author=me",
        "s3://bucket/key@version",
        "brightness < 0.2 AND token = 'x'",
        "postgresql://u@db/m",
        "me@example.org",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_a_known_secret_is_masked_where_it_stands_alone_and_decoded() -> None:
    uri = "postgresql://u:gehe%21im@db/m"
    assert masked("login failed: gehe!im, gehe%21im", uri) == "login failed: ***, ***"


def test_options_and_arguments_that_name_a_secret_are_masked() -> None:
    given = {
        "storage_options": {"secret": "a", "anon": False},
        "api_key": "b",
        "target": "y",
        "argv": ["train", "--hf-token=c", "--password", "d", "--lr", "e"],
    }
    assert masked_tree(given) == {
        "storage_options": {"secret": "***", "anon": False},
        "api_key": "***",
        "target": "y",
        "argv": ["train", "--hf-token=***", "--password", "***", "--lr", "e"],
    }


def test_where_is_told_apart_from_as_whom() -> None:
    one, other = "http://alice:one@host:5000/x", "http://bob:other@host:5000/x"
    assert without_user(one) == without_user(other) == without_user("http://host:5000/x") == "http://host:5000/x"
    assert without_user("sqlite:////a/b.db") == "sqlite:////a/b.db"


def test_a_study_is_the_same_with_another_password_and_shows_none() -> None:
    spec = StudySpec.model_validate(SPEC)
    text = StudySpec.model_validate_json(spec.model_dump_json().replace("geheim", "anders"))
    assert spec.fingerprint() == text.fingerprint()
    assert "geheim" not in f"{spec!r} {spec} {spec.shown()} {spec.content()}"
    assert spec.shown()["tracking"]["uri"] == "postgresql://alice:***@db/mlflow?sslmode=require&sslpassword=***"
    assert spec.tracking.uri == SPEC["tracking"]["uri"]  # type: ignore[index]
    assert StudySpec.model_validate(spec.shown()).content() == spec.content()


def test_without_secrets_nothing_is_changed() -> None:
    plain = StudySpec.model_validate(
        {
            **SPEC,
            "task": {"kind": "regression", "trainer": "sklearn"},
            "data": {"base": {"source": "a.csv"}, "validation": {"source": "b.csv"}},
            "tracking": {},
        }
    )
    assert plain.shown() == plain.model_dump(mode="json")


def test_no_error_tells_a_secret() -> None:
    error = DataError(
        "ADC-DATA-001", "nothing at https://u:geheim@h/x", "study.yaml", "https://h/?token=geheim", "try it"
    )
    assert "geheim" not in str(error)
    assert "geheim" not in repr(TrackingSpec(uri="http://a:geheim@h"))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            ["run", "a.yaml", "--set", "task.options.password=geheim"],
            ["run", "a.yaml", "--set", "task.options.password=***"],
        ),
        (["train", "api.token=geheim", "lr=0.1"], ["train", "api.token=***", "lr=0.1"]),
        (["--set", "tracking.uri=http://me:geheim@h/"], ["--set", "tracking.uri=http://me:***@h/"]),
        (["--set", "slices[0].name=token"], ["--set", "slices[0].name=token"]),
    ],
)
def test_the_arguments_of_a_command_are_masked_by_their_names(words: list[str], shown: list[str]) -> None:
    assert masked_tree(words) == shown


def test_what_others_say_is_masked_by_the_values_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "opensesame")
    monkeypatch.setenv("MY_TOKEN", "short")
    monkeypatch.setenv("EDITOR", "emacs-of-mine")
    assert masked_said("401 for opensesame, short, emacs-of-mine") == "401 for ***, short, emacs-of-mine"
    assert "opensesame" not in str(DataError("ADC-DATA-001", "no", "here", "opensesame"))


def test_what_a_program_repeats_of_its_options_is_masked() -> None:
    options = {"argv": ["train", "--token", "geheim", "--key=x", "db.password=hidden", "https://a:word@h"], "n": 3}
    assert set(secret_options(options)) == {"geheim", "hidden", "word"}
    assert masked_said("geheim failed at hidden", *secret_options(options)) == "*** failed at ***"
