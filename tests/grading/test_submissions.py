"""Whose notebook a file is, and which: folders, flat names, zips; UTF-8 and GBK."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from handed_in import STEMS, notebook, save

from course_lib.files import CourseFileError
from course_lib.grading.submissions import (
    LARGEST,
    Unreadable,
    decoded,
    find,
    numbered,
    on_roster,
    read_notebook,
    read_roster,
)


@pytest.mark.parametrize(("stem", "expected"), [
    ("2023001_张三_05", ("05", "2023001_张三")), ("05_gan_1d", ("05", "")), ("张三-05_gan_1d (2)", ("05", "张三")),
    ("2023005_李四_05b", ("05b", "2023005_李四")), ("nb05_王五", ("05", "王五")), ("05", ("05", "")),
    ("zhang.san.03c", ("03c", "zhang.san")), ("homework", ("", "homework")), ("2023005", ("", "2023005")),
    ("wang_1042_77_05_gan_1d-1", ("05", "wang_1042_77"))])
def test_a_file_s_name_tells_number_and_student(stem, expected):
    assert numbered(stem, STEMS) == expected


def folders(root: Path) -> Path:
    for student in ("2023001_张三", "李四_123_assignsubmission_file_"):
        for name in ("00_start.ipynb", "05_gan_1d.ipynb"):
            save(root / student / name, notebook())
    save(root / "2023001_张三" / ".ipynb_checkpoints" / "00_start-checkpoint.ipynb", notebook())
    return root


FOUND = [("2023001_张三", "00"), ("2023001_张三", "05"), ("李四", "00"), ("李四", "05")]


def listed(path: Path) -> list[tuple[str, str]]:
    return [(one.student, one.notebook) for one in find(path, STEMS)]


def zipped(folder: Path, path: Path) -> Path:
    """A zip of a folder, with the folder in it."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.ipynb")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def test_a_folder_for_each_student(tmp_path):
    assert listed(folders(tmp_path / "class")) == FOUND


def test_a_zip_of_them_with_a_folder_around(tmp_path):
    assert listed(zipped(folders(tmp_path / "class"), tmp_path / "class.zip")) == FOUND


def test_gbk_names_in_a_zip_that_does_not_say_so(tmp_path, monkeypatch):
    path = tmp_path / "class.zip"
    monkeypatch.setattr(zipfile.ZipInfo, "_encodeFilenameFlags",
                        lambda self: (self.filename.encode("gbk"), self.flag_bits))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("2023001_张三_00.ipynb", json.dumps(notebook()))
        archive.writestr("2023002_李四_05.ipynb", json.dumps(notebook()))
    monkeypatch.undo()
    assert listed(path) == [("2023001_张三", "00"), ("2023002_李四", "05")]
    assert find(path, STEMS)[0].read()


def test_one_flat_folder_also_within_another(tmp_path):
    for name in ("2023001_张三_00.ipynb", "2023002_李四_05b.ipynb"):
        save(tmp_path / "class" / "week 1" / name, notebook())
    expected = [("2023001_张三", "00"), ("2023002_李四", "05b")]
    assert listed(tmp_path / "class" / "week 1") == listed(tmp_path / "class") == expected


def test_a_zip_of_each_student_in_a_folder(tmp_path):
    (tmp_path / "zips").mkdir()
    for folder in folders(tmp_path / "class").iterdir():
        zipped(folder, tmp_path / "zips" / f"{folder.name}.zip")
    assert listed(tmp_path / "zips") == FOUND


def test_the_newest_of_two_counts_and_is_flagged(tmp_path):
    old = save(tmp_path / "a" / "00_start.ipynb", notebook(more="old = 1"))
    new = save(tmp_path / "a" / "00_start (1).ipynb", notebook(more="new = 1"))
    save(tmp_path / "b" / "00_start.ipynb", notebook())
    os.utime(old, (1, 1))
    os.utime(new, (2, 2))
    one, other = find(tmp_path, STEMS)
    assert b"new = 1" in one.read() and one.flags and not other.flags


def test_the_contents_tell_the_number_where_the_name_does_not(tmp_path):
    save(tmp_path / "a" / "homework.ipynb", notebook())
    save(tmp_path / "b" / "other.ipynb", {"cells": []})
    assert listed(tmp_path) == [("a", "00"), ("b", "")]


def test_nothing_to_be_found_is_told(tmp_path):
    with pytest.raises(CourseFileError, match="no such folder"):
        find(tmp_path / "none", STEMS)
    with pytest.raises(CourseFileError, match="no notebook"):
        find(tmp_path, STEMS)
    (tmp_path / "a.zip").write_bytes(b"PK no zip")
    with pytest.raises(CourseFileError, match=r"a\.zip: this zip file cannot be opened"):
        find(tmp_path, STEMS)


def test_what_cannot_be_read_says_why(tmp_path):
    save(tmp_path / "a" / "00_start.ipynb", b"  ")
    with open(save(tmp_path / "b" / "00_start.ipynb", b""), "wb") as file:
        file.truncate(LARGEST + 1)
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("00_start.ipynb", b" " * (LARGEST + 1))  # a bomb: it unpacks to more than it says
    for one, why in zip(find(tmp_path, STEMS), ("empty", "larger than 20 MB", "larger than 20 MB"), strict=True):
        with pytest.raises(Unreadable, match=why):
            one.read()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_any_of_these_encodings(encoding):
    text = json.dumps({"cells": [{"cell_type": "code", "source": "# 注释"}]}, ensure_ascii=False)
    assert read_notebook(text.encode(encoding))["cells"][0]["source"] == "# 注释"
    assert decoded("学号".encode(encoding)).strip("\ufeff") == "学号"


@pytest.mark.parametrize("content", [b'{"cells": [', b"[]", b'{"cells": 3}', b"\xff\x00\xff", b"[" * 100_000])
def test_what_is_no_notebook_is_told(content):
    with pytest.raises(Unreadable, match=r"no notebook|not text"):
        read_notebook(content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
@pytest.mark.parametrize("header", ["", "学号,姓名\n"])
def test_a_roster_and_who_is_on_it(tmp_path, encoding, header):
    path = tmp_path / "roster.csv"
    path.write_bytes(f"{header}2023001,张三\n2023002,李四\n\n2023003,李四\n".encode(encoding))
    roster = read_roster(path)
    assert roster == [("2023001", "张三"), ("2023002", "李四"), ("2023003", "李四")]
    assert on_roster("2023003_李四", roster) == roster[2] and on_roster("张三", roster) == roster[0]
    assert on_roster("李四", roster) is on_roster("王五", roster) is on_roster("20230011", roster) is None


def test_a_roster_without_names_is_told(tmp_path):
    (tmp_path / "roster.csv").write_text("2023001\n", encoding="utf-8")
    with pytest.raises(CourseFileError, match="this is not: '2023001'"):
        read_roster(tmp_path / "roster.csv")
