import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from music_composer.demo.page import DemoResult, write_page
from music_composer.errors import MusicComposerError
from music_composer.reports.tables import Table

FIGURES = Table("", "In <brackets>", ["music", "pulse"], [["real & true", "0.8"], ["made", "0.7"]])


class Reader(HTMLParser):
    """Collects the page's tags in order, its links and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data.strip())

    @property
    def links(self) -> list[str]:
        return [attrs[name] for _, attrs in self.tags for name in ("src", "href") if attrs.get(name)]


def result_in(folder: Path, title: str) -> DemoResult:
    names = ("prompt.wav", "suite été #1?.wav", 'suite 100% & "more": <1>.wav')
    return DemoResult(title, *(folder / title.replace("/", "") / name for name in names))


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


@pytest.fixture
def page(tmp_path):
    results = [result_in(tmp_path, "Étude one"), result_in(tmp_path.parent, "two")]
    path = tmp_path / "index.html"
    write_page(path, results, tmp_path / "loss curve.png", FIGURES, {"Songs & pieces": "<7>", "Steps": "400"})
    return path, results


def test_every_file_is_linked_relative_to_the_page(page):
    path, results = page
    linked = [os.path.normpath(path.parent / unquote(link)) for link in read(path).links]
    wanted = []
    for result in results:
        for sound in (result.prompt, result.continuation, result.network):
            wanted += [sound.with_suffix(".png"), sound]
    assert linked == [str(each) for each in [*wanted, path.parent / "loss curve.png"]]


def test_links_are_quoted_for_browsers(page):
    for link in read(page[0]).links:
        assert not set(link) & set(' #?&":<>')
        assert not link.startswith("/")


def test_each_prompt_is_above_its_continuation_with_players(page):
    tags = read(page[0]).tags
    roles = [attrs["class"] for tag, attrs in tags if tag == "figure"]
    assert roles == ["prompt", "continuation", "continuation"] * 2
    players = [attrs for tag, attrs in tags if tag == "audio"]
    assert len(players) == 6 and all("controls" in attrs for attrs in players)


def test_the_page_is_self_contained(page):
    tags = {tag for tag, _ in read(page[0]).tags}
    assert not tags & {"script", "link", "iframe"}
    text = page[0].read_text(encoding="utf-8")
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text


def test_names_are_escaped(tmp_path):
    title = '<b>&amp; $title</b> "x"'
    write_page(
        tmp_path / "p.html", [result_in(tmp_path, title)], tmp_path / "l.png", FIGURES, {"<i>k</i>": "<u>$v</u> & w"}
    )
    reader = read(tmp_path / "p.html")
    assert {title, "<i>k</i>", "<u>$v</u> & w"} <= set(reader.words)
    assert not {"b", "i", "u"} & {tag for tag, _ in reader.tags}
    alternatives = [attrs["alt"] for tag, attrs in reader.tags if tag == "img"]
    assert alternatives[0] == f"Spectrogram of the prompt of {title}"


def test_figures_and_facts_form_tables(page):
    words = [word for word in read(page[0]).words if word]
    start = words.index("In <brackets>") + 1
    assert words[start : start + 6] == ["music", "pulse", "real & true", "0.8", "made", "0.7"]
    assert words[-4:] == ["Songs & pieces", "<7>", "Steps", "400"]


def test_a_failed_write_leaves_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "index.html"
    path.write_text("old")

    def refuse(*_):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(MusicComposerError, match=r"index\.html cannot be written: no"):
        write_page(path, [], tmp_path / "loss.png", FIGURES, {})
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("index.html", "old")]
