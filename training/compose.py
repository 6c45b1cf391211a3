"""Composes short lines around accounts and numbers, so that the ranker learns their form independently of the wording.

Handwritten lines nearly always contain more than the bare contact, but composed lines don't. A personal account or a
disguised number is an attempt even in a neutral sentence. The company's own contact, a labelled reference number and a
number for the company's form are not attempts.
"""

from __future__ import annotations

import random
from typing import Any

Row = dict[str, Any]
COUNT = 800
_APPS = (
    "LINE",
    "ライン",
    "インスタ",
    "Instagram",
    "WhatsApp",
    "Telegram",
    "カカオ",
    "WeChat",
    "微信",
    "Signal",
    "Discord",
    "insta",
    "ig",
    "snap",
    "messenger",
    "Viber",
    "Zalo",
    "facebook",
)
_NAMES = ("momo", "taku", "saki", "jun", "emi", "nao", "leo", "anna", "kyle", "rosa", "minh", "pim", "dani", "chris")
_TAILS = ("fox", "days", "log", "room", "sky", "mochi", "surf", "bike", "film", "tea")
_OFFER = {
    "ja": (
        "{app}は{id}です。",
        "{app}：{id}",
        "{app}やってます、{id}",
        "これ{app}です→{id}",
        "{app}のIDは{id}、追加してね",
        "{id}で検索すると出ます（{app}）",
        "{app} {id} よろしくです",
        "あ、{app}なら{id}です",
    ),
    "en": (
        "my {app} is {id}",
        "{app}: {id}",
        "I'm {id} on {app}",
        "{id} on {app}, say hi",
        "find me on {app}, {id}",
        "{app} me at {id}",
        "it's {id} ({app})",
    ),
}
_OFFICIAL = {
    "ja": (
        "当店の公式{app}は{id}です。",
        "公式{app}（{id}）で最新情報を配信中です。",
        "弊社の{app}公式アカウント {id} をフォローでクーポン進呈",
        "ご予約は当館公式{app} {id} からも承ります",
        "お店の{app}（{id}）に新作を載せました",
    ),
    "en": (
        "Our official {app} is {id}.",
        "Follow the shop's {app}, {id}, for opening hours",
        "The hotel's {app} account is {id}",
        "Company {app}: {id}, answered by the team",
        "Tag our page {id} on {app} for the raffle",
    ),
}
_NUMBER = {
    "ja": (
        "私の電話は{n}です",
        "{n}にかけて",
        "{n}まで連絡お願いします",
        "番号これです {n}",
        "{n} で出ます",
        "よければ{n}へどうぞ",
        "携帯は{n}ですので",
    ),
    "en": ("call {n}", "my number's {n}", "I'm on {n}", "try {n}", "ring me, {n}", "{n} is me", "text {n} ok?"),
}
_MINE = {
    "ja": (
        "私の番号は{n}です",
        "私の携帯、{n}です",
        "これ僕の携帯です {n}",
        "自分の番号{n}なんで",
        "私の番号、{n} 登録しておいてください",
    ),
    "en": (
        "my own number is {n}",
        "My mobile is {n}.",
        "this is my cell {n}",
        "you can reach me at {n}",
        "Call me on {n} any time",
    ),
}
_COMPANY = {
    "ja": (
        "お問い合わせは{n}（平日9時から18時）まで",
        "当店の電話番号は{n}です",
        "予約専用ダイヤル {n} で承ります",
        "代表 {n} までお電話ください",
        "本社コールセンター{n}におつなぎします",
        "病棟直通は{n}です",
    ),
    "en": (
        "The branch is on {n}, weekdays 9 to 5",
        "Call our helpline on {n}",
        "Reception: {n}",
        "Our booking line {n} opens at 8",
        "The switchboard on {n} will put you through",
    ),
}
_FORM = {
    "ja": (
        "予約の電話番号は{n}です",
        "申込書の連絡先は{n}でお願いします",
        "緊急連絡先は母の{n}です",
        "配送の連絡先：{n}",
        "登録の番号を{n}に変更してください",
        "予約名は田村、電話{n}です",
    ),
    "en": (
        "For the booking, my phone is {n}",
        "Please change the number on my file to {n}",
        "Emergency contact: my wife, {n}",
        "The courier can ring me on {n}",
        "Put {n} on the form, name of Hale",
    ),
}
_REFERENCE = {
    "ja": (
        "ご注文番号は{n}です",
        "伝票番号 {n} で発送しました",
        "証券番号{n}のご契約について",
        "お客様番号 {n} をご用意ください",
        "型番{n}は在庫がございます",
    ),
    "en": (
        "Your order number is {n}",
        "Tracking {n} left today",
        "Policy {n} renews in May",
        "Quote reference {n} please",
        "Serial {n} is under warranty",
    ),
}
_KANJI, _KANA = "〇一二三四五六七八九", ("ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー")
_ENGLISH = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _number(rng: random.Random, lang: str) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(8))
    if lang == "en" and rng.random() < 0.6:
        return rng.choice(("07700 900{0}", "({1}) 555-01{2}", "{1}-555-01{2}", "+44 7700 900{0}")).format(
            digits[:3], "212", digits[3:5]
        )
    return f"0{rng.choice('789')}0-{digits[:4]}-{digits[4:]}"


