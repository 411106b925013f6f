"""Whether music goes on where the player jumped, and where it was cut, beside as many places of uncut music."""

from collections.abc import Sequence

from memory.cuts import RATE, Album
from memory.figures import MEASURES, Row
from memory.product import Program, Take
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.continuity_scores import prompt_rows


def jump_rows(program: Program, album: Album, takes: Sequence[Take]) -> tuple[Row, Row]:
    """Of the takes, and of real music. What the notes of the takes do not say is left out."""
    real = [Span(program.truth(album, cut)) for cut in album.cuts]
    jumps = [(take.path, second) for take in takes for second in take.jumps]
    found = prompt_rows([Span(take.path, take.cut) for take in takes], jumps, real, MEASURES) or {}
    names = {"continuations": "cut better", "continuations, at jumps": "jumps better"}
    row = {figure: found[name].better for name, figure in names.items() if name in found}
    if jumps:
        row["jumps"] = len(jumps) / (sum(len(take.new()) for take in takes) / RATE / 60.0)
    uncut = found.get("real, held out")
    return row, dict.fromkeys(names.values(), uncut.better) if uncut else {}
