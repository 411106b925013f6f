"""The table of albums and its trials: what is held out stays out, and a walk keeps to its bounds."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tests.command import music_composer
from tests.evaluation.audio.tunes import FLUTES, RATE, REEDS, tune

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "audio"))

from albums import lay_out  # noqa: E402
from memory.aims import FIGURES  # noqa: E402
from memory.cuts import divide  # noqa: E402
from memory.figures import Judge  # noqa: E402
from memory.layers import layered, separated  # noqa: E402
from memory.minutes import long_row  # noqa: E402
from memory.product import Program  # noqa: E402
from memory.render import render  # noqa: E402
from memory.speed import speed_row  # noqa: E402
from memory.steps import HOP, PER_SECOND, joined, steps_of  # noqa: E402
from memory.store import Memory, encoder_of  # noqa: E402
from memory.tables import COLUMNS, header, shown  # noqa: E402
from memory.toys import prompts_end, shuffled_prompt  # noqa: E402
from memory.verdict import album_table, summary  # noqa: E402
from memory.walk import Walk, WalkOptions, going_on  # noqa: E402
from memory_trial import memory_of  # noqa: E402

pytestmark = pytest.mark.journey

PAGE = Path(__file__).parents[2] / "benchmarks" / "audio" / "listening_page.py"


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder, work = tmp_path_factory.mktemp("album"), tmp_path_factory.mktemp("work")
    for track in range(6):
        samples = tune((FLUTES, REEDS)[track % 2], track // 2, 42.0)
        soundfile.write(folder / f"{track}.wav", samples, RATE)
    return divide(folder, work)


@pytest.fixture(scope="module")
def memory(album):
    parts = [steps_of(track.load(0.0, 20.0)) for track in album.training]
    sources = [(i, 0) for i in range(len(parts))]
    return Memory([*parts, steps_of(album.cuts[0].prompt())], [*sources, (-1, 0)], encoder_of(joined(parts)))


def test_whole_tracks_are_held_out_and_parts_follow_each_other(album):
    held = {cut.track.digest for cut in album.cuts}
    assert len(held) == 2
    assert held.isdisjoint(track.digest for track in album.training)
    for cut in album.cuts:
        whole = np.concatenate([cut.prompt(), cut.truth(), cut.later()])
        np.testing.assert_array_equal(whole, cut.track.load(0.0, len(whole) / RATE))
        assert cut.at >= 10.0
        assert len(cut.truth()) == len(cut.later()) == 15 * RATE


def test_the_prompts_end_is_what_precedes_the_cut(album):
    for cut in album.cuts:
        end = prompts_end(album, cut, np.random.default_rng(0))
        assert len(end) / RATE == pytest.approx(min(cut.part, cut.at), abs=1e-4)
        whole = np.concatenate([end, cut.truth()])
        np.testing.assert_array_equal(whole, cut.track.load(max(0.0, cut.at - cut.part), cut.at + cut.part))


def test_the_table_has_all_figures_of_real_music_and_of_a_toy(album):
    judge = Judge(album)
    takes = [shuffled_prompt(album, cut, np.random.default_rng(0)) for cut in album.cuts]
    toy, real = judge.row(takes, "toy"), judge.real_row
    assert set(COLUMNS) == set(real) == set(toy)
    assert toy["own again"] > 0.9 > real["own again"]
    assert toy["steady"] < 0.8 * real["steady"]
    assert shown("toy", [toy], real).count("|") == header().splitlines()[0].count("|")


def test_the_division_depends_on_the_bytes_alone(album, tmp_path):
    folder = tmp_path / "renamed"
    folder.mkdir()
    for track in [*album.training, *(cut.track for cut in album.cuts)]:
        (folder / f"z{track.path.name}").write_bytes(track.path.read_bytes())
    again = divide(folder, tmp_path / "work")
    assert {cut.track.digest for cut in again.cuts} == {cut.track.digest for cut in album.cuts}


def test_nothing_behind_the_cut_is_in_memory(album, tmp_path):
    """A tone is planted there: an album's memory, coloured or not, must not know it."""
    first = album.cuts[0]
    planted = np.load(first.track.samples).copy()
    at = round(first.at * RATE)
    tone = 6000 * np.sin(2 * np.pi * 9000 * np.arange(len(planted) - at) / RATE)
    planted[at:] = np.clip(planted[at:] + tone[:, None], -32767, 32767).astype(np.int16)
    np.save(tmp_path / "planted.npy", planted)
    cut = replace(first, track=replace(first.track, samples=tmp_path / "planted.npy"))
    band = steps_of(cut.truth()).mel[100].argmax()
    memory, gains = memory_of(album, cut, 0, 0.7, tmp_path)
    assert steps_of(cut.truth()).mel[:, band].min() > -25.0
    assert memory.steps.mel[:, band].max() < -25.0
    assert gains.shape == memory.steps.mel.shape


