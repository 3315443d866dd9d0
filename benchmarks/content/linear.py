"""A linear model of texts: hashed words, pairs and parts of words; one-vs-rest logistic regression."""

import math
import random
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

BUCKETS = 1 << 18
# Letters of a part of a word, its ends among them.
PART = 4
# An example of a category weighs as much as so many others: they are few among many.
_WEIGHT = 8.0
_ROUNDS, _STEP, _DECAY = 12, 0.6, 1e-4
# A page that is this sure already teaches nothing.
_SURE = 0.01


@dataclass(frozen=True, slots=True)
class Example:
    """A page for training.

    Attributes:
        features: as `features_of` gives them.
        category: what it is about; empty for an innocent one.
    """

    features: frozenset[int]
    category: str


def features_of(folded: bytes) -> frozenset[int]:
    """Give the buckets of a text's words, pairs of words and parts of words, each once.

    Args:
        folded: as `schoolgate.core.content.folding.fold` gives it; marks of zones are left out.
    """
    words = [word for word in folded.split() if word[0] > ord(" ")]
    found = {zlib.crc32(b"%b %b" % pair) for pair in pairwise(words)}
    for word in set(words):
        found.add(zlib.crc32(word))
        framed = b"_%b_" % word
        for start in range(len(framed) - PART + 1):
            found.add(zlib.crc32(b"*" + framed[start : start + PART]))
    return frozenset(bucket % BUCKETS for bucket in found)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A weight for each bucket and category.

    Attributes:
        categories: in the order of the weights.
        bias: of each.
        weights: by bucket; what is not in it weighs nothing.
    """

    categories: tuple[str, ...]
    bias: tuple[float, ...]
    weights: Mapping[int, Sequence[float]]

    def scores(self, features: frozenset[int]) -> dict[str, float]:
        """Give how far a page speaks for each category, in logits: 0 is as likely as not."""
        sums = _sums(self.weights, features, len(self.categories))
        norm = _norm(features)
        return {
            name: bias + total * norm
            for name, bias, total in zip(self.categories, self.bias, sums, strict=True)
        }

    @property
    def size(self) -> int:
        """Bytes of a file with a byte for each weight and three for each bucket."""
        return len(self.weights) * (3 + len(self.categories))


def trained(examples: Sequence[Example], seed: int = 1) -> LinearModel:
    """Train a model by stochastic gradient descent with steps by AdaGrad (Duchi et al. 2011).

    Args:
        examples: pages; buckets that only one page of a category has are left out.
        seed: of the order in which they come; the same gives the same model.
    """
    names = tuple(sorted({each.category for each in examples if each.category}))
    kept = _common(examples)
    pages = [(each.features & kept, _norm(each.features), each.category) for each in examples]
    weights = {bucket: [0.0] * len(names) for bucket in kept}
    squares = {bucket: [1e-6] * len(names) for bucket in kept}
    bias = [-1.0] * len(names)
    draw = random.Random(seed)
    for _ in range(_ROUNDS):
        draw.shuffle(pages)
        for features, norm, category in pages:
            sums = _sums(weights, features, len(names))
            for at, name in enumerate(names):
                wanted = float(name == category)
                error = _sigmoid(bias[at] + sums[at] * norm) - wanted
                if abs(error) > _SURE:
                    error *= _WEIGHT if wanted else 1.0
                    bias[at] -= 0.02 * error
                    _learn(weights, squares, features, at, error * norm)
    return LinearModel(names, tuple(bias), weights)


def _learn(
    weights: dict[int, list[float]],
    squares: dict[int, list[float]],
    features: Iterable[int],
    at: int,
    slope: float,
) -> None:
    """Move the weights of a page's buckets for one category."""
    squared = slope * slope
    for bucket in features:
        mine, past = weights[bucket], squares[bucket]
        past[at] += squared
        mine[at] -= _STEP * (slope / math.sqrt(past[at]) + _DECAY * mine[at])


def _common(examples: Sequence[Example]) -> frozenset[int]:
    """Give the buckets that at least two pages of categories have."""
    counts = Counter(bucket for each in examples if each.category for bucket in each.features)
    return frozenset(bucket for bucket, count in counts.items() if count > 1)


def _sums(
    weights: Mapping[int, Sequence[float]], features: Iterable[int], count: int
) -> list[float]:
    rows = [weights[bucket] for bucket in features if bucket in weights]
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0.0] * count


def _norm(features: frozenset[int]) -> float:
    """Make a long page weigh as much as a short one."""
    return 1 / math.sqrt(len(features) or 1)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
