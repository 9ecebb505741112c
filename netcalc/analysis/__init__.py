"""Graph to Report: cost, memory, receptive field, comparison, and the formula of each figure."""

from netcalc.analysis.conventions import CONVENTIONS, Convention
from netcalc.analysis.receptive_field import AxisField, Field
from netcalc.analysis.report import Figures, Report, Row, analyze, total

__all__ = ["CONVENTIONS", "AxisField", "Convention", "Field", "Figures", "Report", "Row", "analyze", "total"]
