"""How the columns of draws, sampled conversations and second reviews follow from recorded events."""

from __future__ import annotations

from crm_contact_guard.record.following import BySubject, Column, Elsewhere, Follows, Recorded, follows
from crm_contact_guard.supervision.quality.models import SampleDraw, SampledTalk, SecondReview

for model, events in (
    (SampleDraw, BySubject(subject="sample_draw", born=("sample.drawn",))),
    (SampledTalk, BySubject(subject="sampled_talk", born=("sample.taken",), more=("sample.read",))),
    (
        SecondReview,
        BySubject(
            subject="second_review",
            born=("second_review.drawn",),
            more=("second_review.assigned", "second_review.given"),
        ),
    ),
):
    columns: dict[str, Column] = {
        field.attname: Elsewhere("the events that made the row name it") if field.primary_key else Recorded()
        for field in model._meta.concrete_fields
    }
    follows(Follows(model=model, events=events, columns=columns))
