"""MusicXML as text: notes, bars and scores."""

from music_composer.values import Part

LISTED = '<score-part id="P1"><part-name>{name}</part-name>{more}</score-part>'


def note(pitch: str = "C4", length: float = 1, more: str = "", before: str = "") -> str:
    """pitch: step, alter as # or b, octave."""
    alter = {"#": 1, "b": -1}.get(pitch[1], 0)
    where = f"<pitch><step>{pitch[0]}</step><alter>{alter}</alter><octave>{pitch[-1]}</octave></pitch>"
    duration = "" if "<grace" in before else f"<duration>{length}</duration>"
    return f"<note>{before}{where}{duration}{more}</note>"


def score(*measures: str, name: str = "", more: str = "", beats: int = 4, root: str = "score-partwise") -> str:
    """Divisions are quarters, unless a measure says otherwise."""
    time = (
        f"<attributes><divisions>1</divisions><time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>"
    )
    inside = "".join(f"<measure>{time if i == 0 else ''}{each}</measure>" for i, each in enumerate(measures))
    listed = LISTED.format(name=name, more=more)
    return f'<{root}><part-list>{listed}</part-list><part id="P1">{inside}</part></{root}>'


def notes_of(part: Part) -> list[tuple[float, float, int]]:
    """In quarters."""
    return [(start / 480, stop / 480, pitch) for start, stop, pitch, _ in part.notes.tolist()]


WHOLE = note(length=4)


def bar(pitch: str, **signs: str) -> str:
    left = f'<barline location="left">{signs["left"]}</barline>' if "left" in signs else ""
    right = f'<barline location="right">{signs["right"]}</barline>' if "right" in signs else ""
    return left + note(pitch, 4) + signs.get("sound", "") + right


FORWARD, BACKWARD = '<repeat direction="forward"/>', '<repeat direction="backward"/>'
FIRST, SECOND = '<ending number="1" type="start"/>', '<ending number="2" type="start"/>'
STOP = '<ending number="1" type="stop"/>'
