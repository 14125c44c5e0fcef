"""A posted scenario is data: what it may name, and where its faults are said to be."""

from __future__ import annotations

import html
import json
import re

import pytest
from served import HERE, SCENARIO, at, serving

from simulator.serve.app import MOST_BYTES

OWN = {"origin": HERE}


@pytest.fixture
def post(tmp_path, monkeypatch):
    """Return what posts a file to a server that starts nothing, and what it would have started."""
    started = []
    monkeypatch.setattr("simulator.serve.jobs.Jobs._begin", lambda self, *of: started.append(of))

    def posted(text, name="own.yaml", **fields):
        content = text.encode() if isinstance(text, str) else text
        with serving(tmp_path / "runs") as client:
            return client.post(
                at("start"), headers=OWN, files={"file": (name, content)}, data=fields,
                follow_redirects=False,
            )  # fmt: skip

    posted.started, posted.folder = started, tmp_path / "runs"
    return posted


def test_file__without_faults__is_kept_and_started(post):
    answer = post(SCENARIO, paths="256", quick="on")
    assert answer.status_code == 303
    ((name, arguments, asked),) = post.started
    assert asked == {"ready": "", "paths": 256, "quick": True}
    assert answer.headers["location"] == at(f"run/{name}")
    kept = post.folder / ".serve" / name / "scenario.yaml"
    assert kept.read_text() == SCENARIO
    assert arguments[:4] == ["run", str(kept), "--out", str(post.folder / name)]
    assert arguments[4:6] == ["--paths", "256"]
    assert "--no-replay" in arguments


def words(text):
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


LOCAL = "a file is read from the command line alone"


@pytest.mark.parametrize(
    ("put", "line"),
    [
        ("extends: /etc/passwd", "own.yaml:1: extends is '/etc/passwd'; must be a ready scenario"),
        ("extends: ../secret.yaml", "own.yaml:1: extends is '../secret.yaml'; must be a ready"),
        ("extends: [gold-loop, {a: b}]", "own.yaml:1: extends[1] is {'a': 'b'}; must be a ready"),
        (
            "extends: gold-vault-sober\nuse:\n  /etc/passwd: {claims: [x]}",
            "own.yaml:3: use./etc/passwd is '/etc/passwd'; must be a ready scenario's name",
        ),
        (
            "extends: gold-vault-sober\nmarket:\n  calibration: /etc/passwd",
            "own.yaml:3: market.calibration is '/etc/passwd'; must ship with Assay",
        ),
        (
            "extends: gold-vault-sober\nmarket:\n  calibration: {value: /etc/passwd}",
            "own.yaml:3: market.calibration is '/etc/passwd'; must ship with Assay",
        ),
        (
            "extends: gold-vault-sober\nmarket:\n  model: bootstrap\n  history: /etc/passwd",
            "own.yaml:4: market.history is '/etc/passwd'; must be left out",
        ),
        (
            "extends: gold-vault-sober\nclaims:\n  x:\n    change: {market.history: /etc/passwd}",
            "own.yaml:4: claims.x.change is '/etc/passwd'; must be left out",
        ),
        (
            "extends: gold-vault-sober\nclaims:\n  x:\n    change: {market: {calibration: /x}}",
            "own.yaml:4: claims.x.change is '/x'; must ship with Assay",
        ),
    ],
)
def test_file__that_names_another__is_refused_with_its_line(post, put, line):
    answer = post(f"{put}\n")
    text = answer.text.replace("&#x27;", "'")
    assert answer.status_code == 422
    assert line in text
    assert LOCAL in text
    assert "root:" not in text
    assert post.started == []


def test_file__with_faults__has_each_with_its_line(post):
    answer = post(SCENARIO.replace("paths: 128", "paths: 0").replace("30\n", "x\n"))
    text = answer.text.replace("&#x27;", "'")
    assert answer.status_code == 422
    assert "Not started: 2 faults." in text
    assert "own.yaml:4: paths is 0; must be 1 to 10000000" in text
    assert "own.yaml:5: horizon_days is 'x'; must be a whole number" in text
    assert post.started == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "own.yaml:1: is empty; must be a mapping"),
        ("a: [", "own.yaml:"),
        (b"\xff\xfe", "own.yaml:1: must be UTF-8 text"),
        ("!!python/object/apply:os.system [touch /tmp/x]", "own.yaml"),
        ("a: !!python/object/apply:os.system ['touch /tmp/x']", "own.yaml"),
        ("[" * 200_000, "own.yaml"),
        ("x" * (MOST_BYTES + 1), "bytes; at most 262,144"),
        (
            "a: &a [1]\n"
            + "".join(
                f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 9)}]\n"
                for k in range(12)
            ),
            "its aliases write out more than 1,000,000 values",
        ),
    ],
    ids=["empty", "cut", "bytes", "tag", "inner-tag", "deep", "long", "bomb"],
)
def test_file__that_is_no_scenario__is_refused_in_a_line(post, text, line):
    answer = post(text)
    assert answer.status_code == 422
    assert line in answer.text
    assert "Traceback" not in answer.text
    assert post.started == []


