"""By which names a model is known, where a list says which may be called. Pure."""

from penstock.model.token import allows
from penstock.providers.catalog import Provider

_CUT = 256  # characters after which a name that a path tells is cut off


def may_call(models: tuple[str, ...], provider: Provider, model: str) -> bool:
    """Whether one of these patterns of ``provider/model`` has the model, as the provider calls it, or with its
    publisher's name before it, as the unified API does. ``model`` empty: the call names none.
    """
    if len(model) >= _CUT:
        model = ""
    slugs = (provider.id, *provider.aliases)
    if allows(models, slugs, model):
        return True
    publisher = provider.unified[0].publisher if provider.unified else ""
    return bool(publisher and model) and allows(models, slugs, publisher + model)
