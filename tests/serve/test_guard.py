"""Who gets in: the token, this host, this origin; and nothing that lies elsewhere."""

from __future__ import annotations

import json
import shutil

import pytest
from served import HERE, TOKEN, at, serving

from simulator.serve.guard import MOST_BYTES

OWN = {"origin": HERE}


@pytest.mark.parametrize(
    "path",
    ["/", "/wrong/", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", "/wrong/api/runs", "/static/page.css"],
)
def test_token__missing_or_wrong__is_refused_and_the_right_one_is_not(client, path):
    refused = client.get(path)
    assert refused.status_code == 403
    assert refused.text == "the address lacks the token that `assay serve` has printed\n"
    assert client.get(at()).status_code == 200
    assert client.get(at("api/runs")).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:8766", "localhost", ""]
)
def test_host__another__is_refused_with_the_right_token(client, host):
    assert client.get(at(), headers={"host": host}).status_code == 403
    assert client.get(at(), headers={"host": "localhost:8765"}).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:8766"])
@pytest.mark.parametrize("path", ["start", "run/tiny-run/replay", "run/tiny-run/cancel"])
def test_post__from_another_origin__changes_nothing(client, origin, path):
    headers = {} if origin is None else {"origin": origin}
    refused = client.post(at(path), headers=headers, data={"scenario": "gold-loop"})
    assert refused.status_code == 403
    assert refused.text == "only a page of this server may post\n"
    assert client.jobs._running == {}


def test_post__too_large_or_without_its_length__is_not_read(client):
    large = client.post(at("start"), headers=OWN, content=b"x" * (MOST_BYTES + 1))
    assert large.status_code == 413
    endless = client.post(at("start"), headers=OWN, content=iter([b"x"]))
    assert endless.status_code == 411


def test_answer__any__lets_no_other_page_in_and_no_script_but_the_servers(client):
    for path in ("", "run/tiny-run", "api/runs", "nothing"):
        headers = client.get(at(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_report__of_a_run__is_sandboxed(client):
    report = client.get(at("run/tiny-run/report"))
    assert report.status_code == 200
    assert report.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in report.headers["content-security-policy"]


OUTSIDE = [
    "%2e%2e", "..%2f..%2fsecret", "%2e%2e%2fsecret", "tiny-run%2f..%2f..%2fsecret",
    "tiny-run/../../secret", "/etc/passwd", "%2fetc%2fpasswd", "%2e", ".serve", "tiny-run%00",
    "..\\secret", "%252e%252e%252fsecret",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("path", ["run/{}", "run/{}/report", "api/runs/{}", "static/{}"])
def test_path__out_of_the_folder__is_not_there(client, tiny, name, path):
    secret = tiny.parent.parent / "secret"
    secret.mkdir(exist_ok=True)
    for file in ("scenario.yaml", "report.html", "answer.json", "manifest.json"):
        (secret / file).write_text('{"hush": "a secret"}')
    answer = client.get(at(path.format(name)))
    assert answer.status_code in (403, 404)
    assert "a secret" not in answer.text


@pytest.mark.parametrize("what", ["run", "report", "daily"])
def test_link__out_of_the_folder__is_not_followed(tiny, tmp_path, what):
    folder = tmp_path / "runs"
    outside = tmp_path / "outside"
    shutil.copytree(tiny, outside)
    folder.mkdir()
    if what == "run":
        (folder / "linked").symlink_to(outside)
    else:
        name = {"report": "report.html", "daily": "daily.parquet"}[what]
        shutil.copytree(tiny, folder / "linked")
        (folder / "linked" / name).unlink()
        (folder / "linked" / name).symlink_to(outside / name)
    with serving(folder) as client:
        assert client.get(at("api/runs")).json() == []
        for path in ("run/linked", "run/linked/report", "api/runs/linked"):
            answer = client.get(at(path))
            assert answer.status_code == 404
            assert "is a link, and may lead out of" in answer.text


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("name: tiny", "extends: /etc/passwd\nname: tiny"),
        ("name: tiny", "use: {/etc/passwd: {claims: [x]}}\nname: tiny"),
        ("market:\n", "market:\n  history: /etc/passwd\n"),
    ],
)
def test_run__whose_scenario_names_a_file__is_not_opened(tiny, tmp_path, found, put):
    folder = tmp_path / "runs"
    shutil.copytree(tiny, folder / "odd")
    file = folder / "odd" / "scenario.yaml"
    text = file.read_text()
    assert text.count(found) == 1
    file.write_text(text.replace(found, put))
    with serving(folder) as client:
        answer = client.get(at("run/odd"))
    assert answer.status_code == 422
    assert "/etc/passwd" in answer.text
    assert "a file is read from the command line alone" in answer.text
    assert "root:" not in answer.text


def test_run__whose_verdicts_are_not_assays__says_so_in_a_line(tiny, tmp_path):
    folder = tmp_path / "runs"
    shutil.copytree(tiny, folder / "odd")
    (folder / "odd" / "verdicts.json").write_text(json.dumps([{"claim": "x"}]))
    with serving(folder) as client:
        answer = client.get(at("api/runs/odd/path/1"))
    assert answer.status_code == 422
    assert "verdicts.json: is not what Assay wrote" in answer.json()["error"]
