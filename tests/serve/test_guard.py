"""Who gets in: the token, this host, this origin; and nothing that lies elsewhere."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
from contextlib import contextmanager

import pytest
from served import HERE, TOKEN, at, reports, serving

from simulator.serve.guard import MOST_BYTES
from simulator.shelf import told_of

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
    both = {**OWN, "content-length": "10", "transfer-encoding": "chunked"}
    assert client.post(at("start"), headers=both, content=b"x" * 10).status_code == 411


def asked(client, body):
    """Post to the start page as a server would hand it on, and return what is sent back."""
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    told = [
        (b"host", b"127.0.0.1:8765"),
        (b"origin", HERE.encode()),
        kind,
        (b"content-length", b"9"),
    ]
    scope = {"type": "http", "method": "POST", "path": at("start"), "headers": told,
             "query_string": b"", "http_version": "1.1", "scheme": "http",
             "server": ("127.0.0.1", 8765)}  # fmt: skip
    parts, sent = iter(body), []

    async def receive():
        return next(parts)

    async def send(message):
        sent.append(message)

    asyncio.run(client.app(scope, receive, send))
    return sent[0]["status"]


def test_post__of_more_than_it_says__is_counted_as_it_comes(client):
    part = {"type": "http.request", "body": b"x" * 65_536, "more_body": True}
    endless = itertools.repeat(part)
    assert asked(client, endless) == 413
    few = [part | {"body": b"scenario=no", "more_body": False}]
    assert asked(client, few) == 404


def test_post__broken_off__is_let_go(client):
    part = {"type": "http.request", "body": b"scena", "more_body": True}
    assert asked(client, [part, {"type": "http.disconnect"}]) == 400


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
    page = client.get(at("run/tiny-run")).text
    address = re.search(r'href="(/report/[^"]+)" rel="noreferrer">Report<', page)[1]
    report = client.get(address)
    assert report.status_code == 200
    assert report.headers["referrer-policy"] == "no-referrer"
    assert report.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in report.headers["content-security-policy"]


def test_report__its_address__holds_no_token_and_opens_reports_alone(client):
    address = f"{reports(client)}/tiny-run"
    assert TOKEN not in address
    assert "A &lt;b&gt;tiny&lt;/b&gt; run" in client.get(address).text
    assert client.get(at("run/tiny-run/report")).status_code == 404
    for path in ("", "/nope", "/tiny-run/answer", "/api/runs", "/run/tiny-run", "/static/page.css"):
        assert client.get(f"{reports(client)}{path}").status_code == 404
    assert client.post(address, headers={**OWN, "content-length": "0"}).status_code == 405
    for path in ("/report/tiny-run", f"/report/{TOKEN}/tiny-run", f"{reports(client)}x/tiny-run"):
        assert client.get(path).status_code == 403


@contextmanager
def damaged(tiny, tmp_path, name, text):
    """Yield a client of a server over one run, whose file `name` says something else."""
    shutil.copytree(tiny, tmp_path / "runs" / "odd")
    (tmp_path / "runs" / "odd" / name).write_bytes(text)
    with serving(tmp_path / "runs") as client:
        yield client


DAMAGED = [
    ("answer.json", b"{nope", ["api/runs/odd"]),
    ("answer.json", b'{"paths": "many", "scenario": 1, "verdicts": []}', []),
    ("verdicts.json", b"\xff", ["run/odd", "api/runs/odd/verdicts", "api/runs/odd/path/1"]),
    ("verdicts.json", b'{"a": NaN}', ["run/odd", "api/runs/odd/verdicts"]),
    ("verdicts.json", b"[1e999]", ["run/odd", "api/runs/odd/verdicts"]),
    ("verdicts.json", b"[" * 100_000, ["run/odd", "api/runs/odd/verdicts"]),
    ("manifest.json", b"[]", ["run/odd", "api/runs/odd/measures/holder"]),
    ("manifest.json", b"{", ["run/odd", "api/runs/odd/path/1"]),
]


@pytest.mark.parametrize(("name", "text", "paths"), DAMAGED, ids=range(len(DAMAGED)))
def test_run__whose_file_is_damaged__is_a_line_that_names_it(tiny, tmp_path, name, text, paths):
    with damaged(tiny, tmp_path, name, text) as client:
        assert client.get(at()).status_code == 200
        assert client.get(at("api/runs")).json()[0]["run"] == "odd"
        for path in paths:
            answer = client.get(at(path))
            assert answer.status_code == 422
            words = answer.json()["error"] if path.startswith("api") else answer.text
            assert f"odd/{name}: is not what Assay wrote: " in words
            assert answer.text.count('role="alert"') == (not path.startswith("api"))


def test_run__whose_manifest_lacks_what_it_needs__is_a_line(tiny, tmp_path):
    with damaged(tiny, tmp_path, "manifest.json", b'{"run_hash": "x"}') as client:
        answer = client.get(at("api/runs/odd/path/1"))
    assert answer.status_code == 422
    assert "odd: is not what Assay wrote: " in answer.json()["error"]


@pytest.mark.parametrize("name", ["answer.json", "verdicts.json", "report.html", ".lock"])
def test_pipe__in_a_runs_folder__is_never_waited_for(tiny, tmp_path, name):
    place = tmp_path / "runs" / "odd"
    shutil.copytree(tiny, place)
    (place / name).unlink(missing_ok=True)
    os.mkfifo(place / name)
    assert told_of(place)["finished"]  # as `assay runs` lists it
    with serving(tmp_path / "runs") as client:
        assert client.get(at("api/runs")).json() == []
        for path in ("run/odd", "api/runs/odd", "api/runs/odd/verdicts"):
            answer = client.get(at(path))
            assert answer.status_code == 404
            assert f"odd/{name} is neither a file nor a folder: not read" in answer.text


OUTSIDE = [
    "%2e%2e", "..%2f..%2fsecret", "%2e%2e%2fsecret", "tiny-run%2f..%2f..%2fsecret",
    "tiny-run/../../secret", "/etc/passwd", "%2fetc%2fpasswd", "%2e", ".serve", "tiny-run%00",
    "..\\secret", "%252e%252e%252fsecret",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("path", ["run/{}", "/report/{}", "api/runs/{}", "static/{}"])
def test_path__out_of_the_folder__is_not_there(client, tiny, name, path):
    secret = tiny.parent.parent / "secret"
    secret.mkdir(exist_ok=True)
    for file in ("scenario.yaml", "report.html", "answer.json", "manifest.json"):
        (secret / file).write_text('{"hush": "a secret"}')
    under = reports(client) + path.removeprefix("/report") if path[0] == "/" else at(path)
    answer = client.get(under.format(name))
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
        for path in (at("run/linked"), f"{reports(client)}/linked", at("api/runs/linked")):
            answer = client.get(path)
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
