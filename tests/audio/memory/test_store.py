"""A stored memory loads again, and damage is reported in one line."""

import dataclasses
import json

import numpy as np
import pytest

from music_composer.audio.memory.analysis.steps import StepOptions, Steps
from music_composer.audio.memory.analysis.transposed import transposed_steps
from music_composer.audio.memory.store import (
    Entry,
    Index,
    bytes_of,
    is_stored,
    load_recordings,
    name_of,
    read_index,
    remove_unreferenced,
    write_index,
    write_part,
    write_transposed,
)
from music_composer.audio.options import FrameOptions
from music_composer.errors import OptionError, RunFolderError

OPTIONS, FRAME, STEP, RATE = StepOptions(), FrameOptions(), 1024, 44100


def recalled(folder, options=OPTIONS):
    return load_recordings(read_index(folder / "index.json", options), folder, options, FRAME)


def part(seed, steps=30, channels=2):
    rng = np.random.default_rng(seed)
    sound = rng.uniform(-0.5, 0.5, (steps * STEP + 500, channels)).astype(np.float32)
    entry = Entry(f"{seed}.ogg", name_of(f"{seed}", 0, steps, OPTIONS, FRAME), steps, STEP, RATE, channels)
    return (
        entry,
        sound,
        Steps(rng.uniform(-80, 0, (steps, 64)).astype(np.float32), rng.uniform(0, 2, steps).astype("f")),
    )


@pytest.fixture
def folder(tmp_path):
    entries = [part(seed)[0] for seed in range(2)]
    for seed, entry in enumerate(entries):
        assert not is_stored(tmp_path, entry)
        write_part(tmp_path, *part(seed))
        assert is_stored(tmp_path, entry)
    write_index(tmp_path / "index.json", Index(tuple(entries), 2.5), OPTIONS)
    return tmp_path


@pytest.fixture
def in_keys(folder):
    """A memory with copies a semitone higher and lower."""
    index = read_index(folder / "index.json", OPTIONS)
    for entry in index.entries:
        for semitones in (-1, 1):
            write_transposed(folder, entry, semitones, OPTIONS, FRAME)
    write_index(folder / "index.json", dataclasses.replace(index, semitones=(-1, 1)), OPTIONS)
    return folder


def test_other_keys_are_there_again(in_keys):
    memory = recalled(in_keys)
    assert [getattr(each, "semitones", 0) for each in memory] == [0, 0, -1, -1, 1, 1]
    for each, source in zip(memory[4:], memory[:2], strict=True):
        assert each.recording.entry == source.entry
        wanted = transposed_steps(source.sound, 30 * STEP, 1, FRAME, OPTIONS)
        assert len(each.steps) == len(wanted) == 28
        np.testing.assert_allclose(each.steps.levels, wanted.levels, atol=0.05)


def test_steps_of_another_key_are_made_once(in_keys):
    entry = read_index(in_keys / "index.json", OPTIONS).entries[0]
    path = in_keys / f"steps-{entry.name}+1.npy"
    before = path.stat().st_mtime_ns
    write_transposed(in_keys, entry, 1, OPTIONS, FRAME)
    assert path.stat().st_mtime_ns == before


def test_other_keys_are_forgotten_with_what_they_are_of(in_keys):
    one, other = read_index(in_keys / "index.json", OPTIONS).entries
    size = bytes_of(in_keys, Index((one,), semitones=(-1, 1)))
    assert size == sum(path.stat().st_size for path in in_keys.glob(f"*{one.name}*"))
    remove_unreferenced(in_keys, Index((one,), semitones=(1,)))
    kept = sorted(path.name for path in in_keys.glob("s*-*"))
    assert kept == [f"sound-{one.name}.flac", f"steps-{one.name}+1.npy", f"steps-{one.name}.npy"]
    assert not list(in_keys.glob(f"*{other.name}*"))


def test_a_damaged_key_is_said(in_keys):
    entry = read_index(in_keys / "index.json", OPTIONS).entries[0]
    path = in_keys / f"steps-{entry.name}-1.npy"
    np.save(path, np.zeros((30, 65), np.float16))  # as many as in its own key
    with pytest.raises(RunFolderError, match="not 31 steps"):
        recalled(in_keys)


@pytest.mark.parametrize("semitones", [[3], [0], [1, 1], ["x"], 1, [1e99], [float("inf")]])
def test_keys_that_nothing_is_played_in_are_refused(folder, semitones):
    plain = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(plain | {"semitones": semitones}))
    with pytest.raises(RunFolderError):
        recalled(folder)


def test_an_index_without_keys_is_one_of_its_own_key(folder):
    plain = json.loads((folder / "index.json").read_text())
    del plain["semitones"]
    (folder / "index.json").write_text(json.dumps(plain))
    assert len(recalled(folder)) == 2


