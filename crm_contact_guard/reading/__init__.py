"""The second reader: a language model chosen by the company reviews the conversation around a finding.

Each module sets a limit:

* ``options``: which model is asked, and what its answer may change.
* ``masking``: what the model never sees.
* ``prompt``: what the model is told.
* ``client``: which addresses are contacted, and for how long.
* ``answers``: what counts as a valid answer.
* ``bounds``: what an answer changes.

The effect on alerts is in ``supervision.second_reading``. For the reasons, see docs/decisions/0006-second-reader.md.
"""
