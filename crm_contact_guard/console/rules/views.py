"""Read and sign the rules, take their quiz, ask questions, see who has signed, and publish a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.rules.forms import AnswerForm, AskForm, PublishForm
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.policy.known_rules import publishing, quiz, rights, showing
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesQuestion, RulesVersion
from crm_contact_guard.policy.known_rules.questions import question_answer, question_ask, questions
from crm_contact_guard.policy.known_rules.signing import quiz_try, rules_sign

#: Maximum number of questions listed.
MOST = 50


@dataclass(frozen=True)
class Asked:
    """A question about the rules, with the form for its answer if the viewer may answer."""

    question: RulesQuestion
    is_own: bool
    form: AnswerForm | None


@dataclass(frozen=True)
class RulesPage(Shown):
    """One version of the rules. ``version`` is None if none has been published."""

    template = "rules.html"

    version: RulesVersion | None
    title: str
    text: str
    #: The version applies now. Other versions can be read but not signed.
    applies: bool
    mine: Acknowledgement | None
    must_sign: bool
    quiz: Sequence[quiz.Question]
    versions: Sequence[tuple[RulesVersion, str]]
    asked: Sequence[Asked]
    words: str
    ask_form: AskForm
    may_publish: bool
    sees_signatures: bool
    #: What just happened: "signed", "passed", "failed", "asked", "answered" or "published".
    done: str = ""
    problem: str = ""


@dataclass(frozen=True)
class SignaturesPage(Shown):
    template = "rules_signatures.html"

    version: RulesVersion | None
    title: str
    signatures: Sequence[showing.Signature]
    signed: int = field(default=0)


@dataclass(frozen=True)
class PublishPage(Shown):
    template = "rules_publish.html"

    form: PublishForm


@page()
def rules(request: HttpRequest, viewer: Employee, pk: UUID | None = None) -> HttpResponse:
    """Show the version that applies now, or the one with this ID, and questions with their answers."""
    return _page(request, viewer, _version(viewer, pk))


@page("POST")
def sign(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Sign the version whose digest the page showed."""
    version = get_object_or_404(publishing.versions(viewer), pk=pk)
    try:
        rules_sign(signed_by=viewer, version=version, digest=request.POST.get("digest", ""))
    except InvalidMessage as error:
        return _page(request, viewer, version, problem=str(error), status=422)
    return _back("signed")


@page("POST")
def take_quiz(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Check the answers to a version's quiz. The page says only whether all of them are right."""
    version = get_object_or_404(publishing.versions(viewer), pk=pk)
    given = {index: request.POST.get(f"q{index}", "") for index in range(len(quiz.parse(version.quiz)))}
    chosen = {index: int(value) for index, value in given.items() if value.isdecimal() and len(value) < 3}
    return _back("passed" if quiz_try(taken_by=viewer, version=version, chosen=chosen) else "failed")


@page("POST")
def ask(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Ask a question about the rules."""
    form = AskForm(request.POST)
    if form.is_valid():
        question_ask(asked_by=viewer, text=form.cleaned_data["question"])
        return _back("asked")
    return _page(request, viewer, _version(viewer, None), ask_form=form, status=422)


@page("POST")
def answer(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Answer a question about the rules."""
    question = get_object_or_404(questions(viewer), pk=pk)
    form = AnswerForm(request.POST, auto_id=f"id-{pk}-%s")
    if form.is_valid():
        question_answer(answered_by=viewer, question=question, text=form.cleaned_data["answer"])
        return _back("answered")
    return _page(request, viewer, _version(viewer, None), answering=(question.pk, form), status=422)


@page()
def signatures(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show who has signed the version that applies now: supervisors their teams, compliance officers everybody."""
    if not _sees_signatures(viewer):
        raise NotPermitted(_("Supervisors see who of their team has signed."))
    version, found = showing.signatures(viewer)
    title = showing.title_of(version) if version is not None else ""
    return show(request, viewer, SignaturesPage(version, title, found, sum(one.signed_at is not None for one in found)))


@page("GET", "HEAD", "POST")
def publish(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Publish a new version. The form starts with the newest version's texts."""
    if not rights.may_publish(viewer):
        raise NotPermitted(_("Compliance officers publish the rules."))
    if request.method != "POST":
        newest = publishing.versions(viewer).first()
        names = ("title", "text", "title_ja", "text_ja", "quiz")
        initial = {name: getattr(newest, name) for name in names} if newest is not None else {}
        return show(request, viewer, PublishPage(PublishForm(initial=initial)))
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            publishing.rules_publish(published_by=viewer, **form.cleaned_data)
        except InvalidMessage as error:
            form.add_error(error.field if error.field in form.fields else None, forms.ValidationError(str(error)))
        else:
            return _back("published")
    return show(request, viewer, PublishPage(form), status=422)


def _back(done: str) -> HttpResponse:
    response = redirect("crm_contact_guard:rules")
    response["Location"] += f"?done={done}"
    return response


def _version(viewer: Employee, pk: UUID | None) -> RulesVersion | None:
    if pk is not None:
        return get_object_or_404(publishing.versions(viewer), pk=pk)
    return publishing.applying(viewer.tenant, timezone.now()).first()


def _sees_signatures(viewer: Employee) -> bool:
    return rights.signers(viewer).exists()


def _page(
    request: HttpRequest,
    viewer: Employee,
    version: RulesVersion | None,
    *,
    ask_form: AskForm | None = None,
    answering: tuple[UUID, AnswerForm] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    may_answer = rights.may_answer_questions(viewer)
    asked = []
    for question in questions(viewer, words)[:MOST]:
        blank = AnswerForm(initial={"answer": question.answer}, auto_id=f"id-{question.pk}-%s")
        form = answering[1] if answering is not None and answering[0] == question.pk else blank
        asked.append(Asked(question, question.asked_by_id == viewer.pk, form if may_answer else None))
    current = publishing.applying(viewer.tenant, timezone.now()).first()
    mine = Acknowledgement.objects.filter(version=version, employee=viewer).first() if version is not None else None
    shown = RulesPage(
        version=version,
        title=showing.title_of(version) if version is not None else "",
        text=showing.text_of(version) if version is not None else "",
        applies=version is not None and current == version,
        mine=mine,
        must_sign=rights.must_sign(viewer),
        quiz=quiz.parse(version.quiz) if version is not None else (),
        versions=[(one, showing.title_of(one)) for one in publishing.versions(viewer)[:MOST]],
        asked=asked,
        words=words,
        ask_form=ask_form or AskForm(),
        may_publish=rights.may_publish(viewer),
        sees_signatures=_sees_signatures(viewer),
        done=request.GET.get("done", ""),
        problem=problem,
    )
    return show(request, viewer, shown, status=status)
