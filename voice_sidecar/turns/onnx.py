"""Sessions of ONNX Runtime as the sidecar's models want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import onnxruntime  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


class Session(Protocol):
    """What is used of a session. Safe to use from several threads; waits without holding the interpreter's lock."""

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Computes the named outputs; all, in order, for None."""
        ...


def session(weights: bytes) -> Session:
    """A session on one processor core, and the caller's thread alone: parallel are the people, not the sums."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors alone
    made: Session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return made
