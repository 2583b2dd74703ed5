"""The stores over rows in memory, each over a database of its own."""

from shared.storage.alerts import RowAlerts
from shared.storage.claims import RowClaims
from shared.storage.labels import RowLabels
from shared.storage.mark import RowMark
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import Rows
from shared.storage.series import RowSeries
from shared.storage.silences import RowSilences
from shared.storage.stores import CLAIM_PARTITIONS
from shared.storage.traces import TraceRows


class MemoryClaims(RowClaims):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase().table("claims"), CLAIM_PARTITIONS)


class MemorySeries(RowSeries):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase().table("series"))


class MemoryMark(RowMark):
    def __init__(self, rows: Rows | None = None) -> None:
        self.rows = rows or MemoryDatabase().table("series")
        super().__init__(self.rows)


class MemoryLabels(RowLabels):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase().table("series"))


class MemoryAlerts(RowAlerts):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase().table("alerts"))


class MemorySilences(RowSilences):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase().table("silences"))


class MemoryTraces(TraceRows):
    def __init__(self) -> None:
        super().__init__(MemoryDatabase().table("traces"))
