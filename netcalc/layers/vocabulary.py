"""What other frameworks call options, for the help of an error: nothing here is accepted in a spec."""

from collections.abc import Mapping

OTHER_NAMES = {
    "filters": ("channels", "num_filters", "planes", "units", "output_channels", "num_output"),
    "units": (
        "features", "neurons", "output_dim", "out_dim", "num_outputs", "output_size", "out_channels",
        "filters", "hidden", "hidden_size", "hidden_dim", "hidden_units", "num_units", "state_size", "size",
        "width",
    ),
    "kernel": ("pool_size", "filter_size", "window_size", "kernel_shape", "ksize", "size", "window"),
    "stride": ("strides", "step", "subsample"),
    "dilation": ("dilation_rate", "dilations", "rate"),
    "pad": ("pads", "border_mode"),
    "bias": ("use_bias", "qkv_bias", "with_bias"),
    "groups": ("num_groups", "group", "cardinality"),
    "multiplier": ("depth_multiplier", "channel_multiplier"),
    "entries": ("vocab_size", "vocab", "vocabulary", "input_dim", "num_tokens", "rows", "count", "size"),
    "width": (
        "output_dim", "dim", "embed_dim", "embedding_size", "d_model", "hidden_size", "features", "units",
    ),
    "layers": ("n_layers", "depth"),
    "bidirectional": ("bidir",),
    "activation": ("nonlinearity", "act"),
    "heads": ("num_heads", "n_heads", "n_head", "nhead", "num_attention_heads"),
    "kv_heads": ("num_kv_heads", "num_key_value_heads"),
    "causal": ("is_causal", "use_causal_mask", "causal_mask"),
    "size": ("target_size", "output_size", "window", "n", "depth_radius", "local_size"),
    "eps": ("epsilon",),
    "momentum": ("decay",),
    "running": ("track_running_statistics",),
    "slope": ("alpha", "negative_slope", "leak"),
    "rate": ("prob", "drop_prob", "probability", "ratio", "drop_rate", "dropout_ratio", "drop_path_rate"),
    "shape": ("target_shape", "new_shape", "output_shape", "unflattened_size", "dims"),
    "order": ("axes", "perm", "dim"),
    "factor": ("scale", "scale_factor", "scales", "ratio", "block_size"),
    "mode": ("interpolation", "method"),
    "axis": ("dim",),
    "axes": ("axis", "dim"),
    "keep": ("keepdims", "keep_dims", "keepdim"),
    "how": ("op", "reduction", "mode"),
    "join": ("merge", "merge_mode", "combine", "mode", "op", "how"),
    "end": ("stop",),
    "parts": ("sections", "num_splits", "chunks"),
    "base": ("theta", "rope_theta"),
}  # fmt: skip
"""The names of an option in Keras, ONNX, Caffe and papers, wherever a layer has an option of that name.

PyTorch's stands at the option's declaration.
"""

FROM_INPUT = (
    "in_channels", "in_features", "num_features", "num_channels", "input_channels", "input_dim", "in_dim",
    "input_shape", "input_size", "in_planes", "embed_dim", "d_model", "batch_input_shape",
    "channels", "features", "dim",
)  # fmt: skip
"""What a layer takes from its input, and other frameworks have to be told."""

LEFT_OUT = {
    "batch_first": "the batch has no axis in a spec",
    "batch_size": "--batch gives the batch",
    "inplace": "activations work in place anyway",
    "device": "no figure depends on it",
    "dtype": "--dtype gives the type of the elements",
    "data_format": "channels come first",
    **dict.fromkeys(
        (
            "seed",
            "stateful",
            "unroll",
            "go_backwards",
            "fused",
            "noise_shape",
            "return_indices",
            "input_length",
        ),
        "no figure depends on it",
    ),
}
"""What has no place in a spec, with the reason."""

LEFT_OUT_ENDS = ("_initializer", "_regularizer", "_constraint")
"""The ends of the names of Keras's options on which no figure depends."""

