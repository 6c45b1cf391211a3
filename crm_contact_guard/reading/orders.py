"""Detects messages that address the reader instead of the other side (prompt injection). No I/O.

Detection is incomplete, since a clever writer can evade it. It is therefore only used to decide whether the reader's
"no" may be trusted, and ``bounds`` also limits by score which alerts may be demoted. A false positive has no other
effect.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import re2

_BEFORE: Final = r"(?:previous|prior|above|earlier|preceding|former|your|all|any|these|those|system)"
_RULES: Final = r"(?:instruction|prompt|rule|direction|guideline|order|message|context|command)"
_ENGLISH: Final = (
    rf"(?:ignor|disregard|forget|overrid|overrul|bypass|skip|do not follow|don.?t follow|stop following)\w*\W+(?:\w+\W+){{0,7}}?{_BEFORE}?"
    rf"\W*(?:\w+\W+){{0,2}}?{_RULES}s?\b",
    rf"\bnew {_RULES}s?\b",
    r"system ?prompt|developer message|jailbreak|prompt injection",
    r"\b(?:you are|you.?re|act as|behave as|pretend to be) (?:now )?(?:an? |the )?(?:ai|a\.i\.|bot|assistant|language model|llm|gpt|chatgpt|"
    r"classifier|moderator|reader|reviewer|judge|compliance (?:tool|system|model))\b",
    r"\b(?:dear|note to|to|attention|hey|hello|hi),? (?:the )?(?:second reader|ai|llm|model|classifier|moderat(?:or|ion)|chatgpt|gpt|claude|"
    r"assistant|compliance (?:bot|ai|tool|system|filter))\b",
    r"\b(?:answer|respond|reply|output|return|say|print|classify|label|mark|judge|treat|rate|report)\b[^.。\n]{0,40}"
    r"(?:\bfalse\b|\bno attempt\b|not an attempt|\bnobody\b|\bharmless\b|\bsafe\b|\bcompliant\b|\bbenign\b|\bjson\b)",
    r"\battempt\W{0,5}(?:[:=]|is|should be|must be|to)\W{0,5}(?:false|no\b|0)",
    r"\"(?:attempt|by|message|why)\"|json ?schema|response_format|schema",
    r"<\|[a-z_]+\|>|\[/?inst\]|<</?sys>>|</?s>|<(?:start|end)_of_turn>|^\s*#{1,4} ?(?:system|instruction|assistant|user|response)"
    r"|(?:^|\n)\s*(?:system|assistant|developer) ?:",
    r"\b(?:end|close|begin) of (?:the )?(?:data|messages|conversation|transcript|input)\b",
)
_JAPANESE: Final = (
    r"(?:以前|これまで|今まで|上記|上|前|先|すべて|全て|全部|既存|元|最初|あなたへ?)の?(?:\p{Han}|\p{Hiragana}){0,6}(?:指示|命令|ルール|規則|プロンプト|設定|指令)"
    r".{0,8}(?:無視|忘れ|破棄|従わ|取り消|上書き|無効)",
    r"(?:指示|命令|プロンプト|指令).{0,6}(?:無視|忘れ|破棄|従わな|上書き|無効)",
    r"システム ?プロンプト|プロンプト|新しい(?:指示|命令)|次の(?:指示|命令)に従",
    r"(?:あなた|君|お前|きみ)は.{0,12}(?:ai|人工知能|アシスタント|言語モデル|審査員|判定者|判定ai|モデル|ボット)",
    r"(?:ai|審査|判定|監視|検閲|モデレーター|読み手|第二の読み手|モデル|アシスタント|システム).{0,4}(?:へ|に告ぐ|さん|様|殿|の方|宛)(?:[、。:：,!\s]|$)",
    r"(?:判定|判断|分類|評価|結果|回答|出力|attempt).{0,14}(?:false|偽|なし|無し|ゼロ|問題な|該当しな|安全|無害|シロ)(?:.{0,8})",
    r"(?:問題な|無害|安全|該当な|該当しな).{0,6}(?:と|として).{0,4}(?:判定|判断|分類|評価|回答|出力|報告|答え)",
    r"json|スキーマ",
)
_OTHERS: Final = (
    r"忽略.{0,8}(?:指令|指示|提示|规则)|無視.{0,4}指示|系统提示|이전.{0,6}(?:지시|명령|프롬프트).{0,6}무시|시스템 ?프롬프트",
    r"ignora.{0,20}instruc|ignorez.{0,20}instruct|ignoriere.{0,24}anweisung|bỏ qua.{0,20}(?:hướng dẫn|chỉ dẫn)",
)
_SPEAKS: Final = re2.compile("(?is)" + "|".join(f"(?:{pattern})" for pattern in (*_ENGLISH, *_JAPANESE, *_OTHERS)))
_INVISIBLE: Final = ("Cf", "Cc", "Mn", "Co", "Cn")


def speaks_to_the_reader(text: str) -> bool:
    """Whether the text gives the reader instructions, or mentions details that only the reader is told."""
    composed = unicodedata.normalize("NFKC", text)
    visible = (
        sign if sign in "\n\t" or unicodedata.category(sign) not in _INVISIBLE else ("" if sign != "\r" else "\n")
        for sign in composed
    )
    return _SPEAKS.search("".join(visible)) is not None
