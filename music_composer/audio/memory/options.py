"""Every number of a memory that can be chosen, one frozen record each. Defaults live here and in these records."""

from __future__ import annotations

import dataclasses

from music_composer.audio.memory.analysis.colour import ColourOptions
from music_composer.audio.memory.analysis.layers import LayerOptions
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.analysis.transposed import KeyOptions
from music_composer.audio.memory.analysis.views import ViewOptions
from music_composer.audio.memory.guard import GuardOptions
from music_composer.audio.memory.segment_selection import SelectionOptions
from music_composer.audio.memory.splice import SpliceOptions
from music_composer.errors import OptionError
from music_composer.options import require_between, require_within


@dataclasses.dataclass(frozen=True)
class Weights:
    """What the likeness of a view, a cosine, counts in a score."""

    near: float = 4.0
    far: float = 2.0
    long: float = 2.0
    after: float = 2.0
    pattern: float = 2.0  # onsets of the past
    coming: float = 5.0  # onsets to come, against those that the pulse lets expect
    mood: float = 6.0  # against the moment of the prompt's end that is most alike
    strange: float = 1.0  # taken away for each spread of the prompt's moods that a mood lies further off than two


@dataclasses.dataclass(frozen=True)
class WalkOptions:
    """Seconds, unless said otherwise. Scores are weighted sums of cosines."""

    weights: Weights = Weights()
    least: float = 0.35  # of a run
    most_own: float = 1.5  # of a run along the prompt
    most_training: float = 0.7  # of a run along a recording of the training music
    shared: float = 0.0  # that recordings of the memory run along each other
    returned: float = 1.0  # of a recording's end that is heard earlier in it, a share
    as_shared: float = 0.42  # of that, a run along the training music may last, and half as long along the prompt
    own: float = 0.0  # score added for the prompt's own steps
    share: float = 0.45  # of what was played last that should be the prompt's own
    share_over: float = 6.0  # over which that share is taken
    steer: float = 12.0  # score added to the prompt's own steps for each unit by which it is less
    attack: float = 1.0  # score of entering as an onset begins, where one is left
    used: float = 0.6  # score taken away for each time that a place was played
    beside: float = 0.3  # around what was played, that counts as played too
    forgotten: float = 60.0  # after which it counts half
    blend: float = 60.0  # score of a blend's second voice, and against the first, for each unit by which it is less
    stay: float = 0.0  # score added for each second that a run lasts
    elsewhere: float = 1.0  # a jump leads at least so far from where it goes on
    guard: bool = True  # against runs along the memory, across any jump, and against taking runs up again
    returns: float = 15.0  # for so long no run is taken up again where it would be by now
    returns_near: float = 0.5  # by which it may lie off
    departures: int = 12  # steps at which a run may be left, at most
    onset: float = 0.1  # strength of an onset at which a run may be entered
    between: int = 8  # steps from one place to the next that may be entered without an onset
    temperature: float = 0.1
    among: int = 16  # best pairs of leaving and entering that one is drawn from
    heard: float = 16.0  # of what was heard that is remembered
    mood: float = 30.0  # of the prompt's end whose moods are kept to
    silent_db: float = -60.0  # no place is entered, and no prompt heard, whose loudest band is below

    def __post_init__(self) -> None:
        require_within(self, 0.1, 60.0, "least", "most_own", "most_training")
        require_within(self, 3, 1000, "departures")
        require_within(self, 1, 1000, "among", "between")
        require_between("share", self.share, 0.0, 1.0)
        if min(self.temperature, self.forgotten, self.heard, self.mood, self.share_over) <= 0.0:
            raise OptionError(f"{self}: temperature, forgotten, heard, mood and share_over must be above 0.")


@dataclasses.dataclass(frozen=True)
class MemoryOptions:
    """All of playing from memory."""

    steps: StepOptions = StepOptions()
    selection: SelectionOptions = SelectionOptions()
    views: ViewOptions = ViewOptions()
    guard: GuardOptions = GuardOptions()
    walk: WalkOptions = WalkOptions()
    colour: ColourOptions = ColourOptions()
    splice: SpliceOptions = SpliceOptions()
    layers: LayerOptions = LayerOptions()
    layered: bool = True  # what strikes comes from a second walk, unless recordings are of one kind
    uniform_from: float = 2.0  # seconds that recordings share, from which on all of them are of one kind
    as_returned: float = 0.5  # of what returns within a recording, so much of such music is the prompt's own
    least_share: float = 0.25  # of such music, whatever returns
    keys: KeyOptions = KeyOptions()  # that such music is remembered in
    heard_seconds: float = 600.0  # of a prompt that is named, at most
    excerpt_seconds: float = 60.0  # of a random excerpt
    kept_back: float = 4.0  # seconds behind a gap that are not played in it
    struck_own: float = 0.6  # score that the second walk adds for the prompt's own steps; it is not steered

    @property
    def uniform(self) -> bool:
        """Whether recordings are of one kind: one walk is as new as they are, and other keys are remembered."""
        return self.walk.shared >= self.uniform_from

    @property
    def two_layers(self) -> bool:
        """Whether what rings and what strikes come from two walks."""
        return self.layered and not self.uniform

    @property
    def first_walk(self) -> WalkOptions:
        """The walk that all, or what rings, comes from.

        Where recordings are of one kind, others go on with a prompt as well as its own music does, which returns no
        more often than it does in them.
        """
        if not self.uniform:
            return self.walk
        share = min(max(self.as_returned * self.walk.returned, self.least_share), self.walk.share)
        return dataclasses.replace(self.walk, share=share)

    @property
    def second_walk(self) -> WalkOptions:
        """The walk that what strikes comes from."""
        return dataclasses.replace(self.walk, own=self.struck_own, steer=0.0)
