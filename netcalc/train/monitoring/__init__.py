"""Warnings of a training that goes wrong: a file for each thing that is looked for.

    monitor = Monitor(network, CrossEntropy(), probe=batch.inputs)
    for warning in monitor.after_step(record, gradients): ...

A check speaks once at most. Together they take less than a fiftieth of a step's time.
"""

from netcalc.train.monitoring.monitor import Monitor

__all__ = ["Monitor"]
