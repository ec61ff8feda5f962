"""Parses Prometheus text from the standard input with the official parser, and
holds it against what a drill must have left in it."""

import math
import sys

from prometheus_client.parser import text_string_to_metric_families

from checks import Checks


def main():
    checks = Checks()
    families = {family.name: family for family in text_string_to_metric_families(sys.stdin.read())}
    ours = {name for name in families if name.startswith("tidegate_")}
    checks.ok(len(ours) > 15, "there are many families of ours")
    for family in families.values():
        checks.ok(bool(family.documentation), f"{family.name} is explained")
        checks.ok(family.type in ("counter", "gauge", "histogram"), f"{family.name} has a type")
        seen = [(s.name, tuple(sorted(s.labels.items()))) for s in family.samples]
        checks.ok(len(seen) == len(set(seen)), f"{family.name} has no sample twice")
        if family.type == "histogram":
            checks.ok(adds_up(family), f"{family.name} adds up")
    durations = families["tidegate_execution_duration_seconds"]
    ended = [s for s in durations.samples if s.name.endswith("_count")]
    checks.ok([s.value for s in ended] == [1.0], "one drill has ended")
    labels = ended[0].labels
    checks.ok(labels.get("tidegate_plan_name") == "shop", "it is of the plan")
    checks.ok(labels.get("tidegate_state") == "succeeded", "it has succeeded")
    left = families["tidegate_drill_leftover_instances"].samples
    checks.ok(sum(s.value for s in left) > 0, "its instances are left over")
    checks.ok(left[0].labels.get("cloud_region") == "us-west-2", "they are of a place")
    checks.end()


def adds_up(family) -> bool:
    """Buckets grow, and the last one is the count."""
    series = {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
        kept = series.setdefault(labels, {"buckets": [], "count": None})
        if sample.name.endswith("_bucket"):
            bound = float(sample.labels["le"])
            kept["buckets"].append((bound, sample.value))
        elif sample.name.endswith("_count"):
            kept["count"] = sample.value
    for kept in series.values():
        buckets = sorted(kept["buckets"])
        counts = [count for _, count in buckets]
        if counts != sorted(counts) or not math.isinf(buckets[-1][0]):
            return False
        if counts[-1] != kept["count"]:
            return False
    return True


if __name__ == "__main__":
    main()
