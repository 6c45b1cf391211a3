"""Names that a template reads and its page does not hold: Django shows them as nothing, and mypy reads no templates."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cached_property, singledispatch
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from django.db.models import Model
from django.forms import BaseForm
from django.template import Node, Variable
from django.template.base import FilterExpression, TextNode, TokenType, VariableNode
from django.template.defaulttags import CommentNode, CsrfTokenNode, ForNode, IfNode, LoadNode, URLNode, WithNode
from django.template.library import SimpleNode
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.templatetags.i18n import BlockTranslateNode, GetCurrentLanguageNode, TranslateNode

Scope = Mapping[str, Any]
#: Where a name leads that is none: told once.
NOWHERE = object()


def faults(template: str, scope: Scope) -> Iterator[str]:
    """What the template, and all that it extends and includes, reads beyond the types of ``scope``."""
    yield from faults_in(get_template(template).template.nodelist, scope, template)  # type: ignore[attr-defined]


def faults_in(nodes: Iterable[Node], scope: Scope, place: str) -> Iterator[str]:
    inner = dict(scope)
    for node in nodes:
        yield from _node(node, inner, place)


@singledispatch
def _node(node: Node, scope: dict[str, Any], place: str) -> Iterator[str]:
    """What one node reads; a tag that names its result adds it to ``scope``."""
    raise TypeError(f"{place} holds a {type(node).__name__}, which nothing here can read")


@_node.register(TextNode)
@_node.register(LoadNode)
@_node.register(CsrfTokenNode)
@_node.register(CommentNode)
def _silent(node: Node, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from ()


@_node.register(VariableNode)
@_node.register(TranslateNode)
def _variable(node: VariableNode | TranslateNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read([node.filter_expression], scope, place)
    if isinstance(node, TranslateNode) and node.asvar:
        scope[node.asvar] = Any


@_node.register
def _extends(node: ExtendsNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    parent = node.parent_name.var
    yield from faults(parent if isinstance(parent, str) else "crm_contact_guard/base.html", scope)
    yield from faults_in(node.nodelist, scope, place)


@_node.register
def _block(node: BlockNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from faults_in(node.nodelist, scope, place)


@_node.register
def _if(node: IfNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    for condition, branch in node.conditions_nodelists:
        yield from _read(_parts(condition), scope, place)
        yield from faults_in(branch, scope, place)


@_node.register
def _for(node: ForNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read([node.sequence], scope, place)
    bound = _bound(node.loopvars, _elements(_type_of(node.sequence, scope)))
    yield from faults_in(node.nodelist_loop, {**scope, **bound, "forloop": Any}, place)
    yield from faults_in(node.nodelist_empty, scope, place)


@_node.register
def _with(node: WithNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read(node.extra_context.values(), scope, place)
    given = {name: _type_of(value, scope) for name, value in node.extra_context.items()}
    yield from faults_in(node.nodelist, {**scope, **given}, place)


@_node.register
def _include(node: IncludeNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read(node.extra_context.values(), scope, place)
    given = {name: _type_of(value, scope) for name, value in node.extra_context.items()}
    yield from faults(str(node.template.var), {**scope, **given})


@_node.register
def _url(node: URLNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read([node.view_name, *node.args, *node.kwargs.values()], scope, place)
    scope |= {str(node.asvar): Any} if node.asvar else {}


@_node.register
def _tag(node: SimpleNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read([*node.args, *node.kwargs.values()], scope, place)
    scope |= {str(node.target_var): Any} if node.target_var else {}


@_node.register
def _language(node: GetCurrentLanguageNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    scope[node.variable] = Any
    yield from ()


@_node.register
def _sentence(node: BlockTranslateNode, scope: dict[str, Any], place: str) -> Iterator[str]:
    yield from _read([*node.extra_context.values(), *([node.counter] if node.counter else [])], scope, place)
    known = {*scope, *node.extra_context, node.countervar}
    for token in [*node.singular, *node.plural]:
        if token.token_type == TokenType.VAR and token.contents not in known:
            yield f"{place}: {token.contents}"


def _parts(condition: Any) -> Iterator[FilterExpression]:
    """The expressions of an ``if``."""
    if condition is None:
        return
    if isinstance(getattr(condition, "value", None), FilterExpression):
        yield condition.value
    yield from _parts(getattr(condition, "first", None))
    yield from _parts(getattr(condition, "second", None))


def _read(expressions: Iterable[Any], scope: Scope, place: str) -> Iterator[str]:
    for expression in expressions:
        variables = [expression.var, *(arg for _filter, args in expression.filters for is_var, arg in args if is_var)]
        for variable in variables:
            if isinstance(variable, Variable) and _led_to(variable, scope) is NOWHERE:
                yield f"{place}: {variable.var}"


def _type_of(expression: FilterExpression, scope: Scope) -> Any:
    if expression.filters or not isinstance(expression.var, Variable):
        return Any
    return _led_to(expression.var, scope)


def _led_to(variable: Variable, scope: Scope) -> Any:
    """The type of a variable; NOWHERE when there is none of this name."""
    if variable.lookups is None:
        return Any
    root, *names = variable.lookups
    found = scope.get(root, Any if root in ("True", "False", "None") else NOWHERE)
    for name in names:
        found = _step(found, name)
    return found


def _step(of: Any, name: str) -> Any:
    """The type of an attribute, by its annotation; Any where there is none to read."""
    if of in (Any, NOWHERE):
        return of
    if get_origin(of) in (Union, types.UnionType):
        found = [_step(one, name) for one in get_args(of) if one is not type(None)]
        return next((one for one in found if one is not NOWHERE), NOWHERE)
    if get_origin(of) is not None:
        return _elements(of) if name.isdecimal() else NOWHERE
    return _attribute(of, name)


def _form(of: type[BaseForm]) -> BaseForm | type[BaseForm]:
    try:
        return of()
    except TypeError:
        return of


def _attribute(of: type, name: str) -> Any:
    if issubclass(of, Model):
        return Any if name in {field.name for field in of._meta.get_fields()} or hasattr(of, name) else NOWHERE
    if issubclass(of, BaseForm):
        # What a form's own ``__init__`` needs isn't known here; what it sets is in its fields then.
        return Any if name in of.base_fields or hasattr(_form(of), name) else NOWHERE
    if not is_dataclass(of):
        return Any  # what it holds may be set anywhere
    if (hint := get_type_hints(of).get(name)) is not None:
        return get_args(hint)[0] if get_origin(hint) is ClassVar else hint
    held = getattr(of, name, NOWHERE)
    if held is NOWHERE:
        return NOWHERE
    function = held.fget if isinstance(held, property) else held.func if isinstance(held, cached_property) else held
    return get_type_hints(function).get("return", Any) if callable(function) else Any


def _elements(of: Any) -> Any:
    """What a loop over it yields."""
    origin = get_origin(of)
    return get_args(of)[0] if isinstance(origin, type) and issubclass(origin, Sequence) else Any


def _bound(names: Sequence[str], element: Any) -> Scope:
    if len(names) == 1:
        return {names[0]: element}
    kinds = get_args(element) if get_origin(element) is tuple else [Any] * len(names)
    return dict(zip(names, kinds, strict=True))
