"""The table of error codes. It is data for the reference: nothing that raises an error reads it.

E1 the file and its YAML    E2 the keys of a spec    E3 expressions    E4 kinds and options
E5 names and inputs         E6 shapes and sizes      E7 arguments      E8 netcalc check    E9 running, data
"""

from netcalc.errors.checking import CHECKING
from netcalc.errors.code import ErrorCode
from netcalc.errors.data import DATA
from netcalc.errors.evaluation import EVALUATION
from netcalc.errors.execution import EXECUTION
from netcalc.errors.graph import EXPRESSIONS, OPTIONS, SHAPES, WIRING
from netcalc.errors.metrics import METRICS
from netcalc.errors.text import KEYS, TEXT
from netcalc.errors.training import TRAINING
from netcalc.errors.transfer import TRANSFER

SUBJECTS: dict[str, tuple[ErrorCode, ...]] = {
    "The file and its YAML": TEXT,
    "The keys of a spec": KEYS,
    "Expressions": EXPRESSIONS,
    "Kinds and options": OPTIONS,
    "Names and inputs of layers": WIRING,
    "Shapes and sizes": SHAPES,
    **CHECKING,
    "Running a network, and files": EXECUTION,
    "Data sets and augmentation": DATA,
    "Recipes, runs and checkpoints": TRAINING,
    "Trained files and predictions": EVALUATION,
    "What trainings write": METRICS,
    "Transfer": TRANSFER,
}
"""Every error code by subject, in order."""

ERRORS: dict[str, ErrorCode] = {error.code: error for errors in SUBJECTS.values() for error in errors}
"""Every error code."""

__all__ = ["ERRORS", "SUBJECTS", "ErrorCode"]
