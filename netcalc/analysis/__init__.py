"""Graph to Report: cost, receptive field, comparison, and how each figure comes about."""

from netcalc.analysis.conventions import CONVENTIONS, Convention
from netcalc.analysis.receptive_field import AxisField, Field
from netcalc.analysis.report import Figures, Report, Row, analyze, total

__all__ = ["CONVENTIONS", "AxisField", "Convention", "Field", "Figures", "Report", "Row", "analyze", "total"]