def test_what_is_remembered_is_there_again(folder):
    memory = recalled(folder)
    assert [each.entry.source for each in memory] == ["0.ogg", "1.ogg"]
    for seed, each in enumerate(memory):
        _, sound, steps = part(seed)
        np.testing.assert_allclose(each.steps.levels, steps.levels, atol=0.05)
        np.testing.assert_allclose(each.steps.onsets, steps.onsets, atol=0.002)
        np.testing.assert_allclose(each.sound(5000, 9000), sound[5000:9000], atol=1e-4)


def test_what_recordings_share_is_kept_and_unknown_in_an_index_of_before(folder):
    index = folder / "index.json"
    assert read_index(index, OPTIONS).shared == 2.5
    plain = json.loads(index.read_text())
    del plain["shared"]
    index.write_text(json.dumps(plain))
    assert read_index(index, OPTIONS).shared == 0.0


def test_beyond_its_ends_a_part_is_silent(folder):
    sound = recalled(folder)[0].sound(-100, 30 * STEP + 50)
    assert sound.shape == (100 + 30 * STEP + 50, 2)
    assert not sound[:100].any()
    assert not sound[-50:].any()
    np.testing.assert_allclose(sound[100:-50], part(0)[1][: 30 * STEP], atol=1e-4)
    assert not recalled(folder)[0].sound(-300, -100).any()


def test_files_that_nothing_remembers_are_removed(folder):
    one = part(2, channels=1)
    write_part(folder, *one)
    (folder / "steps-of-mine.npy").write_text("not of a memory")
    write_index(folder / "index.json", Index((one[0],)), OPTIONS)
    remove_unreferenced(folder, Index((one[0],)))
    assert (folder / "steps-of-mine.npy").exists()
    assert len(list(folder.iterdir())) == 4
    (only,) = recalled(folder)
    assert only.sound(0, 10).shape == (10, 1)
    assert bytes_of(folder, Index((one[0],))) == sum(path.stat().st_size for path in folder.glob(f"*{one[0].name}*"))


def test_a_name_is_of_what_the_files_are_made_of():
    names = {
        name_of(content, first, last, options, frame)
        for content, first, last, options, frame in (
            ("a", 0, 9, OPTIONS, FRAME),
            ("a", 0, 9, StepOptions(), FrameOptions()),
            ("b", 0, 9, OPTIONS, FRAME),
            ("a", 1, 9, OPTIONS, FRAME),
            ("a", 0, 8, OPTIONS, FRAME),
            ("a", 0, 9, StepOptions(pooled=4), FRAME),
            ("a", 0, 9, OPTIONS, FrameOptions(bands=96)),
        )
    }
    assert len(names) == 6


def test_a_part_needs_sound_for_all_its_steps(tmp_path):
    entry, sound, steps = part(0)
    with pytest.raises(OptionError, match=r"0\.ogg: 30719 samples for 30 steps"):
        write_part(tmp_path, entry, sound[: 30 * STEP - 1], steps)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pattern", ["index.json", "steps-*.npy", "sound-*.flac"])
@pytest.mark.parametrize("damage", ["gone", "cut", "noise"])
def test_damage_is_one_line_that_names_the_file(folder, pattern, damage):
    path = sorted(folder.glob(pattern))[0]
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 3] if damage == "cut" else bytes(range(256)) * 20)
    with pytest.raises(RunFolderError, match="train again") as raised:
        for each in recalled(folder):
            each.sound(0, 30 * STEP)
    assert path.name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [{"magic": "x"}, {"version": 2}, {"entries": 5}, {"entries": [{"source": "a"}]}, {"shared": -1}, {"shared": "x"}],
)
def test_an_index_that_is_not_ours_is_refused(folder, change):
    index = folder / "index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | change))
    with pytest.raises(RunFolderError, match=r"index\.json"):
        recalled(folder)


@pytest.mark.parametrize("change", [{"rate": 48000}, {"step": 512}])
def test_steps_of_another_length_are_another_memory(folder, change):
    index = folder / "index.json"
    plain = json.loads(index.read_text())
    plain["entries"][1] |= change
    index.write_text(json.dumps(plain))
    with pytest.raises(RunFolderError, match=r"1\.ogg has steps of"):
        recalled(folder)


def test_steps_of_other_bands_are_damaged(folder):
    path = sorted(folder.glob("steps-*.npy"))[0]
    np.save(path, np.load(path)[:, :-1])
    with pytest.raises(RunFolderError, match="train again"):
        recalled(folder)


def test_an_entry_leads_nowhere_else(folder):
    index = folder / "index.json"
    index.write_text(index.read_text().replace(json.loads(index.read_text())["entries"][0]["name"], "../../../secret"))
    with pytest.raises(RunFolderError, match="is no name"):
        recalled(folder)


def test_other_options_are_another_memory(folder):
    with pytest.raises(RunFolderError, match="was made with"):
        recalled(folder, StepOptions(pooled=4))
