"""The one family of errors that the command line turns into a single line."""


class MusicComposerError(Exception):
    """Something the user can mend: the message names the file, the value and the way out."""

    exit_code = 1


class OptionError(MusicComposerError):
    """An option's value makes no sense, or does not fit the run folder."""

    exit_code = 2


class RecordingError(MusicComposerError):
    """A recording cannot be read, or there is nothing in it to learn from."""


class ScoreError(MusicComposerError):
    """A MIDI file or score cannot be read, or there is nothing in it to learn from."""


class CacheError(MusicComposerError):
    """The cache folder cannot be used."""


class RunFolderError(MusicComposerError):
    """The run folder is missing, damaged, or belongs to another model."""


class RecordError(MusicComposerError):
    """A record of JSON lacks a field, has one that is unknown, or a value of the wrong type or out of range."""


class OutputError(MusicComposerError):
    """A file cannot be written, or one that is not ours is in its place."""


class ClusterError(MusicComposerError):
    """The engine of a cluster cannot be reached or used."""


class BusyError(MusicComposerError):
    """Another run is at work in the folder."""
