"""A small decision tree for cases, its leaves as boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.discovery.prim import Box, BoxFit, fit
from simlib.errors import StoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        Mean log loss of each depth from 0 on, over the folds.
    leaves
        Densest first; the whole where the depth is 0.
    """

    depth: int
    scores: tuple[float, ...]
    leaves: tuple[Leaf, ...]


def grow(
    training: tuple[NDArray[np.float64], NDArray[np.bool_]],
    held_out: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> Tree:
    """Grow a classification tree, and judge its leaves on other rows.

    The depth is the least one whose log loss over 5 folds of the training rows is within a
    standard error of the best (L. Breiman and others, "Classification and Regression
    Trees", 1984, doi:10.1201/9781315139470); depth 0 is the overall share of cases.

    Parameters
    ----------
    training, held_out
        Inputs, shape (n, n_columns), and cases, shape (n,).

    Raises
    ------
    StoreError
        scikit-learn is not installed.
    """
    inputs, is_case = training
    scores = [_losses(depth, inputs, is_case) for depth in range(DEEPEST + 1)]
    means = [float(np.mean(each)) for each in scores]
    best = int(np.argmin(means))
    error = float(np.std(scores[best], ddof=1)) / math.sqrt(FOLDS)
    depth = next(i for i, mean in enumerate(means) if mean <= means[best] + error)
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


def _losses(
    depth: int, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the log loss of each fold."""
    classifier = _classifier(depth, len(inputs))
    fold = _folds(is_case)
    losses = np.empty(FOLDS)
    for k in range(FOLDS):
        others = fold != k
        classifier.fit(inputs[others], is_case[others])
        chance = classifier.predict_proba(inputs[~others])[:, 1]
        # A leaf without a case must not cost infinitely much.
        chance = np.clip(chance, 0.5 / others.sum(), 1.0 - 0.5 / others.sum())
        losses[k] = -np.mean(np.where(is_case[~others], np.log(chance), np.log(1.0 - chance)))
    return losses


def _folds(is_case: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the fold of each row: cases and others are dealt out in turn."""
    fold = np.empty(len(is_case), dtype=np.intp)
    for kind in (True, False):
        rows = np.flatnonzero(is_case == kind)
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def _boxes(tree: Any, whole: Box) -> list[Box]:
    boxes, waiting = [], [(0, whole)]
    while waiting:
        node, box = waiting.pop()
        column, cut = int(tree.feature[node]), float(tree.threshold[node])
        if tree.children_left[node] == tree.children_right[node]:
            boxes.append(box)
            continue
        # Left is at or below the cut; the right side begins just above.
        waiting.append((int(tree.children_right[node]), box.with_limit((column, 0), _above(cut))))
        waiting.append((int(tree.children_left[node]), box.with_limit((column, 1), cut)))
    return boxes


def _above(cut: float) -> float:
    return math.nextafter(cut, math.inf)
