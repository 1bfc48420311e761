"""What a user can cause and mend; each message quotes the input and says the way out."""


class LayerlabError(Exception):
    """Base of all errors of the package; the command prints its sentence, with exit code 2.

    Examples
    --------
    >>> try:
    ...     minkowski([1, 2], [3, 5], p=0)
    ... except LayerlabError as error:
    ...     print(error)
    p = 0 makes no distance: choose an order of 1 or more.
    """


class PackageError(LayerlabError, ModuleNotFoundError):
    """A package that only a part of layerlab needs, and that is not installed."""


class ArticleError(LayerlabError):
    """An article that cannot be found, read or used."""


class ModelError(LayerlabError):
    """A model or tokenizer that cannot be found, is damaged, or is of an unknown architecture."""


class TargetError(LayerlabError):
    """A target word that is no single token, or occurs too rarely."""


class MeasureError(LayerlabError, ValueError):
    """Numbers that cannot be measured: wrong shape, NaN or infinity, too few samples."""


class ArticleWarning(UserWarning):
    """An article that was read, but could not be kept for later runs, or whose copy was damaged."""


class MeasureWarning(UserWarning):
    """An answer to know more about: its input left scikit-learn's reach, or was rounded away."""