@pytest.mark.parametrize("guard", [True, False])
def test_a_walk_keeps_to_its_bounds(memory, guard):
    options = WalkOptions(most_own=1.5, most_training=0.8, guard=guard)
    runs = Walk(memory, options, np.random.default_rng(0)).play(5.0).runs
    assert runs == Walk(memory, options, np.random.default_rng(0)).play(5.0).runs
    assert runs != Walk(memory, options, np.random.default_rng(1)).play(5.0).runs
    assert sum(last - first + 1 for first, last in runs) >= round(5.0 * PER_SECOND)
    for first, last in runs:
        assert memory.part[first] == memory.part[last]
        most = options.most_own if memory.own[first] else options.most_training
        assert options.least - 0.03 <= (last - first + 1) / PER_SECOND <= most + 0.03


def test_own_share_is_steered(memory):
    shares = []
    for share in (0.1, 0.9):
        walk = Walk(memory, WalkOptions(own=0.0, share=share, steer=20.0, most_own=1.0), np.random.default_rng(0))
        shares.append(memory.own[walk.play(8.0).places].mean())
    assert shares[0] < 0.4 < 0.6 < shares[1]


def test_what_is_played_is_as_long_as_asked_and_begins_without_a_step(album, memory):
    prompt = album.cuts[0].prompt()
    runs = Walk(memory, WalkOptions(own=9.0), np.random.default_rng(0)).play(5.0).runs
    assert all(memory.own[first] for first, _ in runs)
    sound = render(memory, lambda part: prompt, prompt, runs, 4.5)
    assert sound.shape == (round(4.5 * RATE), 2)
    assert abs(sound[0] - prompt[-1]).max() < 0.1


