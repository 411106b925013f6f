"""All parameters of a memory, one frozen record each. Defaults live here and in these records."""

from __future__ import annotations

import dataclasses

from music_composer.audio.memory.analysis.colour import ColourOptions
from music_composer.audio.memory.analysis.layers import LayerOptions
from music_composer.audio.memory.analysis.phrases import PhraseOptions
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
    """Weights of the views in a score; the similarity of a view is a cosine."""

    # From 5 on the walk loses the beat of bars; with less, sound changes more from frame to frame.
    near: float = 4.0
    far: float = 2.0
    long: float = 2.0
    after: float = 2.0
    pattern: float = 2.0  # onsets of the past
    # The strongest of the onset views: it makes the pulse as steady as that of real music.
    coming: float = 5.0  # onsets to come, against those that the pulse predicts
    # Single moments, not their mean: a prompt may have several moods.
    mood: float = 6.0  # against the most similar moment of the prompt's end
    # Without it, uniform music such as ambient was continued with foreign music at times.
    unfamiliarity: float = 1.0  # lost for each spread of the prompt's moods beyond two


@dataclasses.dataclass(frozen=True)
class WalkOptions:
    """Parameters of a walk: seconds, unless said otherwise. Scores are weighted sums of cosines."""

    weights: Weights = Weights()
    least: float = 0.35  # of a run
    most_own: float = 1.5  # of a run along the prompt
    most_training: float = 0.7  # of a run along a recording of the training music
    shared: float = 0.0  # median run that recordings of the memory share with each other
    returned: float = 1.0  # share of a recording's end that also occurs earlier in it
    # At half of what recordings share, runs of rendered piano exceeded those of held-out music.
    as_shared: float = 0.42  # of `shared`: a run along the training music may last this, along the prompt half
    # A score in place of the share below was no win over two seeds, so it stays 0.
    own: float = 0.0  # score added for the prompt's own steps
    share: float = 0.45  # of the recent music that should be the prompt's own
    share_over: float = 6.0  # over which that share is measured
    steer: float = 12.0  # score added to the prompt's own steps for each unit below that share
    attack: float = 1.0  # score of entering at an onset where one is left
    repeated: float = 0.0  # score lost for each time that the phrase after an entry was heard lately
    phrases: PhraseOptions = PhraseOptions()
    used: float = 0.6  # score lost for each earlier use of a place
    beside: float = 0.3  # around a played place that counts as played too
    forgotten: float = 60.0  # after which a use counts half
    blend: float = 60.0  # score of a blend's second prompt, and against the first, for each unit below its share
    stay: float = 0.0  # score added for each second of a run
    elsewhere: float = 1.0  # a jump leads at least this far from where the run would go on
    guard: bool = True  # whether runs along the memory, across any jump, and resumed runs are limited
    returns: float = 15.0  # for which no run is resumed where it would be by now
    returns_near: float = 0.5  # tolerance of that place
    departures: int = 12  # steps at which a run may be left, at most
    onset: float = 0.1  # strength of an onset at which a run may begin
    between: int = 8  # steps between entries without an onset
    temperature: float = 0.1
    among: int = 16  # best pairs of departure and entry among which one is drawn
    history: float = 16.0  # of recent places that views and shares look at
    mood: float = 30.0  # of the prompt's end whose moods are kept
    silent_db: float = -60.0  # below this loudest band, no place is an entry and a prompt counts as silent

    def __post_init__(self) -> None:
        require_within(self, 0.1, 60.0, "least", "most_own", "most_training")
        require_within(self, 3, 1000, "departures")
        require_within(self, 1, 1000, "among", "between")
        require_between("share", self.share, 0.0, 1.0)
        if min(self.temperature, self.forgotten, self.history, self.mood, self.share_over) <= 0.0:
            raise OptionError(f"{self}: temperature, forgotten, history, mood and share_over must be above 0.")


@dataclasses.dataclass(frozen=True)
class MemoryOptions:
    """All parameters of the memory head."""

    steps: StepOptions = StepOptions()
    selection: SelectionOptions = SelectionOptions()
    views: ViewOptions = ViewOptions()
    guard: GuardOptions = GuardOptions()
    walk: WalkOptions = WalkOptions()
    colour: ColourOptions = ColourOptions()
    splice: SpliceOptions = SpliceOptions()
    layers: LayerOptions = LayerOptions()
    layered: bool = True  # percussive sound comes from a second walk, unless recordings are of one kind
    # Two layers make music newer but less steady. Recordings with long shared runs are alike anyway, so one walk is
    # enough for them.
    uniform_from: float = 2.0  # seconds of shared runs from which on recordings are of one kind
    # Rendered music repeats its prompt less than this share would by itself; with less than the bound below, pulse and
    # adherence suffer.
    as_returned: float = 0.5  # times `returned`: the prompt's own share, for recordings of one kind
    least_share: float = 0.25  # lower bound of that share
    # Ten minutes of rendered strings got stuck in a phrase. Elsewhere nothing did, and the pulse lost steadiness.
    repeated: float = 3.0  # of a walk through recordings of one kind
    keys: KeyOptions = KeyOptions()  # transpositions, for recordings of one kind
    prompt_seconds: float = 600.0  # of a given prompt, at most
    excerpt_seconds: float = 60.0  # of a random excerpt
    kept_back: float = 4.0  # seconds behind a gap that are not played in it
    struck_own: float = 0.6  # score that the second walk adds for the prompt's own steps; its share is not steered

    @property
    def uniform(self) -> bool:
        """Whether recordings are of one kind: one walk is then as new as they are, and transpositions are stored."""
        return self.walk.shared >= self.uniform_from

    @property
    def two_layers(self) -> bool:
        """Whether harmonic and percussive sound come from two walks."""
        return self.layered and not self.uniform

    @property
    def first_walk(self) -> WalkOptions:
        """The walk of all sound, or of the harmonic layer.

        Recordings of one kind continue a prompt as well as its own music does. So the prompt's own share follows from
        how much returns within a recording. They share phrases, which therefore must not return too soon.
        """
        if not self.uniform:
            return self.walk
        share = min(max(self.as_returned * self.walk.returned, self.least_share), self.walk.share)
        return dataclasses.replace(self.walk, share=share, repeated=self.repeated)

    @property
    def second_walk(self) -> WalkOptions:
        """The walk of the percussive layer."""
        return dataclasses.replace(self.walk, own=self.struck_own, steer=0.0)
