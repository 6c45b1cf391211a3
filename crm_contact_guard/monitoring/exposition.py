"""Measures as Prometheus reads them, by its own library (extra ``prometheus``).

Figures of the record come from the database at each scrape, so they are the same from every process. Durations of scans
and refused webhooks are counted in the process where they happen: with several of them set ``PROMETHEUS_MULTIPROC_DIR``
as prometheus-client has it, and all are added up.
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
#: Seconds; the promise is below ten milliseconds a text.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)


class PrometheusMissing(Exception):
    """The extra is not installed."""

    def __init__(self) -> None:
        super().__init__('pip install "crm-contact-guard[prometheus]"')


def exposition(found: Iterable[Measure]) -> bytes:
    """All measures, and what the processes counted, in the text format 0.0.4. Raises PrometheusMissing."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise PrometheusMissing from error
    registry = CollectorRegistry()
    registry.register(_Measures(list(found)))
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        registry.register(_Ours(counted))
    elif _own is not None:
        return generate_latest(registry) + generate_latest(_own)
    return generate_latest(registry)


class _Measures:
    """A collector of figures that are already there."""

    def __init__(self, found: list[Measure]) -> None:
        self.found = found

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        families: dict[str, Any] = {}
        for measure in self.found:
            if measure.name not in families:
                family = CounterMetricFamily if measure.counter else GaugeMetricFamily
                families[measure.name] = family(PREFIX + measure.name, measure.says, labels=list(measure.labels))
            families[measure.name].add_metric(list(measure.labels.values()), measure.value)
        yield from families.values()


class _Ours:
    """Of what all processes of the host counted, our own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def collect(self) -> Iterator[Metric]:
        return (metric for metric in self.registry.collect() if metric.name.startswith(PREFIX))


_own: CollectorRegistry | None = None


def count() -> None:
    """Begin to count scans and refusals in this process, where the extra is installed. Called when the app is ready."""
    global _own  # noqa: PLW0603 - one registry a process, as the library has it
    try:
        from prometheus_client import CollectorRegistry, Counter, Histogram  # noqa: PLC0415 - an extra
    except ImportError:
        return
    if _own is not None:
        return
    _own = CollectorRegistry()
    scans = Histogram(
        f"{PREFIX}scan_seconds", "Time that judging a text took", ["stage"], buckets=_BUCKETS, registry=_own
    )
    refusals = Counter(f"{PREFIX}webhook_refusals", "Carriers' calls turned away", ["channel", "reason"], registry=_own)

    def scanned(stage: str, seconds: float, **_: Any) -> None:
        scans.labels(stage).observe(seconds)

    def refused(channel: str, reason: str, **_: Any) -> None:
        refusals.labels(channel, reason).inc()

    signals.scanned.connect(scanned, weak=False, dispatch_uid="contact-guard-prometheus")
    signals.webhook_refused.connect(refused, weak=False, dispatch_uid="contact-guard-prometheus")
