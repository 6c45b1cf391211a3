"""All exceptions of the proof package derive from ProofError, so that callers can catch one class."""

import importlib
import pkgutil

from crm_contact_guard import proof
from crm_contact_guard.proof import errors
from crm_contact_guard.proof.errors import ProofError


def exceptions(module: object) -> set[type[Exception]]:
    values = vars(module).values()
    return {value for value in values if isinstance(value, type) and issubclass(value, Exception)}


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


def test_proof_errors_are_value_errors() -> None:
    assert issubclass(ProofError, ValueError)