def test_layers_add_up_and_tell_what_rings_from_what_strikes():
    time = np.arange(2 * RATE) / RATE
    tone = np.repeat(0.3 * np.sin(2 * np.pi * 440 * time)[:, None], 2, axis=1).astype(np.float32)
    struck = np.zeros_like(tone)
    struck[:: RATE // 4] = 0.8
    ringing, striking = separated(tone + struck)
    np.testing.assert_allclose(ringing + striking, tone + struck, atol=1e-5)
    inner = slice(RATE // 4, -RATE // 4)
    assert np.square(ringing - tone)[inner].sum() < 0.1 * np.square(struck)[inner].sum()
    np.testing.assert_allclose(layered(tone, struck)[inner], (tone + struck)[inner], atol=0.3)


@pytest.mark.parametrize("bar", [100.0, 121.4, 173.7])
def test_onsets_go_on_in_the_prompts_bars(bar):
    """Four beats to a bar, of different strength, at times that fall between steps; no beat is ever late."""
    steps, beats = np.arange(3000), np.arange(0, 3000, bar / 4)
    strength = np.array([2.0, 0.5, 1.0, 0.7])[np.arange(len(beats)) % 4]
    onset = (strength * np.maximum(0, 1.5 - np.abs(steps[:, None] - beats))).sum(axis=1)
    told = going_on(onset[:1400], 1500)
    assert np.corrcoef(told, onset[1400:2900])[0, 1] > 0.9
    assert np.corrcoef(told[-300:], onset[2600:2900])[0, 1] > 0.85


def test_runs_that_are_moved_to_fit_are_never_late_for_long():
    """The difference of the channels tells the time; runs fit best some milliseconds off."""
    time = np.arange(40 * RATE) / RATE
    tone, clock = 0.3 * np.sin(2 * np.pi * 97.3 * time), time / 40
    sound = np.stack([tone + clock, tone - clock], axis=1).astype(np.float32)
    memory = SimpleNamespace(part=np.zeros(40 * 43, int), firsts=np.array([0]))
    runs = [(40 * i + 17, 40 * i + 36) for i in range(2, 42)]
    played = render(memory, lambda part: sound, sound[:RATE], runs, 40 * 20 * HOP / RATE - 0.1)
    for i, (first, _) in enumerate(runs[:-1]):
        middle = (20 * i + 10) * HOP
        told = (played[middle, 0] - played[middle, 1]) / 2 * 40
        assert abs(told - (first + 10) * HOP / RATE) < 0.0085


def test_a_folder_with_train_and_test_is_divided_so(tmp_path):
    for part, seconds in (("train", 21.0), ("train", 42.0), ("test", 42.0), ("test", 43.0), ("test", 30.0)):
        (tmp_path / "album" / part).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "album" / part / f"{seconds:g}.wav", tune(FLUTES, int(seconds), seconds), RATE)
    parted = divide(tmp_path / "album", tmp_path / "work")
    assert {track.name for track in parted.training} == {"21", "42"}
    assert {cut.track.name for cut in parted.cuts} == {"42", "43"}  # the third is too short for a part and a ruler
    assert {cut.track.path.parent.name for cut in parted.cuts} == {"test"}


def test_marks_follow_the_aims():
    """Real music reads 2; aims of a demo are closer than those of an album."""
    figures = {figure.key: figure for figure in FIGURES}
    real = {"change": 2.0, "clicks": 4.0, "level": -20.0, "back": 0.1}
    change, clicks, level, back = (figures[key] for key in real)
    assert change.cell({"change": 2.16}, real, close=False) == "1.08x ✓"
    assert change.cell({"change": 2.16}, real, close=True) == "1.08x ✗"
    assert change.cell(real, real, close=True) == "2.00"
    assert [clicks.reached(value, real, True) for value in (5.9, 6.1)] == [True, False]
    assert level.cell({"level": -21.5}, real, close=True) == "-1.5 dB ✗"
    assert level.cell({"level": -21.5}, real, close=False) == "-1.5 dB ✓"
    assert [back.reached(value, real, False) for value in (0.13, 0.14)] == [True, False]
    assert figures["pulse"].cell({"pulse": 1.0}, {"pulse": 0.5}, close=True) == "2.00x"
    assert figures["jumps better"].cell({}, real, close=True) == ""
    assert figures["way rank"].aim_shown(close=True) == ">= 85 %"


def test_few_candidates_give_no_verdict_on_adherence(album):
    judge = Judge(album)
    takes = [shuffled_prompt(album, cut, np.random.default_rng(0)) for cut in album.cuts]
    rows = {"real": judge.real_row, "toy": judge.row(takes, "toy")}
    lines = {line.split(" | ")[0].strip("| "): line for line in album_table(judge, rows)}
    adherence, steadiness = lines["way from chance to real, by rank"], lines["steadiness of the pulse"]
    assert "✓" not in adherence and "✗" not in adherence
    assert "✗" in steadiness
    told = summary("toy", [judge, judge], {album.name: rows})
    together = next(line for line in told if "by rank" in line).split(" | ")[-1]
    assert "✓" in together or "✗" in together


def test_minutes_tell_music_from_a_loop_and_from_noise(album):
    """Two minutes each: other tunes of the album go on, eight seconds again and again do not, nor does noise."""
    judge = Judge(album)
    tunes = [np.concatenate([tune((FLUTES, REEDS)[i], 1, 30.0, seed=j) for j in range(4)]) for i in range(2)]
    music = [np.repeat(each[:, None], 2, axis=1).astype(np.float32) for each in tunes]
    looped = [np.tile(each[: 8 * RATE], (15, 1)) for each in music]
    noise = [0.3 * np.random.default_rng(0).standard_normal(each.shape).astype(np.float32) for each in music]
    drifting = [np.concatenate([one[: 60 * RATE], other[: 60 * RATE]]) for one, other in zip(music, noise, strict=True)]
    rows = {name: long_row(judge, takes)[0] for name, takes in
            {"music": music, "loop": looped, "noise": noise, "drift": drifting}.items()}  # fmt: skip
    assert [rows[name]["stuck"] for name in ("music", "loop")] == [0.0, 1.0]
    assert [rows[name]["stable"] for name in ("music", "noise", "drift")] == [1.0, 0.0, 0.0]
    assert rows["music"]["worst minute"] < 2.0 < rows["drift"]["worst minute"]


def test_the_program_plays_through_its_command_line(album, tmp_path):
    program = Program(tmp_path, seed=1, command=lambda words: music_composer(*words, cwd=tmp_path))
    lay_out(album, tmp_path)
    model = program.remember(album)
    takes = program.play("memory", album, model, album.cuts, 3.0)
    assert [len(take.new()) for take in takes] == [3 * RATE] * 2
    assert all(take.cut > 0.5 for take in takes)
    assert program.told[0].startswith("music-composer train -d WORK/training/")
    assert "WORK" in program.told[1]
    assert speed_row(model, "memory", program.prompt(album, album.cuts[0]))["speed"] > 0.0
    again = Program(tmp_path, seed=1, kept=True)
    again.play("memory", album, model, album.cuts, 3.0)
    assert again.told == []
    for cut in album.cuts:
        program.truth(album, cut)
    page = tmp_path / "page.html"
    subprocess.run([sys.executable, PAGE, tmp_path, "--out", page], check=True, capture_output=True)
    assert page.read_text().count("<audio") == 3 * len(album.cuts)
    assert len(list((tmp_path / "page").glob("*.png"))) == 3 * len(album.cuts)
