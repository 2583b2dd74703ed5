"""Says how one price list differs from another."""

from collections.abc import Iterator, Sequence

from shared.pricing.listed import Listing

NAMED = 10


def changes(before: Listing, after: Listing) -> str:
    """Return in a sentence which models came, went and cost something else; "" where none did."""
    old, new = before.models(), after.models()
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    repriced = [
        name
        for name in sorted(old.keys() & new.keys())
        if (old[name].prices, old[name].price_variants)
        != (new[name].prices, new[name].price_variants)
    ]
    said = _said((added, "added"), (removed, "removed"), (repriced, "with another price"))
    return "; ".join(said)


def _said(*kinds: tuple[Sequence[str], str]) -> Iterator[str]:
    for names, what in kinds:
        if names:
            more = ", …" if len(names) > NAMED else ""
            yield f"{len(names)} {what} ({', '.join(names[:NAMED])}{more})"
