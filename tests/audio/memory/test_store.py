"""What is remembered is there again, and damage is said in one line."""

import json

import numpy as np
import pytest

from music_composer.audio.memory.steps import StepOptions, Steps
from music_composer.audio.memory.store import bytes_of, recall, remember, write_index
from music_composer.errors import OptionError, RunFolderError
from music_composer.values import Waveform

OPTIONS, STEP, RATE = StepOptions(), 1024, 44100


def part(seed, steps=30, channels=2):
    rng = np.random.default_rng(seed)
    sound = rng.uniform(-0.5, 0.5, (steps * STEP + 500, channels)).astype(np.float32)
    return Waveform(sound, RATE), Steps(
        rng.uniform(-80, 0, (steps, 64)).astype(np.float32), rng.uniform(0, 2, steps).astype(np.float32)
    )


@pytest.fixture
def folder(tmp_path):
    entries = [remember(tmp_path, f"{seed}.ogg", *part(seed), OPTIONS, STEP) for seed in range(2)]
    write_index(tmp_path, entries, OPTIONS)
    return tmp_path


def test_what_is_remembered_is_there_again(folder):
    memory = recall(folder, OPTIONS)
    assert [each.entry.source for each in memory] == ["0.ogg", "1.ogg"]
    for seed, each in enumerate(memory):
        sound, steps = part(seed)
        np.testing.assert_allclose(each.steps.levels, steps.levels, atol=0.05)
        np.testing.assert_allclose(each.steps.onsets, steps.onsets, atol=0.002)
        np.testing.assert_allclose(each.sound(5000, 9000), sound.samples[5000:9000], atol=1e-4)


def test_beyond_its_ends_a_part_is_silent(folder):
    sound = recall(folder, OPTIONS)[0].sound(-100, 30 * STEP + 50)
    assert sound.shape == (100 + 30 * STEP + 50, 2)
    assert not sound[:100].any()
    assert not sound[-50:].any()
    np.testing.assert_allclose(sound[100:-50], part(0)[0].samples[: 30 * STEP], atol=1e-4)
    assert not recall(folder, OPTIONS)[0].sound(-300, -100).any()


def test_files_that_nothing_remembers_are_removed(folder):
    one = remember(folder, "2.ogg", *part(2, channels=1), OPTIONS, STEP)
    write_index(folder, [one], OPTIONS)
    assert len(list(folder.iterdir())) == 3
    (only,) = recall(folder, OPTIONS)
    assert only.sound(0, 10).shape == (10, 1)
    assert bytes_of(folder, [one]) == sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".json")


def test_the_same_part_has_the_same_name_and_other_options_another(tmp_path):
    names = [remember(tmp_path, "0.ogg", *part(0), OPTIONS, STEP).name for _ in range(2)]
    names.append(remember(tmp_path, "0.ogg", *part(0), StepOptions(pooled=4), STEP).name)
    assert names[0] == names[1] != names[2]


def test_a_part_needs_sound_for_all_its_steps(tmp_path):
    sound, steps = part(0)
    with pytest.raises(OptionError, match=r"a\.ogg: 30719 samples for 30 steps"):
        remember(tmp_path, "a.ogg", Waveform(sound.samples[: 30 * STEP - 1], RATE), steps, OPTIONS, STEP)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pattern", ["index.json", "steps-*.npy", "sound-*.flac"])
@pytest.mark.parametrize("damage", ["gone", "cut", "noise"])
def test_damage_is_one_line_that_names_the_file(folder, pattern, damage):
    path = sorted(folder.glob(pattern))[0]
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 3] if damage == "cut" else bytes(range(256)) * 20)
    with pytest.raises(RunFolderError, match="train again") as caught:
        for each in recall(folder, OPTIONS):
            each.sound(0, 30 * STEP)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [{"magic": "x"}, {"version": 2}, {"entries": 5}, {"entries": [{"source": "a"}]}])
def test_an_index_that_is_not_ours_is_refused(folder, change):
    index = folder / "index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | change))
    with pytest.raises(RunFolderError, match=r"index\.json"):
        recall(folder, OPTIONS)


def test_an_entry_leads_nowhere_else(folder):
    index = folder / "index.json"
    index.write_text(index.read_text().replace(json.loads(index.read_text())["entries"][0]["name"], "../../../secret"))
    with pytest.raises(RunFolderError, match="is no name"):
        recall(folder, OPTIONS)


def test_other_options_are_another_memory(folder):
    with pytest.raises(RunFolderError, match="was made with"):
        recall(folder, StepOptions(pooled=4))
