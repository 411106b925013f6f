"""How many cases a property is tried on."""

from hypothesis import settings

FAST = "fast"  # name of the profile of the fast set


def cases(most: int) -> settings:
    """So many cases of a property, of any length; in the fast set as many as its profile has, where that is less."""
    fewer = settings().max_examples if settings.get_current_profile_name() == FAST else most
    return settings(max_examples=min(most, fewer), deadline=None)
