"""A small decision tree for cases, its leaves as boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.discovery.prim import Box, BoxFit, fit
from simlib.errors import StoreError
from simlib.statistics.intervals import standard_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.analysis.discovery.prim import Rows

DEEPEST, FOLDS = 4, 5
LEAST_LEAF = 10
"""Rows in a leaf at least; and a twentieth of all."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: its rule as a box, and how it fits the rows it was grown on and others."""

    box: Box
    training: BoxFit
    held_out: BoxFit


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree whose depth was chosen by cross-validation.

    Attributes
    ----------
    depth
        0 where no tree predicts better than the overall share of cases.
    scores
        Mean log loss of each depth from 0 on, cross-validated.
    leaves
        Densest first; the whole where the depth is 0.
    """

    depth: int
    scores: tuple[float, ...]
    leaves: tuple[Leaf, ...]


def grow(training: Rows, held_out: Rows) -> Tree:
    """Grow a classification tree, and judge its leaves on other rows.

    The depth is the least one whose log loss over 5 folds of the training rows is within a
    standard error of the best (L. Breiman and others, "Classification and Regression Trees",
    1984, doi:10.1201/9781315139470); depth 0 is the overall share of cases.

    Raises
    ------
    StoreError
        scikit-learn is not installed.
    """
    inputs, is_case = training
    losses = [_log_losses(depth, inputs, is_case) for depth in range(DEEPEST + 1)]
    means = [float(each.mean()) for each in losses]
    best = int(np.argmin(means))
    enough = means[best] + standard_error(losses[best])
    depth = next(depth for depth, mean in enumerate(means) if mean <= enough)
    boxes = [Box.whole(inputs.shape[1])]
    if depth:
        boxes = _boxes(_classifier(depth, len(inputs)).fit(inputs, is_case).tree_, boxes[0])
    leaves = [Leaf(box, fit(box, *training), fit(box, *held_out)) for box in boxes]
    leaves.sort(key=lambda leaf: -leaf.training.density)
    return Tree(depth, tuple(means), tuple(leaves))


def _classifier(depth: int, n_rows: int) -> Any:
    try:
        from sklearn.dummy import DummyClassifier
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        raise StoreError(
            "a tree needs the extra analysis: pip install 'simlib-scenarios[analysis]'"
        ) from error
    if not depth:
        return DummyClassifier(strategy="prior")
    leaf = max(LEAST_LEAF, n_rows // 20)
    # The state only breaks ties between columns.
    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf, random_state=0)


def _log_losses(
    depth: int, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The log loss of each row, shape (n,), by a tree that was grown on other folds."""
    classifier = _classifier(depth, len(inputs))
    from sklearn.model_selection import cross_val_predict

    chance = cross_val_predict(classifier, inputs, is_case, cv=FOLDS, method="predict_proba")[:, 1]
    # A leaf without a case must not cost infinitely much: half a case is taken to be in it.
    least = 0.5 / (len(inputs) * (1.0 - 1.0 / FOLDS))
    chance = np.clip(chance, least, 1.0 - least)
    return np.asarray(-np.log(np.where(is_case, chance, 1.0 - chance)))


def _boxes(tree: Any, whole: Box) -> list[Box]:
    boxes, waiting = [], [(0, whole)]
    while waiting:
        node, box = waiting.pop()
        column, cut = int(tree.feature[node]), float(tree.threshold[node])
        if tree.children_left[node] == tree.children_right[node]:
            boxes.append(box)
            continue
        # Left is at or below the cut; the right side begins just above.
        above = box.with_limit((column, 0), math.nextafter(cut, math.inf))
        waiting.append((int(tree.children_right[node]), above))
        waiting.append((int(tree.children_left[node]), box.with_limit((column, 1), cut)))
    return boxes
