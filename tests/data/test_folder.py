"""Which files are recordings, what is said when there are none, and how a file is known again."""

import json
import os

import pytest

from music_composer.data import folder as station
from music_composer.data.folder import fingerprint_of, recordings_in, scores_in
from music_composer.errors import RecordingError


def touch(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_recordings_are_found_in_subfolders_with_any_case_and_any_name(tmp_path):
    names = ["B.WAV", "a song with spaces.wav", "Café/Ñandú – 1.Flac", "deep/er/still/x.mp3", "y.aiff"]
    paths = [touch(tmp_path / name) for name in names]
    assert recordings_in(tmp_path) == sorted(paths)


def test_other_files_and_hidden_ones_are_not_looked_at(tmp_path):
    song = touch(tmp_path / "song.wav")
    for name in ["cover.jpg", "notes.txt", "wav", "song.wav.bak", "._song.wav", ".hidden.wav"]:
        touch(tmp_path / name)
    assert recordings_in(tmp_path) == [song]


def test_a_folder_that_is_missing_is_made_and_said(tmp_path):
    with pytest.raises(RecordingError, match="put recordings into it"):
        recordings_in(tmp_path / "new" / "music")
    assert (tmp_path / "new" / "music").is_dir()


def test_a_folder_that_is_missing_is_not_made_when_one_only_looks(tmp_path):
    with pytest.raises(RecordingError, match="music does not exist"):
        recordings_in(tmp_path / "music", make=False)
    assert not (tmp_path / "music").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    touch(tmp_path / "file")
    with pytest.raises(RecordingError, match="cannot be made"):
        recordings_in(tmp_path / "file" / "music")


def test_a_folder_without_recordings_is_said(tmp_path):
    touch(tmp_path / "notes.txt")
    with pytest.raises(RecordingError, match="no recordings in it"):
        recordings_in(tmp_path)


def test_a_file_instead_of_a_folder_is_said(tmp_path):
    with pytest.raises(RecordingError, match=r"a\.wav is a file"):
        recordings_in(touch(tmp_path / "a.wav"))


def notes_of(folder, **more):
    notes = []
    return recordings_in(folder, say=notes.append, **more), notes


def test_linked_folders_and_files_are_followed(tmp_path):
    song = touch(tmp_path / "elsewhere" / "deep" / "song.wav")
    music = tmp_path / "music"
    own = touch(music / "own.wav")
    (music / "linked").symlink_to(tmp_path / "elsewhere")
    (music / "file.flac").symlink_to(song)
    assert recordings_in(music) == sorted([own, music / "linked" / "deep" / "song.wav", music / "file.flac"])


def test_links_in_circles_end(tmp_path):
    song = touch(tmp_path / "a" / "song.wav")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    assert recordings_in(tmp_path) == sorted([song, tmp_path / "loop.wav"])


def test_a_folder_counts_once_and_by_its_own_name(tmp_path):
    song = touch(tmp_path / "real" / "song.wav")
    (tmp_path / "a-link").symlink_to(tmp_path / "real")
    (tmp_path / "z-link").symlink_to(tmp_path / "real")
    assert recordings_in(tmp_path) == [song]


@pytest.mark.parametrize(
    "name",
    [
        ".Trash-1000", ".stversions", ".git", "__MACOSX", "$RECYCLE.BIN", "@eaDir", "lost+found", "#recycle",
        "System Volume Information",
    ],
)  # fmt: skip
def test_what_systems_keep_for_themselves_is_left_out(tmp_path, name):
    song = touch(tmp_path / "song.wav")
    touch(tmp_path / "b" / name / "deep" / "old.wav")
    assert recordings_in(tmp_path) == [song]


def test_what_is_no_file_is_never_opened(tmp_path):
    song = touch(tmp_path / "song.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    found, notes = notes_of(tmp_path)
    assert found == [song]
    assert sorted(note.partition(" ")[0] for note in notes) == [str(tmp_path / "pipe.wav"), str(tmp_path / "zero.wav")]
    with pytest.raises(RecordingError, match="pipe"):
        fingerprint_of(tmp_path / "pipe.wav")


def test_recordings_that_cannot_be_read_are_named_by_kind(tmp_path):
    touch(tmp_path / "song.wav")
    for name in ("a.m4a", "b.M4A", "c.wma", "d.webm", "e.wv", *(f"many-{i}.aac" for i in range(9))):
        touch(tmp_path / name)
    _, notes = notes_of(tmp_path)
    assert notes == [
        f"AAC is not read, convert it to WAV or FLAC: {', '.join(str(tmp_path / f'many-{i}.aac') for i in range(5))} "
        "and 4 more",
        f"M4A is not read, convert it to WAV or FLAC: {tmp_path / 'a.m4a'}, {tmp_path / 'b.M4A'}",
        f"WMA is not read, convert it to WAV or FLAC: {tmp_path / 'c.wma'}",
        f"WavPack is not read, convert it to WAV or FLAC: {tmp_path / 'e.wv'}",
        f"WebM is not read, convert it to WAV or FLAC: {tmp_path / 'd.webm'}",
    ]


def test_a_folder_of_nothing_but_those_says_so(tmp_path):
    touch(tmp_path / "a.m4a")
    with pytest.raises(RecordingError, match=r"no recordings in it.*M4A is not read, convert it.*a\.m4a"):
        recordings_in(tmp_path)


@pytest.mark.parametrize("suffix", ["wave", "bwf", "bw64", "rf64", "w64", "snd", "aifc", "opus", "WAVE"])
def test_suffixes_of_recordings_that_are_rare(tmp_path, suffix):
    assert recordings_in(touch(tmp_path / f"a.{suffix}").parent) == [tmp_path / f"a.{suffix}"]


@pytest.mark.parametrize("suffix", ["mid", "kar", "rmi", "KAR", "mxl"])
def test_suffixes_of_scores(tmp_path, suffix):
    assert scores_in(touch(tmp_path / f"a.{suffix}").parent) == [tmp_path / f"a.{suffix}"]


def liner_notes(**more):
    return json.dumps({"seed": 1, "model": "model", "versions": {"music_composer": "1"}, **more}, indent=2).encode()


def test_what_a_model_played_is_not_learnt_from_but_can_be_judged(tmp_path):
    song = touch(tmp_path / "song.wav")
    touch(tmp_path / "song.json", b'{"title": "somebody\'s own notes"}')
    played = touch(tmp_path / "output-0.wav")
    touch(tmp_path / "output-0.json", liner_notes(new_music_from_second=1.0))
    found, notes = notes_of(tmp_path)
    assert found == [song]
    assert notes == [f"1 files in {tmp_path} were played by a model of this program: they are not learnt from"]
    assert notes_of(tmp_path, ours=True) == ([played, song], [])


def test_folders_of_ours_are_not_learnt_from(tmp_path):
    song = touch(tmp_path / "input_music_dataset" / "song.wav")
    touch(tmp_path / "model" / "prompts" / "prompt-0.flac")
    touch(tmp_path / "model" / "options.json", b'{\n  "magic": "music-composer model",\n  "version": 1\n}')
    touch(tmp_path / "evaluation" / "codec" / "0.flac")
    touch(tmp_path / "evaluation" / "scorecard.json", b'{\n  "windows_compared": 10\n}')
    touch(tmp_path / "else" / "options.json", b'{"magic": "of another program"}')
    other = touch(tmp_path / "else" / "a.flac")
    assert recordings_in(tmp_path) == sorted([song, other])
    assert tmp_path / "model" / "prompts" / "prompt-0.flac" in recordings_in(tmp_path, ours=True)


def test_a_run_in_the_folder_of_the_recordings_itself_learns_not_from_its_prompts(tmp_path):
    touch(tmp_path / "options.json", b'{\n  "magic": "music-composer model",\n  "version": 1\n}')
    touch(tmp_path / "prompts" / "prompt-0.flac")
    touch(tmp_path / "song.wav")
    touch(tmp_path / "album" / "prompts" / "mine.wav")
    assert [path.name for path in recordings_in(tmp_path)] == ["mine.wav", "song.wav"]
    assert len(recordings_in(tmp_path, ours=True)) == 3


def test_a_subfolder_that_cannot_be_looked_into_is_named_and_passed_over(tmp_path, monkeypatch):
    song = touch(tmp_path / "song.wav")
    touch(tmp_path / "secret" / "other.wav")
    listing = os.scandir

    def scandir(folder):
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied", folder)
        return listing(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert notes_of(tmp_path) == (
        [song],
        [f"{tmp_path / 'secret'} cannot be looked into, and is passed over: permission denied"],
    )


def test_a_deep_tree_is_no_trouble(tmp_path):
    folder = tmp_path
    for _ in range(300):
        folder = folder / "deeper"
    song = touch(folder / "song.wav")
    assert recordings_in(tmp_path) == [song]


def test_other_content_of_the_same_size_has_another_fingerprint(tmp_path):
    path = touch(tmp_path / "a.wav", b"one")
    before = fingerprint_of(path)
    touch(path, b"two")
    os.utime(path, ns=(before.mtime_ns + 10**9, before.mtime_ns + 10**9))
    after = fingerprint_of(path, before)
    assert after.size == before.size
    assert after.content != before.content


def test_the_same_content_has_the_same_hash_whatever_its_time(tmp_path):
    path = touch(tmp_path / "a.wav", b"one")
    before = fingerprint_of(path)
    os.utime(path, ns=(0, 0))
    assert fingerprint_of(path, before).content == before.content
    assert fingerprint_of(path, before).mtime_ns == 0


def test_an_unchanged_file_is_not_read(tmp_path, monkeypatch):
    path = touch(tmp_path / "a.wav")
    before = fingerprint_of(path)
    monkeypatch.setattr(station, "_content_hash", lambda path, check: pytest.fail("was read"))
    assert fingerprint_of(path, before) == before


def test_all_of_a_file_counts_not_its_beginning_only(tmp_path, monkeypatch):
    monkeypatch.setattr(station, "HASH_BLOCK", 4)
    first, second = touch(tmp_path / "a.wav", b"same...1"), touch(tmp_path / "b.wav", b"same...2")
    assert fingerprint_of(first).content != fingerprint_of(second).content


def test_a_file_that_went_away_is_an_error_that_names_it(tmp_path):
    with pytest.raises(RecordingError, match=r"gone\.wav: cannot be read: no such file"):
        fingerprint_of(tmp_path / "gone.wav")
