"""What all models of the API have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """Base of every model: camelCase in YAML, immutable, docstrings become descriptions.

    Unknown fields are ignored, so an object stored by an older or newer version can always be read. The API
    server prunes them anyway; `kubectl apply` reports them through its strict field validation.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )
