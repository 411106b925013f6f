"""What the modules of the package import, read from their source, so that nothing needs to run."""

import ast
import functools
from pathlib import Path

import music_composer

TOP = "music_composer"
ROOT = Path(music_composer.__file__).parent


def dotted(path):
    """Name of a module, or of a package: "audio.wav", "audio"; "" for the whole."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


FILES = {dotted(path): path for path in sorted(ROOT.rglob("*.py"))}
FOLDERS = {name for name, path in FILES.items() if path.name == "__init__.py"}
MODULES = sorted(set(FILES) - FOLDERS)


def names_in(node):
    """Full names of what an import statement imports: `from a import b` imports a, and perhaps a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, "imports are absolute"
    return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def statements(body):
    """Everything that runs when a module is imported: not functions, and not `if TYPE_CHECKING`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for block in ("body", "orelse", "finalbody", "handlers"):
            yield from statements(getattr(node, block, []))


@functools.cache
def tree_of(name):
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


@functools.cache
def imports_of(name, anywhere):
    nodes = list(ast.walk(tree_of(name)) if anywhere else statements(tree_of(name).body))
    found = {each for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for each in names_in(node)}
    if anywhere:
        for text in [node for node in nodes if isinstance(node, ast.JoinedStr | ast.Constant)]:
            found |= loaded_by_name(text)
    return found


def loaded_by_name(node):
    """Modules that a text names for importlib: f"music_composer.symbolic.models.{name}.model" names one for each
    model."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) and node.value.removeprefix(f"{TOP}.") in MODULES else set()
    parts = [each.value if isinstance(each, ast.Constant) else None for each in node.values]
    if not isinstance(parts[0], str) or not parts[0].startswith(f"{TOP}."):
        return set()
    start, end = parts[0].removeprefix(f"{TOP}."), parts[-1] or ""
    return {f"{TOP}.{name}" for name in MODULES if name.startswith(start) and name.endswith(end)}


def ours(names):
    """Modules of ours among the names: "options", "audio.wav"; packages only where nothing in them is named."""
    found = {name.removeprefix(f"{TOP}.") for name in names if name.startswith(f"{TOP}.")} & set(FILES)
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


@functools.cache
def known_to(name, anywhere=True):
    """Modules of ours that a module imports itself."""
    return frozenset(ours(imports_of(name, anywhere)))


def within(names, *packages):
    return {name for name in names if any(name == each or name.startswith(each + ".") for each in packages)}


@functools.cache
def reached_from(name, anywhere):
    """All modules of ours that come with a module, whatever is between them."""
    known, waiting = set(), {name}
    while waiting:
        each = waiting.pop()
        known.add(each)
        parents = {each.rpartition(".")[0]} & set(FILES) if "." in each else set()
        waiting |= (known_to(each, anywhere) | parents) - known
    return known - {name}


def room_of(name):
    """The folder that a module is in; a module at the top is a room of its own."""
    return name if name in FOLDERS or "." not in name else name.rpartition(".")[0]


@functools.cache
def arrows():
    """Pairs of rooms, and of modules for each, of which one imports from the other."""
    found = {}
    for name in MODULES:
        for other in known_to(name):
            if room_of(name) != room_of(other):
                found.setdefault((room_of(name), room_of(other)), []).append((name, other))
    return found
