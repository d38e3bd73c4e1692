"""One network on ONNX Runtime, with the settings of a small machine that does other work too."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.errors import PackError

_THREADS_MAX = 64
_LOG_FATAL_ONLY = 4


class Session:
    """A loaded network. One input, named outputs, float32 throughout."""

    def __init__(self, model: bytes, *, name: str, source: str, results: tuple[str, ...], threads: int = 1) -> None:
        """Load `model`; `name` is used in errors. Raises PackError when it is damaged or lacks `source` or
        `results`.
        """
        if not 1 <= threads <= _THREADS_MAX:
            raise PackError(f"{name}: threads is {threads}, must be 1..{_THREADS_MAX}")
        onnxruntime = _onnxruntime()
        onnxruntime.set_default_logger_severity(_LOG_FATAL_ONLY)
        try:
            self._session = onnxruntime.InferenceSession(
                model, sess_options=_options(onnxruntime, threads), providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise PackError(f"{name}: ONNX Runtime cannot load it; the file is damaged") from error
        inputs = [value.name for value in self._session.get_inputs()]
        outputs = [value.name for value in self._session.get_outputs()]
        if inputs != [source] or not set(results) <= set(outputs):
            raise PackError(
                f"{name}: has the inputs {inputs} and outputs {outputs}; "
                f"the manifest names {[source]} and {list(results)}"
            )
        self._name, self._source, self._results = name, source, list(results)

    def run(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for `values`. Raises PackError when the network does not take this shape."""
        try:
            outputs = self._session.run(self._results, {self._source: values})
        except Exception as error:
            raise PackError(f"{self._name}: does not take the shape {values.shape}; correct the manifest") from error
        return [np.asarray(output, np.float32) for output in outputs]


def _onnxruntime() -> Any:
    """ONNX Runtime without telemetry. Released wheels would send it to their maker, and write a device id to the
    user's cache folder and a session id to the temporary folder as soon as they are imported: so the variable first.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _options(onnxruntime: Any, threads: int) -> Any:
    """One thread for each step, no waiting in circles for work, memory given back after each run's peak."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _LOG_FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
