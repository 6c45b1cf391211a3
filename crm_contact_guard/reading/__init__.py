"""The second reader: a language model chosen by the company reviews the conversation around a finding.

``options`` holds the settings, ``masking`` hides personal data, ``prompt`` builds the request, ``client`` sends it
within limits, ``answers`` validates the response, and ``bounds.decide`` limits its effect.
``supervision.second_reader`` applies it to alerts. The reasons for this design are in
docs/decisions/0006-second-reader.md.
"""
