"""A network that shares blocks computes what one with copied weights does, and sums their gradients."""

import numpy as np
import pytest

from netcalc.backend import InferencePlan, Network, TrainingStep
