"""API requests counted over a rolling day, as `Sforce-Limit-Info` and `/limits` show them."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

DAY_SECONDS = 24 * 3600
SLOT_SECONDS = 60
# The allocation of an org of about two hundred users; small ones get 15,000.
DAILY_REQUESTS = 1_000_000
# What a row counts against the storage of the org.
ROW_BYTES, MEBIBYTE = 2048, 1 << 20
# Allocations by name, as the recorded org of another edition names them.
LIMITS: Mapping[str, int] = {
    "AnalyticsExternalDataSizeMB": 40_960,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentEinsteinDataInsightsStoryCreation": 5,
    "ConcurrentEinsteinDiscoveryStoryCreation": 2,
    "ConcurrentSyncReportRuns": 20,
    "DailyAnalyticsDataflowJobExecutions": 60,
    "DailyAnalyticsUploadedFilesSizeMB": 51_200,
    "DailyApiRequests": 1_000_000,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDeliveredPlatformEvents": 25_000,
    "DailyDurableGenericStreamingApiEvents": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyEinsteinDataInsightsStoryCreation": 1000,
    "DailyEinsteinDiscoveryPredictAPICalls": 50_000,
    "DailyEinsteinDiscoveryPredictionsByCDC": 500_000,
    "DailyEinsteinDiscoveryStoryCreation": 100,
    "DailyFunctionsApiCallLimit": 50_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStandardVolumePlatformEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 195,
    "DataStorageMB": 102_400,
    "DurableStreamingApiConcurrentClients": 20,
    "FileStorageMB": 10_240,
    "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5000,
    "HourlyDashboardStatuses": 999_999_999,
    "HourlyLongTermIdMapping": 100_000,
    "HourlyManagedContentPublicRequests": 50_000,
    "HourlyODataCallout": 1000,
    "HourlyPublishedPlatformEvents": 50_000,
    "HourlyPublishedStandardVolumePlatformEvents": 1000,
    "HourlyShortTermIdMapping": 100_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 50,
    "MassEmail": 10,
    "MonthlyEinsteinDiscoveryStoryCreation": 500,
    "MonthlyPlatformEventsUsageEntitlement": 0,
    "Package2VersionCreates": 6,
    "Package2VersionCreatesWithoutValidation": 500,
    "PrivateConnectOutboundCalloutHourlyLimitMB": 0,
    "SingleEmail": 15,
    "StreamingApiConcurrentClients": 20,
}


class Rolling:
    """How many of something there were within the last 24 hours of a clock (in seconds)."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._slots: deque[list[int]] = deque()
        self._count = 0

    @property
    def count(self) -> int:
        """Those of the last 24 hours."""
        oldest = int(self._clock() - DAY_SECONDS) // SLOT_SECONDS
        while self._slots and self._slots[0][0] < oldest:
            self._count -= self._slots.popleft()[1]
        return self._count

    def add(self, more: int) -> None:
        """Count some more."""
        slot = int(self._clock()) // SLOT_SECONDS
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append([slot, 0])
        self._slots[-1][1] += more
        self._count += more

    def clear(self) -> None:
        """Start counting anew."""
        self._slots.clear()
        self._count = 0


class Usage:
    """Requests and other things of the last 24 hours against the allocations of the org."""

    def __init__(
        self, allowed: int = DAILY_REQUESTS, clock: Callable[[], float] = time.time
    ) -> None:
        self.allowed = allowed
        self._clock = clock
        self._requests = Rolling(clock)
        self._spent: dict[str, Rolling] = {}

    @property
    def used(self) -> int:
        """Requests of the last 24 hours."""
        return self._requests.count

    @property
    def is_spent(self) -> bool:
        """Whether the allocation is used up."""
        return self.used >= self.allowed

    def count(self, requests: int = 1) -> None:
        """Count requests that were answered."""
        self._requests.add(requests)

    def spend(self, name: str, amount: int = 1) -> None:
        """Take from an allocation other than that of requests."""
        self._spent.setdefault(name, Rolling(self._clock)).add(amount)

    def remaining(self, name: str) -> int:
        """What is left of an allocation other than that of requests."""
        spent = self._spent.get(name)
        return max(0, LIMITS[name] - (spent.count if spent else 0))

    def clear(self) -> None:
        """Start counting anew."""
        self._requests.clear()
        self._spent.clear()

    def header(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.allowed}"

    def limits(self, rows: int = 0) -> dict[str, Any]:
        """The answer of `GET /limits`, for an org that holds so many rows."""
        limits = {
            name: {"Max": most, "Remaining": self.remaining(name)} for name, most in LIMITS.items()
        }
        limits["DailyApiRequests"] = {"Max": self.allowed, "Remaining": self.allowed - self.used}
        taken = rows * ROW_BYTES // MEBIBYTE
        limits["DataStorageMB"]["Remaining"] = max(0, LIMITS["DataStorageMB"] - taken)
        custom = {"Max": 1000, "Remaining": 999}
        return {
            **limits,
            "PermissionSets": {"Max": 1500, "Remaining": 1499, "CreateCustom": custom},
        }