@pytest.mark.parametrize("paths", ["0", "-5", "many", "5}", "10000001"])
def test_paths__that_cannot_be__are_refused(post, paths):
    answer = post(SCENARIO, paths=paths)
    assert answer.status_code == 422
    line = words(answer.text)
    assert f"paths is {paths}; must be " in line or f"paths is '{paths}'; must be " in line
    assert "--set" not in line
    assert post.started == []


def test_name__of_the_posted_file__is_shown_and_never_used(post):
    name = "../../<script>alert(1)</script>.yaml"
    answer = post("paths: x", name=name)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert list(post.folder.parent.rglob("*.yaml")) == []


def test_ready_scenario__unknown__is_a_line(tmp_path):
    with serving(tmp_path) as client:
        answer = client.post(at("start"), headers=OWN, data={"scenario": "/etc/passwd"})
    assert answer.status_code == 404
    assert "there is no ready scenario" in answer.text


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Return what resumes a run that came with a kept file, and the commands that it began."""
    begun, folder = [], tmp_path / "runs"
    monkeypatch.setattr("subprocess.Popen", lambda command, **more: begun.append(command[3:]))

    def resume(name, text, own=SCENARIO):
        (folder / "odd").mkdir(parents=True)
        (folder / "odd" / "scenario.yaml").write_text("name: odd")
        (kept := folder / ".serve" / "odd").mkdir(parents=True)
        (kept / "scenario.yaml").write_text(own)
        (kept / name).write_text(text)
        with serving(folder) as client:
            answer = client.post(at("run/odd/resume"), headers=OWN, follow_redirects=False)
            client.jobs._running.clear()
        return answer

    resume.begun, resume.folder = begun, folder
    return resume


ASKED = {"ready": "gold-loop", "paths": 256, "quick": False}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("command.json", ["run", "/elsewhere/x.yaml", "--out", "/elsewhere/out", "--fresh"]),
        ("asked.json", ["run", "/elsewhere/x.yaml", "--out", "/elsewhere/out"]),
        ("asked.json", ASKED | {"ready": "/elsewhere/x.yaml"}),
        ("asked.json", ASKED | {"ready": ["gold-loop"]}),
        ("asked.json", ASKED | {"ready": "--fresh"}),
        ("asked.json", ASKED | {"paths": "1 --fresh"}),
        ("asked.json", ASKED | {"quick": "--fresh"}),
    ],
)
def test_resume__of_what_came_with_the_folder__obeys_nothing(planted, name, found):
    answer = planted(name, json.dumps(found))
    assert planted.begun == []
    assert answer.status_code in (404, 422)
    assert "was not begun here" in answer.text or "is not what Assay wrote" in answer.text


@pytest.mark.parametrize("ready", ["gold-loop", ""])
def test_resume__of_what_was_asked__makes_the_command_anew(planted, ready):
    found = ASKED | {"ready": ready, "out": "/elsewhere", "options": ["--fresh"]}
    assert planted("asked.json", json.dumps(found)).status_code == 303
    source = ready or f"{planted.folder}/.serve/odd/scenario.yaml"
    out = ["--out", f"{planted.folder}/odd", "--paths", "256"]
    assert planted.begun == [["simulator.cli", "run", source, *out][1:]]


def test_resume__of_a_posted_file_that_names_another__is_refused(planted):
    found = json.dumps(ASKED | {"ready": ""})
    answer = planted("asked.json", found, "extends: /etc/passwd\n")
    assert answer.status_code == 422
    assert LOCAL in answer.text
    assert planted.begun == []


def test_kept__through_a_link__is_neither_read_nor_written(tmp_path):
    folder, secret = tmp_path / "runs", tmp_path / "secret"
    secret.write_text("a secret")
    (folder / "odd").mkdir(parents=True)
    (folder / "odd" / "scenario.yaml").write_text("name: odd")
    kept = folder / ".serve" / "odd"
    kept.mkdir(parents=True)
    (kept / "said.log").symlink_to(secret)
    (kept / "asked.json").write_text(json.dumps(ASKED))
    with serving(folder) as client:
        shown = client.get(at("run/odd"))
        resumed = client.post(at("run/odd/resume"), headers=OWN)
        assert client.jobs._running == {}
    assert [shown.status_code, resumed.status_code] == [404, 404]
    assert "said.log is a link" in shown.text
    assert secret.read_text() == "a secret"
