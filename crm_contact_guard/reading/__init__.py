"""The second reader: a language model chosen by the company reviews the conversation around a finding.

Bounded on every side: ``options`` says whom to ask and what the answer may change, ``masking`` what it never sees,
``prompt`` what it is told, ``client`` how far and how long we go for an answer, ``answers`` what counts as one, and
``bounds.decide`` what it changes. What happens to alerts is ``supervision.second_reading``'s; why it is so:
docs/decisions/0006-second-reader.md.
"""
