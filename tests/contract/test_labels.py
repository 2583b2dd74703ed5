"""What every book of label values promises."""

from concurrent.futures import ThreadPoolExecutor

from tests.contract.stores import OpenStores, Stores


def test_values_are_let_in_while_there_is_room(stores: Stores) -> None:
    assert stores.labels.admit("model", {"a", "b"}, most=3) == {"a", "b"}
    assert len(stores.labels.admit("model", {"c", "d"}, most=3)) == 1
    assert stores.labels.admit("model", {"e"}, most=3) == set()


def test_what_was_let_in_stays_in_for_every_instance(open_stores: OpenStores) -> None:
    open_stores().labels.admit("model", {"a", "b"}, most=2)
    for _ in range(2):
        assert open_stores().labels.admit("model", {"a", "b", "c"}, most=2) == {"a", "b"}


def test_an_instance_sees_what_others_let_in_since_it_last_looked(open_stores: OpenStores) -> None:
    one, other = open_stores().labels, open_stores().labels
    assert one.admit("model", {"a"}, most=2) == {"a"}
    assert other.admit("model", {"b"}, most=2) == {"b"}
    assert one.admit("model", {"a", "b", "c"}, most=2) == {"a", "b"}


def test_each_label_has_a_book_of_its_own(stores: Stores) -> None:
    stores.labels.admit("model", {"a"}, most=1)
    assert stores.labels.admit("path", {"/x/?#", "/y"}, most=2) == {"/x/?#", "/y"}


def test_a_lower_cap_lets_nobody_in_and_throws_nobody_out(stores: Stores) -> None:
    stores.labels.admit("model", {"a", "b", "c"}, most=3)
    assert stores.labels.admit("model", {"a", "b", "c", "d"}, most=1) == {"a", "b", "c"}


def test_a_higher_cap_makes_room(open_stores: OpenStores) -> None:
    labels = open_stores().labels
    labels.admit("model", {"a"}, most=1)
    assert labels.admit("model", {"b"}, most=1) == set()
    assert labels.admit("model", {"b"}, most=2) == {"b"}


def test_the_cap_holds_however_many_instances_add_at_once(open_stores: OpenStores) -> None:
    instances = [open_stores() for _ in range(4)]

    def fill(number: int) -> set[str]:
        wanted = ({f"{number}-{n}", f"{number}-{n + 1}"} for n in range(0, 10, 2))
        admitted = (instances[number].labels.admit("model", values, most=12) for values in wanted)
        return {value for values in admitted for value in values}

    with ThreadPoolExecutor(4) as threads:
        admitted = set[str]().union(*threads.map(fill, range(4)))
    assert len(admitted) == 12
    assert open_stores().labels.admit("model", admitted | {"one more"}, most=12) == admitted
