"""What a preparation did, and where the frames of a song are."""


def done(report):
    return report.done, report.kept, report.removed


def shard_of(cache, source):
    return cache.folder / next(song.shard for song in cache.songs if song.source == source)
