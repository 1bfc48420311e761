"""Activations of language models, measured: distance, mutual information, token position.

The public names stand in `__init__.pyi`. Each is imported when it is first used: what measures
needs NumPy, SciPy and Numba alone, and only what runs a model needs PyTorch and transformers.
"""

from importlib.metadata import version
from importlib.util import find_spec

import lazy_loader

from layerlab.errors import PackageError

__version__ = version("layerlab")
_attach, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
# What `import *`, help() and tab completion offer is what can be had here.
_NEED_MODELS = {"Comparison", "Investigation", "ablate", "compare", "fetch_article"}
_NEED_MODELS |= {"head_activations", "investigate", "last_token_activations", "load_article"}
_NEED_MODELS |= {"load_model", "prediction_changes", "random_steps"}
_NEED_MODELS |= {"record", "target_activations"}
if find_spec("torch") is None:
    __all__ = [name for name in __all__ if name not in _NEED_MODELS]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    try:
        return _attach(name)
    except ModuleNotFoundError as error:
        raise PackageError(
            f"layerlab.{name} needs the package {error.name!r}: pip install 'layerlab[models]'",
            name=error.name,
        ) from error