ACTIVATION_OPTIONS = ("activation", "nonlinearity", "act", "act_layer", "activation_fn")
"""The options that hold an activation, which is a layer of its own in a spec."""

NO_ACTIVATION = ("none", "linear", "identity", "null")
"""What such an option holds where there is no activation."""

SHORT_KINDS = {
    "gap": "global_avgpool", "gmp": "global_maxpool", "gn": "groupnorm", "mhsa": "multi_head_attention",
}  # fmt: skip
"""What layers are called for short in papers and diagrams."""

_SQUEEZE_EXCITATION = "write - parallel: {branches: {main: [], scale: [...]}, join: multiply}"

NO_LAYERS = {
    "input": "the input stands at the top level: input: [3, 224, 224]",
    "inputlayer": "the input stands at the top level: input: [3, 224, 224]",
    "output": "outputs stand at the top level, by name: outputs: [head]",
    "outputs": "outputs stand at the top level, by name: outputs: [head]",
    "sequential": "list its layers one below the other, or make them a block",
    "modulelist": "list its layers one below the other, or make them a block",
    "activation": "write - relu, or another activation by its name",
    "separableconv": "write - depthwise_conv: {kernel: 3} and below it - conv: {filters: 64, kernel: 1}",
    "bidirectional": "write bidirectional: true in the options of the lstm, gru or rnn",
    "timedistributed": "leave it out: linear works on each position of a sequence",
    "einsum": "write - matmul: {from: [left, right]}, linear, or attention: the product that it is",
    "skip": "write - residual: {main: [...]}",
    "shortcut": "write - residual: {main: [...]}",
    "squeezeexcite": _SQUEEZE_EXCITATION,
    "squeezeexcitation": _SQUEEZE_EXCITATION,
    "se": _SQUEEZE_EXCITATION,
    "merge": "write - add: {from: [left, right]}, or concat",
    "positionalencoding": "write - parameter: {shape: [128, 512]}: a learned table, which is added",
    "transformerencoder": "make it a block of residual, multi_head_attention, layernorm and linear",
    "transformerencoderlayer": "make it a block of residual, multi_head_attention, layernorm and linear",
    "branches": "write - parallel: {branches: {left: [...], right: [...]}}",
    "branch": "write - parallel: {branches: {left: [...], right: [...]}}",
}
"""What is a layer in another framework and something else in a spec, by its name in lower case."""

SKIPPED = ""
"""A size that a layer takes from its input here."""

_WINDOW = ("filters", "kernel", "stride", "pad")
CALLS: Mapping[str, tuple[str, ...]] = {
    "conv": (SKIPPED, *_WINDOW, "dilation", "groups", "bias"),
    "conv_transpose": (SKIPPED, *_WINDOW, "output_pad", "groups", "bias", "dilation"),
    "linear": (SKIPPED, "units", "bias"),
    **dict.fromkeys(("rnn", "lstm", "gru"), (SKIPPED, "units", "layers")),
    "embedding": ("entries", "width"),
    "multi_head_attention": (SKIPPED, "heads"),
    **dict.fromkeys(("maxpool", "avgpool"), ("kernel", "stride", "pad")),
    **dict.fromkeys(("adaptive_avgpool", "adaptive_maxpool"), ("size",)),
    **dict.fromkeys(("batchnorm", "instancenorm"), (SKIPPED, "eps", "momentum")),
    "layernorm": (SKIPPED, "eps"),
    "groupnorm": ("groups", SKIPPED, "eps"),
    "dropout": ("rate",),
    "leaky_relu": ("slope",),
    **dict.fromkeys(("elu", "celu"), ("alpha",)),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), ("factor",)),
}
"""PyTorch's parameters of a layer in order, by our names."""

KERAS_CALLS = ("Dense", "MultiHeadAttention")
"""Layers of Keras, beside those whose names end in 2D, that have no size of the input in front."""
