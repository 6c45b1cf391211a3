"""Whether a message only says thanks, so that nobody need look at it before the time they chose."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Longer messages say more than thanks.
_MOST: Final = 120
_WORDS: Final = (
    "(?:many )?thanks?(?: you)?(?: (?:so|very) much| a lot| again)*|thx|cheers|ok(?:ay)?|got it|noted|understood"
    "|great|perfect|sounds good|all right|will do"
    "|(?:どうも|誠に|本当に|大変)?(?:ありがとう|有難う|有り難う)(?:ございます|ございました)?|助かります|助かりました"
    "|(?:了解|承知)(?:です|しました|いたしました|致しました)?|(?:わかり|分かり)ました|かしこまりました|はい"
    "|(?:どうぞ|引き続き)?(?:よろしく|宜しく)(?:お願い(?:します|いたします|致します|申し上げます))?|お世話になりました"
)
_ONLY: Final = re.compile(rf"[\W_]*(?:(?:{_WORDS})(?:[\W_]+|$|(?<=[ぁ-ん])(?=[^a-z])))+")


def only_thanks(text: str) -> bool:
    """Whether the text consists of nothing but thanks or a plain yes, in Japanese or English."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    return 0 < len(folded) <= _MOST and "?" not in folded and _ONLY.fullmatch(folded) is not None
