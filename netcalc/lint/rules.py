"""The table of rules, by their codes."""

from netcalc.lint.abrupt_bottleneck import AbruptBottleneck
from netcalc.lint.attention_without_positions import AttentionWithoutPositions
from netcalc.lint.batch_axis import BatchAxis
from netcalc.lint.bias_before_norm import BiasBeforeNorm
from netcalc.lint.channels_last_input import ChannelsLastInput
from netcalc.lint.deep_plain_stack import DeepPlainStack
from netcalc.lint.dilation_grid import DilationGrid
from netcalc.lint.drifting_field import DriftingField
from netcalc.lint.dropout_before_batchnorm import DropoutBeforeBatchnorm
from netcalc.lint.dropped_border import DroppedBorder
from netcalc.lint.field_below_input import FieldBelowInput
from netcalc.lint.field_beyond_input import FieldBeyondInput
from netcalc.lint.flattened_recurrence import FlattenedRecurrence
from netcalc.lint.gaps_between_windows import GapsBetweenWindows
from netcalc.lint.heavy_dropout import HeavyDropout
from netcalc.lint.heavy_linear import HeavyLinear
from netcalc.lint.idle_pool import IdlePool
from netcalc.lint.inner_softmax import InnerSoftmax
from netcalc.lint.kernel_on_one_position import KernelOnOnePosition
from netcalc.lint.large_kernel import LargeKernel
from netcalc.lint.linear_before_head import LinearBeforeHead
from netcalc.lint.linear_on_map import LinearOnMap
from netcalc.lint.local_response_norm import LocalResponseNorm
from netcalc.lint.misaligned_join import MisalignedJoin
from netcalc.lint.noise_on_scores import NoiseOnScores
from netcalc.lint.norm_of_one_value import NormOfOneValue
from netcalc.lint.off_centre_kernel import OffCentreKernel
from netcalc.lint.one_filter_stem import OneFilterStem
from netcalc.lint.rectified_branch import RectifiedBranch
from netcalc.lint.rectified_output import RectifiedOutput
from netcalc.lint.repeated_activation import RepeatedActivation
from netcalc.lint.repeated_norm import RepeatedNorm
from netcalc.lint.rule import Rule
from netcalc.lint.saturating_stack import SaturatingStack
from netcalc.lint.softmax_of_one import SoftmaxOfOne
from netcalc.lint.softmax_output import SoftmaxOutput
from netcalc.lint.stacked_linear_maps import StackedLinearMaps
from netcalc.lint.stem_for_larger_input import StemForLargerInput
from netcalc.lint.unbalanced_stages import UnbalancedStages
from netcalc.lint.unbounded_gate import UnboundedGate
from netcalc.lint.uneven_overlap import UnevenOverlap
from netcalc.lint.unfilled_multiples import UnfilledMultiples
from netcalc.lint.unmixed_channels import UnmixedChannels
from netcalc.lint.unused_layer import UnusedLayer
from netcalc.lint.window_in_padding import WindowInPadding

THEMES = {
    "N1": "windows",
    "N2": "receptive fields",
    "N3": "nonlinearity",
    "N4": "normalisation, dropout and loss",
    "N5": "cost",
    "N6": "what is lost",
    "N7": "sequences and inputs",
}
"""The themes of the rules by the prefix of their codes."""

RULES: dict[str, type[Rule]] = {
    rule.code: rule
    for rule in (
        DroppedBorder,
        GapsBetweenWindows,
        WindowInPadding,
        OffCentreKernel,
        IdlePool,
        KernelOnOnePosition,
        UnevenOverlap,
        FieldBelowInput,
        FieldBeyondInput,
        MisalignedJoin,
        DilationGrid,
        DriftingField,
        StemForLargerInput,
        StackedLinearMaps,
        LinearBeforeHead,
        SaturatingStack,
        RepeatedActivation,
        RectifiedOutput,
        RectifiedBranch,
        InnerSoftmax,
        SoftmaxOfOne,
        UnboundedGate,
        DeepPlainStack,
        BiasBeforeNorm,
        DropoutBeforeBatchnorm,
        NormOfOneValue,
        LocalResponseNorm,
        SoftmaxOutput,
        NoiseOnScores,
        HeavyDropout,
        RepeatedNorm,
        LargeKernel,
        HeavyLinear,
        UnfilledMultiples,
        UnbalancedStages,
        UnusedLayer,
        AbruptBottleneck,
        UnmixedChannels,
        OneFilterStem,
        AttentionWithoutPositions,
        FlattenedRecurrence,
        BatchAxis,
        LinearOnMap,
        ChannelsLastInput,
    )
}
"""Every rule by its code, in the order of the reference."""
