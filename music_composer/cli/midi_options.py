"""The options of composing with a symbolic model, for `music-composer midi` and `midi generate`."""

from __future__ import annotations

import click

from music_composer.cli.options import FOLDER, OVERWRITE, SEED, by_model, option
from music_composer.cli.sections import under
from music_composer.symbolic.options import PLAY_DEFAULTS, BoundOptions, PlayOptions

TASTE = [
    option(PlayOptions, "temperature", "--temperature", type=float, help="Spread of the sampling."),
    option(PlayOptions, "top_k", "--top-k", type=int, help="Draw from so many likeliest choices; 0 is all."),
    click.option(
        "--top-p",
        type=float,
        help=f"Draw from the likeliest that reach this; 0 is all.  {by_model(PLAY_DEFAULTS, 'top_p')}",
    ),
    option(
        PlayOptions,
        "conservativity",
        "--conservativity",
        type=float,
        help="Power of the probability that a note of the biaxial model sounds with; above 1 fewer do.",
    ),
]
PLAYING = [
    under(
        "Primer",
        click.option("--primer-midi", "primer", type=FOLDER, help="Continue this file.  [default: start from nothing]"),
        option(
            PlayOptions,
            "primer_melody",
            "--primer-melody",
            help="Continue a melody: '[60, -2, 62, -1]', sixteenths; -2 holds, -1 rests.",
        ),
        option(
            PlayOptions,
            "primer_pitches",
            "--primer-pitches",
            help="Continue a chord, a quarter long: '[60, 64, 67]'.",
        ),
        option(
            PlayOptions,
            "condition_on_primer",
            "--condition-on-primer/--no-condition-on-primer",
            help="Condition on the primer and continue it.",
        ),
        option(
            PlayOptions,
            "inject_primer",
            "--inject-primer-during-generation/--no-inject-primer-during-generation",
            help="Keep the primer's notes in the new music.",
        ),
        option(PlayOptions, "omit_primer", "--omit-primer", is_flag=True, help="Leave the primer out of the file."),
    ),
    under(
        "What is kept of the primer",
        click.option(
            "--lock-track",
            "lock_tracks",
            type=int,
            multiple=True,
            metavar="N",
            help="Keep this part of the primer, as `midi info FILE` numbers them, and compose around it; repeatable.",
        ),
        option(
            PlayOptions, "from_bar", "--from-bar", type=int, help="Compose the primer's bars from this one on anew,"
        ),
        option(PlayOptions, "to_bar", "--to-bar", type=int, help="to this one; both sides are kept."),
        option(PlayOptions, "drafts", "--drafts", type=int, help="Drafts of each piece around what is kept."),
    ),
    under(
        "Limits",
        option(BoundOptions, "scale", "--scale", help="Notes that may sound, like 'D minor'."),
        option(BoundOptions, "range", "--range", help="From the lowest to the highest, like C3-C6 or 48-84."),
        option(BoundOptions, "max_polyphony", "--max-polyphony", type=int, help="Notes at once; 0 is any number."),
    ),
    under(
        "Sampling",
        option(PlayOptions, "count", "-g", "--num-outputs", type=int, help="How many pieces."),
        option(PlayOptions, "steps", "--num-steps", type=int, help="New music in each, in sixteenths."),
        *TASTE,
        option(PlayOptions, "adaptive", "--adaptive", is_flag=True, help="The biaxial model plays more after silence."),
        option(
            PlayOptions,
            "note_stability",
            "--note-stability",
            type=int,
            help="Sixteenths that a chord of the piano-roll model lasts at least.",
        ),
        option(
            PlayOptions, "beam_size", "--beam-size", type=int, help="Drafts of which the likeliest go on; 1 is none."
        ),
        option(PlayOptions, "branch_factor", "--branch-factor", type=int, help="Copies in which each of them goes on."),
        option(
            PlayOptions, "steps_per_iteration", "--steps-per-iteration", type=int, help="Steps between two choices."
        ),
        SEED,
    ),
    under(
        "Output",
        option(
            PlayOptions, "name", "-o", "--output-music-name", help="NAME-0.mid, NAME-1.mid, ...; may contain a folder."
        ),
        option(
            PlayOptions, "qpm", "--qpm", type=float, help="Quarter notes a minute; 0 is the primer's, or the music's."
        ),
        option(PlayOptions, "metre", "--metre", help="Of what is composed, like 3/4; empty is the music's."),
        click.option(
            "--program",
            type=click.IntRange(0, 127),
            help="Instrument of General MIDI for the new notes.  "
            "[default: of the part that they replace or go on from; piano]",
        ),
        option(PlayOptions, "musicxml", "--musicxml", is_flag=True, help="Write MusicXML too; needs music21."),
        OVERWRITE,
    ),
]
