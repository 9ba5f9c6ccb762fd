"""Amounts in the capitals of Chinese paper, 大写金额: nobody turns 壹 into 拾 with a pen.

20000 fen    贰佰元整            1050 fen    壹拾元伍角整
10005 fen    壹佰元零伍分        100000000   壹佰万元整
"""

from __future__ import annotations

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿")


def capitals(fen: int) -> str:
    """An amount of at least 0 and below a million million yuan, by the rules for bills: zeros between are said once."""
    if not 0 <= fen < 10**14:
        raise ValueError(f"{fen} fen is not written on a receipt")
    yuan, rest = divmod(fen, 100)
    jiao, cents = divmod(rest, 10)
    words = f"{_whole(yuan)}元" if yuan else ""
    if not rest:
        return f"{words or '零元'}整"
    if jiao:
        words += f"{DIGITS[jiao]}角"
    elif words:
        words += "零"
    return words + (f"{DIGITS[cents]}分" if cents else "整")


def _whole(number: int) -> str:
    """Digits with their places, from the highest; a run of zeros between digits is one 零."""
    text, words, gap = str(number), "", False
    for at, digit in enumerate(text):
        place = len(text) - 1 - at
        if digit != "0":
            words += ("零" if gap else "") + DIGITS[int(digit)] + PLACES[place % 4]
            gap = False
        elif words:
            gap = True
        if place % 4 == 0 and place and int(text[max(0, at - 3) : at + 1]):
            words += GROUPS[place // 4]
    return words
