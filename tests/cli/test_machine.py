"""What the machine refuses is one line with a remedy, and leaves nothing that is half written."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator import writer
from simulator.errors import UsageError

RUN = (
    "run", "gold-vault-sober", "--paths", "256", "--set", "horizon_days=30", "--no-replay",
    "--parameter-sets", "0", "--assumption-sets", "0", "--out",
)  # fmt: skip
COMMAND = [sys.executable, "-m", "simulator.cli"]


def assay(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, **options
    )


def test_writer__a_disk_that_is_full__leaves_what_was_there_and_says_what_to_do(
    tmp_path, monkeypatch
):
    target = tmp_path / "table.json"
    writer.write_text(target, "before")

    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device; free some space, or write"):
        writer.write_text(target, "after")
    assert target.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["table.json"]


def test_writer__a_name_that_is_too_long__is_refused_with_a_shorter_one_as_remedy(tmp_path):
    with pytest.raises(UsageError, match="choose a shorter name"):
        writer.write_text(tmp_path / ("x" * 300), "text")
    assert list(tmp_path.iterdir()) == []


def test_run__that_may_write_no_more__is_one_line_and_goes_on_once_it_may(tmp_path):
    """A limit on the size of files stands for a full disk: the chunk is over it."""

    def few():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    refused = assay(*RUN, tmp_path / "x", preexec_fn=few)
    assert refused.returncode == 2
    *_, last = refused.stderr.splitlines()
    assert last.startswith(f"assay: cannot write to {tmp_path}/x/")
    assert "Traceback" not in refused.stderr
    assert not list((tmp_path / "x").rglob("*.tmp"))
    assert not (tmp_path / "x" / "manifest.json").exists()
    assert assay(*RUN, tmp_path / "x").returncode == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_run__into_a_folder_that_is_closed__is_one_line(tmp_path):
    tmp_path.chmod(0o555)
    try:
        refused = assay(*RUN, tmp_path / "x")
    finally:
        tmp_path.chmod(0o755)
    assert refused.returncode == 2
    assert "name a folder that you may write to" in refused.stderr


def test_run__below_a_file__is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    refused = assay(*RUN, tmp_path / "file" / "x")
    assert refused.returncode == 2
    *_, last = refused.stderr.splitlines()
    assert last.endswith("a part of the path is a file; name another folder")


def test_run__without_home_or_temporary_folder__works(tmp_path):
    gone = str(tmp_path / "gone")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG")}
    environment = {**kept, "HOME": gone, "TMPDIR": gone, "USER": "", "LOGNAME": ""}
    done = assay(*RUN, tmp_path / "x", env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x" / "report.html").is_file()


UNKNOWN = """
import pwd, sys
def nobody(number):
    raise KeyError(number)
pwd.getpwuid = nobody
from simulator.cli import main
main(sys.argv[1:], prog_name="assay")
"""


def test_run__of_an_unknown_user_without_home__works(tmp_path):
    """A container gives any number as user: no entry for it, and no HOME."""
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run(
        [sys.executable, "-c", UNKNOWN, *RUN, tmp_path / "x"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x" / "manifest.json").is_file()


def test_run__interrupted__says_so_and_can_be_gone_on_with(tmp_path):
    command = [*COMMAND, *RUN, str(tmp_path / "x"), "--paths", "60000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    chunk = tmp_path / "x" / "progress" / "000000000.parquet"
    while process.poll() is None and not chunk.exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "assay: interrupted; the same command goes on where it stopped"
    assert not (tmp_path / "x" / ".lock").exists()
    assert json.loads((tmp_path / "x" / "progress" / "begun.json").read_text())["paths"] == 60_000
    assert Path(chunk).is_file()
