"""Every cell of the networks' tables is shown by a test that exists, or says why it is not."""

from pathlib import Path

from docs import sandbox_tables
from docs.sandbox_tables import Cell

from hitchpost_sandbox import networks


def test_every_cell_is_shown_by_a_test_or_says_why_not() -> None:
    found = sandbox_tables.cells()
    assert sandbox_tables.missing_tests(found) == []
    assert {cell.network for cell in found} == {twin.network for twin in networks.found()}


def test_a_cell_without_test_and_reason_and_one_with_a_test_of_nobody_are_named(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text("def test_here(): ...")
    wrong = sandbox_tables.missing_tests(
        (
            Cell("x", "me", "GET /me", "nothing"),
            Cell("x", "me", "GET /me", "gone", ("here.py::test_gone", "there.py::test_there")),
            Cell("x", "me", "GET /me", "fine", ("here.py::test_here",)),
            Cell("x", "me", "GET /me", "explained", reason="not built"),
        ),
        tmp_path,
    )
    assert [sentence.split("”")[0] for sentence in wrong] == ["x/me: “nothing", "x/me: “gone", "x/me: “gone"]


def test_only_publishing_is_left_out_as_a_whole() -> None:
    whole = {(cell.network, cell.row): cell.reason for cell in sandbox_tables.cells() if cell.says == "*"}
    assert set(whole.values()) == {"publishing comes with the publishing feature"}
