from .articles import load_article as load_article
from .distances import minkowski as minkowski
from .distances import pairwise_minkowski as pairwise_minkowski
from .errors import LayerlabError as LayerlabError
from .hooks import last_token_activations as last_token_activations
from .hooks import record as record
from .hooks import target_activations as target_activations
from .information import entropy as entropy
from .information import histogram_mutual_information as histogram_mutual_information
from .information import mutual_information as mutual_information
from .information import pairwise_mutual_information as pairwise_mutual_information
from .investigation import Investigation as Investigation
from .investigation import investigate as investigate
from .models import load_model as load_model
from .options import Options as Options
from .statistics import bootstrap_tau as bootstrap_tau
from .statistics import kendall_tau as kendall_tau
from .statistics import mantel_test as mantel_test
from .statistics import shuffled_information as shuffled_information
from .sweeps import laminar_sweep as laminar_sweep
from .sweeps import layer_information as layer_information
from .sweeps import measure_pairs as measure_pairs
from .tokens import context_windows as context_windows
from .tokens import target_positions as target_positions
from .tokens import tokenize as tokenize

__version__: str
