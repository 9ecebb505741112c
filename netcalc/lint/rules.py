"""The table of rules, by their codes."""

from netcalc.lint.abrupt_bottleneck import AbruptBottleneck
from netcalc.lint.bias_before_norm import BiasBeforeNorm
from netcalc.lint.dropout_before_batchnorm import DropoutBeforeBatchnorm
from netcalc.lint.dropped_border import DroppedBorder
from netcalc.lint.field_below_input import FieldBelowInput
from netcalc.lint.field_beyond_input import FieldBeyondInput
from netcalc.lint.gaps_between_windows import GapsBetweenWindows
from netcalc.lint.heavy_linear import HeavyLinear
from netcalc.lint.large_kernel import LargeKernel
from netcalc.lint.linear_before_head import LinearBeforeHead
from netcalc.lint.local_response_norm import LocalResponseNorm
from netcalc.lint.misaligned_join import MisalignedJoin
from netcalc.lint.norm_of_one_value import NormOfOneValue
from netcalc.lint.off_centre_kernel import OffCentreKernel
from netcalc.lint.rule import Rule
from netcalc.lint.saturating_stack import SaturatingStack
from netcalc.lint.softmax_output import SoftmaxOutput
from netcalc.lint.stacked_linear_maps import StackedLinearMaps
from netcalc.lint.unbalanced_stages import UnbalancedStages
from netcalc.lint.unfilled_multiples import UnfilledMultiples
from netcalc.lint.unused_layer import UnusedLayer
from netcalc.lint.window_in_padding import WindowInPadding

THEMES = {
    "N1": "windows",
    "N2": "receptive fields",
    "N3": "nonlinearity",
    "N4": "normalisation, dropout and loss",
    "N5": "cost",
    "N6": "what is lost",
}
"""What the rules are about, by the beginning of their codes."""

RULES: dict[str, type[Rule]] = {
    rule.code: rule
    for rule in (
        DroppedBorder,
        GapsBetweenWindows,
        WindowInPadding,
        OffCentreKernel,
        FieldBelowInput,
        FieldBeyondInput,
        MisalignedJoin,
        StackedLinearMaps,
        LinearBeforeHead,
        SaturatingStack,
        BiasBeforeNorm,
        DropoutBeforeBatchnorm,
        NormOfOneValue,
        LocalResponseNorm,
        SoftmaxOutput,
        LargeKernel,
        HeavyLinear,
        UnfilledMultiples,
        UnbalancedStages,
        UnusedLayer,
        AbruptBottleneck,
    )
}
"""Every rule by its code, in the order of the reference."""
