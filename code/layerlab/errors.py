"""What a user can cause and mend; each message quotes the input and says the way out."""


class LayerlabError(Exception):
    """Base of all errors below; the command prints its sentence and ends with exit code 2."""


class ArticleError(LayerlabError):
    """An article that cannot be found, read or used."""


class ModelError(LayerlabError):
    """A model or tokenizer that cannot be found, is damaged, or is of an unknown architecture."""


class TargetError(LayerlabError):
    """A target word that is no single token, or occurs too rarely."""


class MeasureError(LayerlabError, ValueError):
    """Numbers that cannot be measured: wrong shape, NaN or infinity, too few samples."""


class MeasureWarning(UserWarning):
    """An answer to know more about: its input left scikit-learn's reach, or was rounded away."""
