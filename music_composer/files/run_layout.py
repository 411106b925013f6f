"""Names in a run folder by which others know it. What the names hold is the business of `training` and the models."""

OPTIONS = "options.json"  # a folder that has one is a run folder
SAMPLES = "samples"  # folder of the music that was made while training
