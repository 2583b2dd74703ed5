"""ASP.NET route templates: `events/{id:int}/{part?}`, `files/{*rest}`; the more literal wins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

CONSTRAINTS = {
    "": r"[^/]+",
    "int": r"[-+]?\d+",
    "long": r"[-+]?\d+",
    "bool": r"true|false",
    "alpha": r"[a-z]+",
    "decimal": r"[-+]?\d+(?:\.\d+)?",
    "double": r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?",
    "float": r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?",
    "guid": r"[{(]?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}[)}]?",
}
PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)(?::(\w+))?(\?)?\}")
RESERVED = ("admin", "runtime")
LITERAL, MIXED, CONSTRAINED, PLAIN, REST = range(5)


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled route. rank: the lower, the earlier it is tried."""

    text: str
    pattern: re.Pattern[str]
    rank: tuple[int, ...]

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the route's parameters if it fits the path (decoded, no query), else None."""
        found = self.pattern.fullmatch(path.removeprefix("/").removesuffix("/"))
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value}


def compile_route(prefix: str, route: str) -> Template:
    """Compile `prefix/route`.

    Raises:
        ValueError: the template has a part that this host does not know, or begins as the host's
            own routes do.
    """
    if route.lower().lstrip("/").startswith(RESERVED):
        raise ValueError(f"routes that start with {' or '.join(RESERVED)} are the host's own")
    text = "/".join(part for part in (prefix, route.strip("/")) if part)
    segments = [_segment(segment) for segment in text.split("/") if segment]
    pattern = "".join(
        part if at == 0 else _joined(part, rank) for at, (part, rank) in enumerate(segments)
    )
    ranks = tuple(rank for _, rank in segments)
    return Template(text, re.compile(pattern, re.IGNORECASE), ranks)


def decoded(raw_path: str) -> str:
    """Undo percent-encoding, except of %2F: an encoded slash stays inside its segment."""
    return unquote(re.sub("%2f", "%252F", raw_path, flags=re.IGNORECASE))


def _joined(part: str, rank: int) -> str:
    """Put the slash before a segment into its optional group, so that both may be absent."""
    if part.endswith(")?"):
        return f"(?:/{part})?"
    return f"(?:/{part})?" if rank == REST else f"/{part}"


def _segment(text: str) -> tuple[str, int]:
    """Return a segment's pattern and rank."""
    whole = PARAMETER.fullmatch(text)
    if whole is None:
        return _mixed(text)
    stars, name, constraint, optional = whole.groups()
    if stars:
        return f"(?P<{name}>.*)", REST
    pattern = _group(name, constraint)
    return pattern + "?" if optional else pattern, CONSTRAINED if constraint else PLAIN


def _mixed(text: str) -> tuple[str, int]:
    """Return the pattern of a segment such as `v{number}.json`, or of a literal."""
    pattern, end = "", 0
    for parameter in PARAMETER.finditer(text):
        pattern += _literal(text[end : parameter.start()])
        pattern += _group(parameter.group(2), parameter.group(3))
        end = parameter.end()
    return pattern + _literal(text[end:]), MIXED if end else LITERAL


def _group(name: str, constraint: str | None) -> str:
    known = CONSTRAINTS.get((constraint or "").lower())
    if known is None:
        raise ValueError(f"the local host does not know the route constraint {constraint!r}")
    return f"(?P<{name}>{known})"


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError(f"the local host does not know the route part {text!r}")
    return re.escape(text)
