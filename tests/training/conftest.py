"""Trainings in a second: without Keras, pictures and syncs."""

from __future__ import annotations

import os

import pytest

from music_composer.audio.continuation import run_folder


@pytest.fixture
def without_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "versions", lambda: {"music_composer": "0"})
    monkeypatch.setattr(os, "fsync", lambda file: None)  # hundreds of trainings
    monkeypatch.setattr("music_composer.reports.plots.plot_loss", lambda history, path: path.write_bytes(b"picture"))
