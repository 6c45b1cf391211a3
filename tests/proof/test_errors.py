"""One tree of exceptions: who checks a proof catches one class, and nothing that is no proof's fault."""

import importlib
import pkgutil

from crm_contact_guard import proof
from crm_contact_guard.proof import errors
from crm_contact_guard.proof.errors import ProofError


def exceptions(module: object) -> set[type[Exception]]:
    found = vars(module).values()
    return {each for each in found if isinstance(each, type) and issubclass(each, Exception)}


def test_every_exception_of_the_package_is_a_proof_error() -> None:
    names = [module.name for module in pkgutil.iter_modules(proof.__path__)]
    own = {
        error
        for name in names
        for error in exceptions(importlib.import_module(f"{proof.__name__}.{name}"))
        if error.__module__.startswith(proof.__name__)
    }

    assert own >= {getattr(errors, name) for name in errors.__all__}
    assert not {error for error in own if not issubclass(error, ProofError)}
    assert not {error for error in own if error.__module__ != errors.__name__ and not error.__name__.startswith("_")}


def test_whoever_caught_value_errors_still_does() -> None:
    assert issubclass(ProofError, ValueError)
