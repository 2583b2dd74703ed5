"""What every storage of texts promises."""

from tests.contract.stores import OpenStores

LONG = "".join(f'[[price]] # {n} "ü"\n' for n in range(20_000))


def test_the_last_text_is_there_for_every_instance(
    open_stores: OpenStores,
) -> None:
    texts = open_stores().texts
    assert texts.read("prices.toml") is None
    texts.write("prices.toml", "first")
    texts.write("prices.toml", LONG)
    texts.write("other.toml", "")
    assert open_stores().texts.read("prices.toml") == LONG
    assert open_stores().texts.read("other.toml") == ""
