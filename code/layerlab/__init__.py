"""Activations of language models, measured: distance, mutual information, token position.

The public names stand in `__init__.pyi`. Each is imported when it is first used: what measures
needs NumPy, SciPy and Numba alone, and only what runs a model needs PyTorch and transformers.
"""

from importlib.metadata import version

import lazy_loader

from layerlab.errors import PackageError

__version__ = version("layerlab")
_attach, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    try:
        return _attach(name)
    except ModuleNotFoundError as error:
        raise PackageError(
            f"layerlab.{name} needs the package {error.name!r}: pip install 'layerlab[models]'",
            name=error.name,
        ) from error
