"""Errors of what trainings have written."""

from netcalc.errors.code import ErrorCode

METRICS = (
    ErrorCode(
        "E945",
        "A run has no metrics, or they cannot be read.",
        "Name a folder that `netcalc train` has written, or its `metrics.jsonl`.",
        "input: [8]\n",
        "netcalc curves .",
    ),
    ErrorCode(
        "E946",
        "A line of metrics is no record of a training, or there is no record.",
        "Name the metrics of a run as `netcalc train` writes them; the message says line and field.",
        "input: [8]\n",
        "netcalc curves example.yaml",
    ),
)
