"""Every visible sentence stands in English in the code and in `languages/zh.toml`; nothing is shown untranslated.

    t("Will be cut {when} unless paid", when=...)      in templates and in Python, inside a request
    later("Cut off")                                    marks a sentence that `t` will get from a table

A sentence without a translation is a mistake that tests find; at run time the English one is shown.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from flask import g, has_request_context

from panel.one_of import ONE

LANGUAGES = ("zh", "en")
DEFAULT = "zh"
HTML_LANGUAGE = {"zh": "zh-CN", "en": "en"}


def catalogue(language: str) -> dict[str, str]:
    """English sentence to the sentence in `language`; empty for English itself."""
    if language == "en":
        return {}
    path = Path(__file__).parent / "languages" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["words"]


_CATALOGUES = {language: catalogue(language) for language in LANGUAGES}


def later(sentence: str) -> str:
    """Mark a sentence that stands in a table and is translated when it is shown."""
    return sentence


def language_now() -> str:
    """The language of this request."""
    return getattr(g, "language", DEFAULT) if has_request_context() else DEFAULT


def t(sentence: str, **values: object) -> str:
    """The sentence in the language of this request, with its places filled. Plain text: templates escape it.

    What follows a bar is a note for the translator and is not shown: `t("On|supply")`.
    """
    if language_now() == "en" and str(values.get("n")) == "1":
        sentence = ONE.get(sentence, sentence)
    text = _CATALOGUES[language_now()].get(sentence) or sentence.partition("|")[0]
    return text.format(**values) if values else text
