"""The file tools stay below their base directory and within their limits."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from ferroscope.tools import FileSystemToolKit, FileSystemToolKitConfig

ESCAPES = [
    "../../etc/passwd",
    "../secret.txt",
    "a/../../secret.txt",
    "/etc/passwd",
    "/etc/hosts.txt",
    "link.txt",
    "dir_link/secret.txt",
    "dangling.txt",
]
TRAVERSAL = "Error: Invalid path (attempted path traversal)"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "a.txt").write_text("text")
    if sys.platform != "win32":
        (root / "link.txt").symlink_to(tmp_path / "secret.txt")
        (root / "dir_link").symlink_to(tmp_path)
        (root / "dangling.txt").symlink_to(tmp_path / "new.txt")
    return root


def run(root: Path, name: str, config: FileSystemToolKitConfig | None = None, /, **arguments: str) -> str:
    toolkit = FileSystemToolKit(base_directory=root, config=config or FileSystemToolKitConfig())
    tools = {tool._name(): tool for tool in toolkit.create_tools()}
    answer = tools[f"file_system_{name}"](**arguments).call()
    assert isinstance(answer, str)
    return answer


def test_files_are_written_read_listed_and_deleted(root: Path) -> None:
    assert run(root, "WriteFile", path="sub/b.md", content="ü\r\n") == "Successfully wrote to sub/b.md"
    assert (root / "sub/b.md").read_bytes() == "ü\r\n".encode()
    assert run(root, "ReadFile", path="sub/b.md") == "ü\r\n"
    assert run(root, "WriteFile", path="sub/b.md", content="c") == "Successfully wrote to sub/b.md"
    assert (root / "sub/b.md").read_text() == "c"
    assert run(root, "CreateDirectory", path="sub/deep") == "Successfully created directory sub/deep"
    assert run(root, "ListDirectory", path="sub") == "Contents of sub :\n- b.md [file] (1 bytes)\n- deep [directory]\n"
    assert run(root, "DeleteFile", path="sub/b.md") == "Successfully deleted sub/b.md"
    assert not (root / "sub/b.md").exists()


def test_missing_files_are_reported(root: Path) -> None:
    (root / "d.txt").mkdir()
    assert run(root, "ReadFile", path="no.txt") == "Error: File no.txt not found"
    assert run(root, "DeleteFile", path="no.txt") == "Error: File no.txt not found"
    assert run(root, "DeleteFile", path="d.txt") == "Error: d.txt is not a file"
    assert run(root, "ListDirectory", path="no") == "Error: Directory no not found"
    assert run(root, "CreateDirectory", path="a.txt") == "Error creating directory: File exists"
    assert run(root, "WriteFile", path="d.txt", content="") == "Error writing file: Is a directory"


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege")
@pytest.mark.parametrize("path", ESCAPES)
def test_no_tool_leaves_the_base_directory(root: Path, path: str) -> None:
    before = sorted(str(file) for file in root.parent.rglob("*"))
    assert run(root, "ReadFile", path=path) == TRAVERSAL
    assert run(root, "WriteFile", path=path, content="x") == TRAVERSAL
    assert run(root, "DeleteFile", path=path) == TRAVERSAL
    assert run(root, "CreateDirectory", path=path) == TRAVERSAL
    assert run(root, "ListDirectory", path=path) == TRAVERSAL
    assert (root.parent / "secret.txt").read_text() == "secret"
    assert sorted(str(file) for file in root.parent.rglob("*")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege")
def test_a_listing_does_not_follow_links(root: Path) -> None:
    assert run(root, "ListDirectory") == (
        "Contents of . :\n- a.txt [file] (4 bytes)\n- dangling.txt [link]\n- dir_link [link]\n- link.txt [link]\n"
    )


@pytest.mark.parametrize("path", ["key.pem", "noext", ".env", "a.txt.exe", ""])
def test_other_extensions_are_refused(root: Path, path: str) -> None:
    refused = "Error: Invalid file extension. Allowed: ['txt']"
    config = FileSystemToolKitConfig(allowed_extensions=["txt"])
    assert run(root, "ReadFile", config, path=path) == refused
    assert run(root, "WriteFile", config, path=path, content="x") == refused
    assert run(root, "DeleteFile", config, path=path) == refused


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege")
def test_a_link_does_not_change_the_extension(root: Path) -> None:
    (root / ".env").write_text("KEY=1")
    (root / "env.txt").symlink_to(root / ".env")
    (root / "same.txt").symlink_to(root / "a.txt")
    assert run(root, "ReadFile", path="env.txt").startswith("Error: Invalid file extension.")
    assert run(root, "ReadFile", path="same.txt") == "text"


def test_files_over_the_limit_are_refused(root: Path) -> None:
    config = FileSystemToolKitConfig(max_file_size=4)
    assert run(root, "ReadFile", config, path="a.txt") == "text"
    (root / "a.txt").write_text("text5")
    assert run(root, "ReadFile", config, path="a.txt") == "Error: File exceeds maximum size of 4 bytes"
    assert run(root, "WriteFile", config, path="b.txt", content="äää") == (
        "Error: Content exceeds maximum size of 4 bytes"
    )
    assert not (root / "b.txt").exists()


def test_a_long_listing_ends_at_the_limit(root: Path) -> None:
    (root / "many").mkdir()
    for index in range(5):
        (root / "many" / f"{index}.txt").touch()
    listing = run(root, "ListDirectory", FileSystemToolKitConfig(max_entries=3), path="many").splitlines()
    assert len(listing) == 5
    assert listing[-1] == "(more than 3 entries; the rest is not listed)"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_does_not_block(root: Path) -> None:
    os.mkfifo(root / "pipe.txt")
    assert run(root, "ReadFile", path="pipe.txt") == "Error: File pipe.txt not found"
    assert run(root, "WriteFile", path="pipe.txt", content="x").startswith("Error")


def test_strange_content_and_paths_are_reported(root: Path) -> None:
    (root / "binary.txt").write_bytes(b"\xff\xfe")
    assert run(root, "ReadFile", path="binary.txt").startswith("Error reading file: ")
    assert run(root, "ReadFile", path="a\0.txt").startswith("Error: Invalid path (")
    assert run(root, "WriteFile", path="x" * 300 + ".txt", content="").startswith("Error")
    assert str(root) not in run(root, "WriteFile", path="a.txt/b.txt", content="")


@pytest.mark.parametrize("name", ["no", "a.txt"])
def test_the_base_directory_must_exist(root: Path, name: str) -> None:
    with pytest.raises(ValidationError, match=r"does not exist|is not a directory"):
        FileSystemToolKit(base_directory=root / name)


def test_the_base_directory_is_the_current_one_by_default(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert FileSystemToolKit().base_directory == root


def test_two_toolkits_keep_their_own_limits(root: Path) -> None:
    small = FileSystemToolKit(base_directory=root, config=FileSystemToolKitConfig(max_file_size=1))
    large = FileSystemToolKit(base_directory=root)
    answers = [kit.create_tools()[3].model_validate({"path": "a.txt"}).call() for kit in (small, large, small)]
    assert answers == ["Error: File exceeds maximum size of 1 bytes", "text", answers[0]]
