"""What is fuzzed: for each kind of file a few valid ones, and the function of ours that reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile

RATE = 44100


class Target(Protocol):
    """seeds: valid files. text: their numbers and words are damaged too. read: what must give a value or our error."""

    seeds: list[bytes]
    text: bool

    def read(self, content: bytes) -> None: ...


class Recording:
    """All that is done with a recording: its length, all of its sound, a part of it."""

    text = False

    def __init__(self, folder: Path, suffix: str, kinds: list[tuple[str, str, int, int]]) -> None:
        self.path = folder / f"recording{suffix}"
        self.seeds = [_encoded(*kind) for kind in kinds]

    def read(self, content: bytes) -> None:
        from music_composer.audio.reading import recording

        self.path.write_bytes(content)
        reading, blocks = recording.read_blocks(self.path, RATE)
        heard = 0
        for block in blocks:
            assert block.dtype == np.float32 and block.ndim == 2, (block.dtype, block.shape)
            assert np.isfinite(block).all(), "not a number"
            heard += len(block)
        known = recording.survey(self.path)
        assert abs(heard / RATE - known.frames / known.rate) < 0.01, "two lengths"
        assert known.remarks == tuple(reading.remarks), "two opinions"
        recording.read_excerpt(self.path, RATE, known.frames / known.rate / 2, 0.1)
        recording.mono_samples(self.path, 16000, 0.05, 0.2)


class Midi:
    text = False

    def __init__(self, folder: Path) -> None:
        cases = sorted((Path(__file__).parents[3] / "tests" / "cases" / "midi").glob("*"))
        self.seeds = [path.read_bytes() for path in cases if path.stat().st_size < 1000] + [_band()]

    def read(self, content: bytes) -> None:
        from music_composer.symbolic.midi.midi_file import parse_midi
        from music_composer.symbolic.roll import to_roll

        to_roll(parse_midi(content, "fuzzed").score)


class Notation:
    text = True

    def __init__(self, folder: Path, suffix: str) -> None:
        self.path = folder / f"score{suffix}"
        self.seeds = [each.encode() for each in (ABC if suffix == ".abc" else MUSICXML)]

    def read(self, content: bytes) -> None:
        from music_composer.symbolic.notation.score_file import read_score
        from music_composer.symbolic.roll import to_roll

        self.path.write_bytes(content)
        to_roll(read_score(self.path).score)


class Cached:
    """A file of the cache: what is damaged is made again, and the frames are right after it."""

    def __init__(self, folder: Path, pattern: str, text: bool) -> None:
        from music_composer.audio.dataset import cache

        self.datasets, self.folder, self.text = folder / "music", folder / "cache", text
        self.datasets.mkdir()
        (self.datasets / "a.wav").write_bytes(_encoded("WAV", "PCM_16", 2, RATE))
        cache.prepare(self.datasets, self.folder)
        (self.path,) = self.folder.glob(pattern)
        self.seeds = [self.path.read_bytes()]
        self.kept = {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def read(self, content: bytes) -> None:
        from music_composer.audio.dataset import cache

        for name, whole in self.kept.items():
            (self.folder / name).write_bytes(whole)
        self.path.write_bytes(content)
        ready, _ = cache.prepare(self.datasets, self.folder)
        for song in ready.songs:
            np.asarray(cache.load_frames(ready, song), np.float32).sum()


class RunFile:
    """A file of a run folder, and the function that reads it."""

    def __init__(self, folder: Path, name: str) -> None:
        from music_composer.audio.continuation import run_folder
        from music_composer.data.options import FolderOptions
        from music_composer.pipelines.audio import compose
        from music_composer.pipelines.audio.requests import NetworkChoice, TrainRequest
        from music_composer.training.options import TrainOptions

        (folder / "music").mkdir()
        (folder / "music" / "a.wav").write_bytes(_encoded("WAV", "PCM_16", 1, RATE, seconds=4))
        folders = FolderOptions(folder / "music", folder / "cache", folder / "model")
        network = NetworkChoice(neurons=4, layers=1, head="flow")
        compose.train(TrainRequest(folders, network, TrainOptions(epochs=1, batch_size=2, seed=1)))
        self.run = run_folder.read_run(folders.model)
        self.path = folders.model / name
        self.seeds, self.text = [self.path.read_bytes()], name.endswith(".json")
        self.reader: Callable[[], object] = getattr(self, f"_{name.split('.')[0]}")
        self.model: Any = None

    def read(self, content: bytes) -> None:
        self.path.write_bytes(content)
        self.reader()

    def _options(self) -> None:
        from music_composer.audio.continuation import run_folder

        run_folder.read_run(self.run.folder)

    def _checkpoint(self) -> None:
        from music_composer.audio.continuation.networks import build_model
        from music_composer.training import checkpoint, loop
        from music_composer.training.options import TrainOptions

        checkpoint.read_state(self.path)
        if self.model is None:
            self.model = build_model(self.run)
            loop.compile_model(self.model, TrainOptions())
        checkpoint.load_checkpoint(self.path, self.model)

    def _model(self) -> None:
        from music_composer.audio.continuation.networks import build_model
        from music_composer.training.weights import load_weights

        if self.model is None:
            self.model = build_model(self.run)
        load_weights(self.model, self.run.weights)


class Models:
    """models.json of evolution."""

    text = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "models.json"
        self.seeds = [b"[[[[0.5, -1.0], [0.25, 2.0]], [[1.0], [-0.5]]], [[[1, 2], [3, 4]], [[5], [6]]]]"]
        self.seeds.append(b"[[[[0.5], [1.5]], [[]]], [[[2.5], [3.5]], [[]]]]")

    def read(self, content: bytes) -> None:
        from music_composer.genetic.models_file import read_networks

        self.path.write_bytes(content)
        read_networks(self.path, "sigmoid")


def _encoded(form: str, subtype: str, channels: int, rate: int, seconds: float = 0.3) -> bytes:
    """A short chord with a little noise, as the bytes of a recording."""
    t = np.arange(round(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * f * t) for f in (220, 277, 330)) / 6
    noise = np.random.default_rng(0).normal(0, 0.01, (len(t), channels))
    made = io.BytesIO()
    soundfile.write(made, np.asarray(tone)[:, None] + noise, rate, subtype=subtype, format=form)
    return made.getvalue()


def _band() -> bytes:
    """A MIDI file with two parts, drums, a pedal and a bend, by our own writer."""
    import tempfile

    from music_composer.symbolic.midi.midi_file import write_midi
    from music_composer.values import BEND, CONTROL, NOTE, Part, Score

    notes = np.array([(i * 240, i * 240 + 200, 60 + i, 90) for i in range(12)], NOTE)
    controls, bends = np.array([(0, 64, 127), (960, 64, 0)], CONTROL), np.array([(480, 4000)], BEND)
    parts = Part(notes, 40, name="violin", controls=controls, bends=bends), Part(notes, drums=True)
    with tempfile.TemporaryDirectory() as folder:
        write_midi(Score(parts, tempos=((0, 100.0), (960, 140.0)), metres=((0, 3, 4),)), Path(folder) / "band.mid")
        return (Path(folder) / "band.mid").read_bytes()


_NOTE = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration><voice>1</voice></note>"
MUSICXML = [
    '<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>Clarinet</part-name></score-part>'
    '</part-list><part id="P1"><measure number="1"><attributes><divisions>1</divisions><time><beats>4</beats>'
    "<beat-type>4</beat-type></time><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    f'</attributes><sound tempo="90"/>{_NOTE * 4}</measure><measure number="2">{_NOTE * 2}<backup><duration>2'
    f'</duration></backup>{_NOTE}<forward><duration>1</duration></forward><barline location="right">'
    '<repeat direction="backward" times="2"/></barline></measure></part></score-partwise>'
]
ABC = ["X:1\nT:One\nM:3/4\nL:1/8\nQ:1/4=100\nK:G\n|:G2 A2 (3BcB|[Gd]4 z2:|\nX:2\nT:Two\nM:4/4\nL:1/4\nK:Am\nA>B c'2|\n"]

WAVS = [
    ("WAV", "PCM_16", 2, RATE), ("WAV", "FLOAT", 1, 48000), ("WAV", "PCM_24", 6, 22050), ("RF64", "PCM_U8", 1, 8000),
    ("WAV", "IMA_ADPCM", 2, RATE), ("WAVEX", "DOUBLE", 2, RATE), ("WAV", "GSM610", 1, 8000),
]  # fmt: skip
FLACS = [("FLAC", "PCM_16", 2, RATE), ("FLAC", "PCM_24", 1, 96000)]
OGGS = [("OGG", "VORBIS", 2, RATE), ("OGG", "OPUS", 1, 48000)]
AIFFS = [("AIFF", "PCM_16", 2, RATE), ("AIFF", "FLOAT", 1, 48000), ("AIFF", "PCM_S8", 1, 11025)]
MP3S = [("MP3", "MPEG_LAYER_III", 2, RATE), ("MP3", "MPEG_LAYER_III", 1, 22050)]
READERS: dict[str, Callable[[Path], Target]] = {
    "wav": lambda folder: Recording(folder, ".wav", WAVS),
    "flac": lambda folder: Recording(folder, ".flac", FLACS),
    "ogg": lambda folder: Recording(folder, ".ogg", OGGS),
    "aiff": lambda folder: Recording(folder, ".aiff", AIFFS),
    "mp3": lambda folder: Recording(folder, ".mp3", MP3S),
    "midi": Midi,
    "musicxml": lambda folder: Notation(folder, ".musicxml"),
    "abc": lambda folder: Notation(folder, ".abc"),
    "index": lambda folder: Cached(folder, "index.json", text=True),
    "shard": lambda folder: Cached(folder, "frames-*.npy", text=False),
    "options": lambda folder: RunFile(folder, "options.json"),
    "checkpoint": lambda folder: RunFile(folder, "checkpoint.npz"),
    "weights": lambda folder: RunFile(folder, "model.weights.h5"),
    "models": Models,
}
