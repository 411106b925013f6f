"""Names of formats: what the ends of file names say, and what the first bytes say, which do not lie as often."""

from __future__ import annotations

RECORDINGS = (
    ".wav",
    ".flac",
    ".ogg",
    ".mp3",
    ".aiff",
    ".aif",
    ".aifc",
    ".oga",
    ".opus",
    ".caf",
    ".w64",
    ".rf64",
    ".bw64",
    ".bwf",
    ".wave",
    ".au",
    ".snd",
    ".mp2",
    ".voc",
)

# Sound that libsndfile does not read. Users have much of it, so that it is named and not passed over.
UNREADABLE = {
    ".m4a": "M4A",
    ".m4b": "M4A",
    ".m4p": "M4A",
    ".mp4": "MP4",
    ".m4v": "MP4",
    ".mov": "MP4",
    ".3gp": "MP4",
    ".alac": "ALAC",
    ".aac": "AAC",
    ".wma": "WMA",
    ".wmv": "WMA",
    ".asf": "WMA",
    ".webm": "WebM",
    ".weba": "WebM",
    ".mkv": "Matroska",
    ".mka": "Matroska",
    ".wv": "WavPack",
    ".ape": "Monkey's Audio",
    ".mpc": "Musepack",
    ".tta": "True Audio",
    ".tak": "TAK",
    ".ofr": "OptimFROG",
    ".shn": "Shorten",
    ".ra": "RealAudio",
    ".rm": "RealAudio",
    ".amr": "AMR",
    ".spx": "Speex",
    ".ac3": "AC-3",
    ".eac3": "AC-3",
    ".dts": "DTS",
    ".dsf": "DSD",
    ".dff": "DSD",
    ".avi": "AVI",
}
CONVERT = "convert it to WAV or FLAC"

_MAGIC = (  # offset, bytes, what it is
    (4, b"ftyp", "an M4A or MP4 file"),
    (0, bytes.fromhex("3026b2758e66cf11"), "a WMA file"),
    (0, bytes.fromhex("1a45dfa3"), "a WebM or Matroska file"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"MPCK", "a Musepack file"),
    (0, b"MP+", "a Musepack file"),
    (0, b"TTA1", "a True Audio file"),
    (0, b"tBaK", "a TAK file"),
    (0, b"OFR ", "an OptimFROG file"),
    (0, b"ajkg", "a Shorten file"),
    (0, b".RMF", "a RealAudio file"),
    (0, b".ra\xfd", "a RealAudio file"),
    (0, b"#!AMR", "an AMR file"),
    (28, b"Speex   ", "a Speex file"),
    (0, bytes.fromhex("0b77"), "an AC-3 file"),
    (0, bytes.fromhex("7ffe8001"), "a DTS file"),
    (0, b"DSD ", "a DSD file"),
    (0, b"FRM8", "a DSD file"),
    (8, b"AVI ", "an AVI file"),
    (0, b"MThd", "a MIDI file"),
    (8, b"RMID", "a MIDI file"),
    (0, b"PK\x03\x04", "a ZIP file"),
    (0, b"%PDF", "a PDF file"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
)
HEAD_BYTES = 64  # enough to tell


def foreign(head: bytes) -> str | None:
    """What a file that begins with these bytes is, in words, where it is surely no recording that can be read."""
    for at, magic, words in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return words
    if len(head) > 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # MPEG's sync word with layer 0
        return "an AAC file"
    return None


def said_by_suffix(name: str) -> str | None:
    """The format that the end of a file's name claims: MP3 for song.mp3. None where it claims none that is known."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return suffix[1:].upper() if suffix in RECORDINGS else None
