"""What every scenario model is: frozen, strict, and what names and quantities are."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Quantity: TypeAlias = float | str
"""A number, or an arithmetic expression over parameter names."""

Name = Annotated[str, Field(pattern=r"^[^\W\d][\w .'&-]*$", max_length=80)]
"""An identifier: letters of any script, digits, ``_ . ' & -`` and spaces."""


class Model(BaseModel):
    """Base of every scenario model: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Registered(Model):
    """Base of what may rest on a row of the register, ``seeds/parameters.csv``."""

    register_id: str | None = Field(default=None, alias="register")
    """Row the number comes from. (Abstract classes have a method named ``register``.)"""

    @property
    def register(self) -> str | None:
        """Row of the register, as `register_id`."""
        return self.register_id
