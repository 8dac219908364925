"""What the pickle of a YOLO checkpoint may name: tensors, containers, layers. Nothing that acts.

Listed name by name, for a module also holds what it imported itself.
"""

from __future__ import annotations

_DTYPES = "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool"
_STORAGES = "Float Double Half BFloat16 Int Long Short Char Byte Bool Untyped"

_NAMES: dict[str, str] = {
    "collections": "OrderedDict defaultdict",
    "builtins": "set frozenset dict list tuple slice complex int float str bool",
    "__builtin__": "set frozenset dict list tuple slice complex int float long",
    "_codecs": "encode",
    "types": "SimpleNamespace",
    "pathlib": "Path PosixPath PurePosixPath WindowsPath PureWindowsPath",
    "pathlib._local": "Path PosixPath PurePosixPath WindowsPath PureWindowsPath",
    "datetime": "datetime timedelta date timezone",
    "torch": f"Size device {_DTYPES} " + " ".join(f"{s}Storage" for s in _STORAGES.split()),
    "torch.storage": "UntypedStorage TypedStorage",
    "torch._utils": "_rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state",
    "torch.nn.parameter": "Parameter Buffer",
    "torch.nn.modules.container": "Sequential ModuleList ModuleDict",
    "torch.nn.modules.conv": "Conv1d Conv2d Conv3d ConvTranspose2d",
    "torch.nn.modules.batchnorm": "BatchNorm1d BatchNorm2d SyncBatchNorm",
    "torch.nn.modules.normalization": "LayerNorm GroupNorm",
    "torch.nn.modules.activation": "SiLU ReLU ReLU6 LeakyReLU Hardswish Sigmoid GELU Softmax Mish "
    "MultiheadAttention",
    "torch.nn.modules.linear": "Linear Identity NonDynamicallyQuantizableLinear",
    "torch.nn.modules.pooling": "MaxPool2d AvgPool2d AdaptiveAvgPool2d",
    "torch.nn.modules.upsampling": "Upsample UpsamplingNearest2d",
    "torch.nn.modules.padding": "ZeroPad2d",
    "torch.nn.modules.dropout": "Dropout Dropout2d",
    "torch.nn.modules.sparse": "Embedding",
    "torch.nn.modules.loss": "BCEWithLogitsLoss",
    "numpy": "dtype",
    "numpy.core.multiarray": "scalar",
    "numpy._core.multiarray": "scalar",
    "numpy.dtypes": "Float64DType Float32DType Int64DType",
    "ultralytics.utils": "IterableSimpleNamespace SimpleClass",
    "ultralytics.utils.loss": "v8DetectionLoss BboxLoss DFLoss E2EDetectLoss E2ELoss",
    "ultralytics.utils.tal": "TaskAlignedAssigner",
    "ultralytics.nn.tasks": "DetectionModel SegmentationModel PoseModel OBBModel "
    "ClassificationModel RTDETRDetectionModel WorldModel YOLOEModel",
    "ultralytics.nn.modules.conv": "Conv Conv2 LightConv DWConv DWConvTranspose2d ConvTranspose "
    "Focus GhostConv ChannelAttention SpatialAttention CBAM Concat RepConv Index",
    "ultralytics.nn.modules.block": "DFL HGBlock HGStem SPP SPPF SPPELAN C1 C2 C3 C2f C2fAttn "
    "ImagePoolingAttn ContrastiveHead BNContrastiveHead C3x C3TR C3Ghost GhostBottleneck "
    "Bottleneck BottleneckCSP Proto RepC3 ResNetLayer ResNetBlock RepNCSPELAN4 ELAN1 ADown "
    "AConv CBLinear CBFuse RepBottleneck RepCSP RepVGGDW CIB C2fCIB Attention PSA PSABlock "
    "C2PSA C2fPSA C3k2 C3k C3f SCDown A2C2f AAttn ABlock MaxSigmoidAttnBlock TorchVision",
    "ultralytics.nn.modules.head": "Detect Segment Segment26 Pose Pose26 OBB OBB26 Classify "
    "RTDETRDecoder v10Detect WorldDetect YOLOEDetect",
    "ultralytics.nn.modules.transformer": "AIFI TransformerLayer TransformerBlock "
    "TransformerEncoderLayer MLPBlock MLP LayerNorm2d MSDeformAttn DeformableTransformerDecoder "
    "DeformableTransformerDecoderLayer",
}
_ALLOWED = frozenset((module, name) for module, names in _NAMES.items() for name in names.split())


def is_harmless(module: str, name: str) -> bool:
    """Whether a checkpoint may name it."""
    return (module, name) in _ALLOWED
