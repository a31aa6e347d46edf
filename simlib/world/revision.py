"""Other parameters in the middle of a replication, and what is compiled from them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.world.channels import ChannelPlan
    from simlib.world.quantities import ParameterPlan, Quantities


class Revision:
    """Revises the parameters of one replication.

    What was settled at the start stays: the state then, to which factors refer, and trends and
    AR(1) multipliers.

    Parameters
    ----------
    parameters, quantities, channels
        How the scenario's numbers are drawn, evaluated, and laid out for the kernel.
    start_state
        The state vector at the start.
    given
        Names of parameters that were given at the start; no expression computes them.
    """

    def __init__(
        self,
        parameters: ParameterPlan,
        quantities: Quantities,
        channels: ChannelPlan,
        start_state: NDArray[Any],
        given: Mapping[str, float],
    ) -> None:
        self._parameters, self._quantities, self._channels = parameters, quantities, channels
        self._start_state = start_state.copy()
        self._kept = frozenset(given)

    def revised(
        self, values: Mapping[str, float], changes: Mapping[str, float]
    ) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
        """The parameters after some have changed, and the kernel's tables under them."""
        self._kept |= changes.keys()
        parameters = self._parameters.revised({**values, **changes}, self._kept)
        evaluated = self._quantities.evaluate(parameters)
        return parameters, self._channels.evaluate(evaluated, self._start_state)
