"""Compiles Vyper sources into artifacts: for the build script and for mutation tests.

The compiler is a development tool; this module imports it on first use.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simulator.chain.artifacts import Artifact
from simulator.chain.mapping import map_of
from simulator.errors import ChainUnavailable

_IMPORT = re.compile(
    r"^(?:from\s+(?P<dots>\.*)(?P<package>[\w.]*)\s+)?import\s+(?P<module>[\w.]+)"
    r"(?:\s+as\s+\w+)?\s*(?:#.*)?$",
    re.MULTILINE,
)
_SOURCE_SUFFIXES = (".vy", ".vyi")
_LIBRARIES = ("snekmate",)
_BUILT_IN = ("ethereum", "math")


def contract_sources(folder: Path) -> dict[str, Path]:
    """Return each deployable contract under `folder`, by name: not modules, not interfaces."""
    paths = [*folder.glob("*.vy"), *folder.glob("stage/*.vy")]
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def imported_sources(path: Path) -> set[Path]:
    """Return a source and all it imports from its own tree: modules and interfaces."""
    return _imports(path.resolve())[0]


def source_hash(path: Path) -> str:
    """Return the SHA-256 of a source and of everything it imports.

    Own modules count with their text, libraries with their version. Needs no compiler.
    """
    own, libraries = _imports(path.resolve())
    digest = hashlib.sha256()
    for source in sorted(own, key=lambda source: source.name):
        digest.update(f"{source.name}\n".encode() + source.read_bytes() + b"\0")
    for library in sorted(libraries):
        digest.update(f"{library}=={version(library)}\n".encode())
    return digest.hexdigest()


def compile_source(path: Path) -> Artifact:
    """Compile the contract at `path`.

    Raises
    ------
    ChainUnavailable
        If the compiler is not installed.
    vyper.exceptions.VyperException
        If the source does not compile.
    """
    try:
        compiler: Any = import_module("vyper.compiler")
        settings: Any = import_module("vyper.compiler.settings")
        bundles: Any = import_module("vyper.compiler.input_bundle")
        assembler: Any = import_module("vyper.ir.compile_ir")
        nodes: Any = import_module("vyper.ast")
    except ImportError as error:
        raise ChainUnavailable('vyper is not installed; pip install "assay-sim[dev]"') from error
    bundle = bundles.FilesystemInputBundle([Path(entry) for entry in reversed(sys.path) if entry])
    source = bundle.load_file(path.resolve())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = compiler.CompilerData(source, bundle, settings.Settings(evm_version="cancun"))
        out = compiler.outputs_from_compiler_data(data, output_formats=["abi", "bytecode"])
        runtime, maps = assembler.assembly_to_evm(data.assembly_runtime, compiler_metadata=None)
        size = len(runtime) + data.global_ctx.immutable_section_bytes
        source_map = map_of(runtime, maps, data.annotated_vyper_module, nodes, _root(path))
    return Artifact(
        name=path.stem,
        abi=tuple(out["abi"]),
        bytecode=bytes.fromhex(out["bytecode"][2:]),
        deployed_size=size,
        source_hash=source_hash(path),
        compiler=f"vyper {version('vyper')}",
        source_map=source_map,
    )


def compile_patched(path: Path, *edits: tuple[str, str, str]) -> Artifact:
    """Compile the contract at `path` with edits, leaving the tree alone.

    Parameters
    ----------
    path : Path
        A contract in the contracts folder, or in its folders `stage` and `trial`.
    edits : (file, old, new)
        `file` relative to the contracts folder; `old` must occur in it exactly once.

    Raises
    ------
    ValueError
        If `old` does not occur exactly once: the mutation would test nothing.
    """
    root = _root(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "contracts"
        shutil.copytree(root, copy)
        for file, old, new in edits:
            _replace_once(copy / file, old, new)
        return compile_source(copy / path.resolve().relative_to(root))


_WITHIN = ("stage", "trial")


def _root(path: Path) -> Path:
    """Return the folder of a contract's own sources."""
    folder = path.resolve().parent
    within = folder.name in _WITHIN and folder.parent.name == "contracts"
    return folder.parent if within else folder


def _replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{path.name}: {old!r} occurs {text.count(old)} times, must be once")
    path.write_text(text.replace(old, new), encoding="utf-8")


def _imports(path: Path) -> tuple[set[Path], set[str]]:
    """Return the sources that `path` reaches, itself included, and the libraries they use."""
    own: set[Path] = set()
    libraries: set[str] = set()
    waiting = [path]
    while waiting:
        source = waiting.pop()
        if source in own:
            continue
        own.add(source)
        for dots, name in _statements(source):
            root = name.split(".")[0]
            if not dots and root in _LIBRARIES:
                libraries.add(root)
            elif dots or root not in _BUILT_IN:
                waiting.append(_locate(source, len(dots), name))
    return own, libraries


def _statements(source: Path) -> Iterator[tuple[str, str]]:
    """Yield each import as its leading dots and its dotted name."""
    for match in _IMPORT.finditer(source.read_text(encoding="utf-8")):
        package, module = match["package"] or "", match["module"]
        yield match["dots"] or "", f"{package}.{module}" if package else module


def _locate(source: Path, dots: int, name: str) -> Path:
    folder = source.parents[max(dots, 1) - 1]
    stem = folder.joinpath(*name.split("."))
    for suffix in _SOURCE_SUFFIXES:
        if (found := stem.with_name(stem.name + suffix)).is_file():
            return found
    raise ValueError(f"{source.name}: cannot find the source of import {name!r}")