def _disguised(rng: random.Random, number: str) -> str:
    digits = [int(c) for c in number if c.isdigit()]
    way = rng.randrange(11)
    plain = "".join(map(str, digits))
    if way == 0:
        return "".join(_KANJI[d] for d in digits)
    if way == 1:
        return "".join(rng.choice((_KANA[d], str(d))) for d in digits)
    if way == 2:
        return " ".join(_ENGLISH[d] for d in digits)
    if way == 3:
        return rng.choice(("\u200b", "\u2060", "\u00ad")).join(plain)
    if way == 4:
        return "".join("⓪①②③④⑤⑥⑦⑧⑨"[d] for d in digits)
    if way == 5:
        return "".join(chr(rng.choice((0x1D7D8, 0x1D7EC, 0x1D7F6)) + d) for d in digits)
    if way == 6:
        return "".join(f"{d}\ufe0f\u20e3" for d in digits)
    if way == 7:
        return rng.choice((" ", ".", "_", "*", "…", "ん")).join(plain)
    if way == 8:
        return number[::-1] + rng.choice(("（逆から）", " 逆さまに読んで", " (backwards)", " read it right to left"))
    if way == 9:
        return rng.choice("あんのxねー").join(plain)
    return plain.replace("0", "O").replace("1", "l", 1)


def rows(seed: int = 20261124) -> list[Row]:
    """Return the composed lines, which are always the same for a given seed."""
    rng = random.Random(seed)
    result: list[Row] = []
    for number in range(COUNT):
        lang = "ja" if number % 2 else "en"
        direction = rng.choice(("outbound", "inbound"))
        name = rng.choice(_NAMES) + rng.choice("._-") + rng.choice(_TAILS) + rng.choice(("", str(rng.randrange(1, 99))))
        app = rng.choice(_APPS)
        phone = _number(rng, lang)
        sort = rng.randrange(9)
        if sort < 2:
            text, label = rng.choice(_OFFER[lang]).format(app=app, id=rng.choice(("", "@")) + name), "identifier"
        elif sort == 2:
            text, label, direction = (
                rng.choice(_OFFICIAL[lang]).format(
                    app=app, id=rng.choice(("", "@")) + name.replace("-", "_") + "_official"
                ),
                "benign",
                "outbound",
            )
        elif sort < 5:
            text, label = rng.choice(_NUMBER[lang]).format(n=_disguised(rng, phone)), "identifier"
        elif sort == 5:
            text, label, direction = rng.choice(_COMPANY[lang]).format(n=phone), "benign", "outbound"
        elif sort == 6:
            text, label, direction = rng.choice(_FORM[lang]).format(n=phone), "benign", "inbound"
        elif sort == 7:
            text, label, direction = rng.choice(_MINE[lang]).format(n=phone), "identifier", "outbound"
        else:
            text, label = rng.choice(_REFERENCE[lang]).format(n=phone), "benign"
        result.append({"text": text, "direction": direction, "label": label, "lang": lang})
    return result
