"""The page of the demonstration: spectrograms and players of prompts and their continuations."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from music_composer.reports import html
from music_composer.reports.tables import Table

SUMMARY = (
    "Each prompt is the beginning of a song that a small rule-based composer wrote and a small synthesizer played. The "
    "song was not among the training songs. Each continuation is made of real steps of the prompt and of those songs. "
    "Below it is the continuation by a network that was trained on them for a minute: it has learnt the sound of its "
    "music better than the pulse. Listen for how much of the prompt's pulse, register and colour is kept."
)


@dataclass(frozen=True)
class DemoResult:
    """A prompt and its continuations: a title in plain text, and WAV files with spectrograms (PNG) beside them."""

    title: str
    prompt: Path
    continuation: Path
    network: Path


def write_page(
    path: Path, results: Sequence[DemoResult], loss_plot: Path, figures: Table, facts: Mapping[str, str]
) -> None:
    """Writes the page atomically. It links files relative to itself."""
    folder = path.parent
    sections = [
        *(_result_section(result, folder) for result in results),
        html.section("Training loss", html.picture(_link(loss_plot, folder), "Loss against training step")),
        html.section("Figures", html.paragraph(figures.words), html.table(figures.columns, figures.rows)),
        html.section("Facts", html.facts(list(facts.items()))),
    ]
    html.write_page(path, "a demonstration", "Music, continued", SUMMARY, sections)


def _result_section(result: DemoResult, folder: Path) -> str:
    sounds = [
        ("prompt", "prompt", result.prompt),
        ("continuation", "continuation", result.continuation),
        ("continuation", "continuation by the network", result.network),
    ]
    return html.section(result.title, *(_sound(*sound, result.title, folder) for sound in sounds))


def _sound(role: str, name: str, sound: Path, title: str, folder: Path) -> str:
    """A figure with a spectrogram and a player."""
    spectrogram = html.picture(_link(sound.with_suffix(".png"), folder), f"Spectrogram of the {name} of {title}")
    player = html.audio_player(_link(sound, folder))
    return html.figure(spectrogram, player, caption=name[0].upper() + name[1:], role=role)


def _link(target: Path, folder: Path) -> str:
    """The target's address relative to the folder, quoted for a URL."""
    return quote(os.fsencode(Path(os.path.relpath(target, folder)).as_posix()))
