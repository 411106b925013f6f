"""The pages: their links lead somewhere, their commands exist, and the paths that they name are there."""

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

import music_composer
from music_composer.cli.commands import cli
from music_composer.web.command import web

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / ".github").rglob("*.md"),
        ROOT / "tests/cases/README.md",
    ]
)
LOGS = {"CHANGELOG.md", "experiments.md"}  # they tell what was, too
WITHOUT_COMMANDS = {"CHANGELOG.md", "cli.md", "roadmap.md"}  # or with generated ones, or planned ones
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
PATHS = re.compile(r"`([a-z_./]+/[A-Za-z_./]*)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LONGEST_README = 120


def text_of(page):
    return page.read_text(encoding="utf-8")


def name_of(page):
    return str(page.relative_to(ROOT))


def anchors_of(page):
    """What GitHub makes of the headings of a page."""
    headings = HEADING.findall(CODE.sub("", text_of(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def commands_in(text):
    """The words of every command of ours, in blocks and in lines; comments and what follows a pipe are left out."""
    blocks = [line.strip() for block in CODE.findall(text) for line in block.splitlines()[1:-1]]
    named = re.findall(r"`(music-composer [^`]+)`", CODE.sub("", text))
    for line in [each for each in blocks if each.startswith("music-composer ")] + named:
        words = shlex.split(line, comments=True)
        end = next((i for i, word in enumerate(words) if word in ("|", "&&", "...", "COMMAND")), len(words))
        yield line, words[1:end]


def parse(words):
    """Raises click's error for a command or an option that does not exist, or a value that is not taken."""
    program = click.Group(
        "music-composer", {**cli.commands, "web": web}, invoke_without_command=True, params=cli.params
    )
    command, context = program, None
    while True:
        context = command.make_context(command.name, list(words), parent=context)
        kept = vars(context)  # what a group leaves to its subcommand lies in one list or two, by the version of click
        rest = [*kept.get("_protected_args", kept.get("protected_args", [])), *context.args]
        if not isinstance(command, click.Group) or not rest:
            return
        _, command, words = command.resolve_command(context, rest)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for link in LINK.findall(CODE.sub("", text_of(page))):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(target), link


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in LOGS], ids=name_of)
def test_paths_that_are_named_exist(page):
    for path in PATHS.findall(text_of(page)):
        if path.endswith(".py"):
            assert (ROOT / path).exists() or (ROOT / "music_composer" / path).exists(), path


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in WITHOUT_COMMANDS], ids=name_of)
def test_commands_exist(page):
    for line, words in commands_in(text_of(page)):
        try:
            parse(words)
        except (click.exceptions.Exit, click.MissingParameter):  # of --version; a command that is only named
            pass
        except click.ClickException as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_a_command_that_does_not_exist_is_found():
    for words in (["generate", "--tempo", "3"], ["midi", "sing"], ["train", "-e", "many"]):
        with pytest.raises(click.ClickException):
            parse(words)
    parse(["midi", "generate", "-g", "3"])


def test_the_reference_of_the_command_line_is_up_to_date():
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    generate_cli = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate_cli)
    assert text_of(ROOT / "docs" / "cli.md") == generate_cli.page(), "run: python docs/generate_cli.py"


def test_the_readme_is_short():
    assert len(text_of(ROOT / "README.md").splitlines()) <= LONGEST_README


def test_the_citation_names_this_version():
    assert f"version: {music_composer.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
