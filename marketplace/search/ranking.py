"""The formula of the ranking and the choice of the best, in whole numbers: the same on every machine and in every test."""

from math import log

import numpy as np
import numpy.typing as npt


def rarity(documents: int, having: int) -> int:
    """How telling a term is, in 256ths: BM25's inverse document frequency, at least 1."""
    return max(1, round(256 * log(1 + (documents - having + 0.5) / (having + 0.5))))


def best(primary: npt.NDArray[np.int64], ordinal: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.intp]:
    """The places of the `count` highest by (primary, ordinal), best first, without sorting the rest."""
    if len(primary) <= count:
        return np.lexsort((-ordinal, -primary))
    top = np.argpartition(-primary, count - 1)[:count]
    boundary = primary[top].min()
    better = np.flatnonzero(primary > boundary)
    tied = np.flatnonzero(primary == boundary)
    needed = count - len(better)
    if len(tied) > needed:
        tied = tied[np.argpartition(-ordinal[tied], needed - 1)[:needed]]
    chosen = np.concatenate((better, tied))
    return chosen[np.lexsort((-ordinal[chosen], -primary[chosen]))]
