"""Export of measures in Prometheus' text format, using prometheus-client (extra ``prometheus``).

Measures of the record are read from the database at each scrape, so every process returns the same values. Scan
durations and refused webhooks are counted per process. With several processes, set ``PROMETHEUS_MULTIPROC_DIR`` as
documented by prometheus-client, which adds the counts up.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from crm_contact_guard import signals

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

    from crm_contact_guard.monitoring.measuring import Measure

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PREFIX: Final = "contact_guard_"
#: Seconds. A scan should take less than ten milliseconds.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)


class PrometheusMissing(Exception):
    """The extra is not installed."""

    def __init__(self) -> None:
        super().__init__('pip install "crm-contact-guard[prometheus]"')


def exposition(measures: Iterable[Measure]) -> bytes:
    """Return all measures and the processes' counters in text format 0.0.4. Raises PrometheusMissing."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise PrometheusMissing from error
    registry = CollectorRegistry()
    registry.register(_Measures(list(measures)))
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        registry.register(_Ours(counted))
    elif _own is not None:
        return generate_latest(registry) + generate_latest(_own)
    return generate_latest(registry)


class _Measures:
    """A collector for measures that have already been read."""

    def __init__(self, measures: list[Measure]) -> None:
        self.measures = measures

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        families: dict[str, Any] = {}
        for measure in self.measures:
            if measure.name not in families:
                family = CounterMetricFamily if measure.counter else GaugeMetricFamily
                families[measure.name] = family(PREFIX + measure.name, measure.says, labels=list(measure.labels))
            families[measure.name].add_metric(list(measure.labels.values()), measure.value)
        yield from families.values()


class _Ours:
    """A collector that selects this app's metrics from the metrics of all the host's processes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def collect(self) -> Iterator[Metric]:
        return (metric for metric in self.registry.collect() if metric.name.startswith(PREFIX))


_own: CollectorRegistry | None = None


def count() -> None:
    """Start counting scans and refusals in this process if the extra is installed. Called when the app is ready."""
    global _own  # noqa: PLW0603 - one registry per process, as in prometheus-client
    try:
        from prometheus_client import CollectorRegistry, Counter, Histogram  # noqa: PLC0415 - an extra
    except ImportError:
        return
    if _own is not None:
        return
    _own = CollectorRegistry()
    scans = Histogram(f"{PREFIX}scan_seconds", "Time taken to scan a text", ["stage"], buckets=_BUCKETS, registry=_own)
    refusals = Counter(f"{PREFIX}webhook_refusals", "Refused webhooks", ["channel", "reason"], registry=_own)

    def scanned(stage: str, seconds: float, **_: Any) -> None:
        scans.labels(stage).observe(seconds)

    def refused(channel: str, reason: str, **_: Any) -> None:
        refusals.labels(channel, reason).inc()

    signals.scanned.connect(scanned, weak=False, dispatch_uid="contact-guard-prometheus")
    signals.webhook_refused.connect(refused, weak=False, dispatch_uid="contact-guard-prometheus")
