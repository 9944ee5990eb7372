"""In which script and, likely, in which language a text is: by its letters and by the small words of a language."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

LEAST_WORDS, LEAST_SHARE = 2, 0.08
"""A language is told where so many small words of it are there, and they are this share of all words."""

_SMALL_WORDS: Final[Mapping[str, str]] = {
    "english": "the of and to in is was that for it with as his on be at by had not are but from or have an they which "
    "you were her all she there would their we him been has when who will more no if out so this my what i your me",
    "german": "der die das und ist nicht ich zu den mit von auf für im ein eine sich dem auch es an als wie sie er hat "
    "wir aus bei nach noch nur wenn aber oder sind war wird einen einer kann so mehr über habe",
    "french": "le la les de des et est un une en que qui dans pour pas sur au aux avec ce il elle nous vous je ne se "
    "plus par mais ou son sa ses cette être sont très fait tout comme leur c'est",
    "spanish": "el la los las de que y en un una es por con no para su al lo como más pero sus le ya este si porque "
    "muy sin sobre me hasta hay donde desde todo nos qué fue ser está del se",
    "portuguese": "o os as de que e em um uma é por com não para seu sua ao mais mas como foi ele ela das dos na no "
    "nas nos também só pelo pela até isso são você muito já está do da se",
    "italian": "il lo la gli le di che e è un una in per con non del della dei delle sono si al alla come più ma anche "
    "questo questa ha nel nella su io mi ci molto dal tutto era",
    "dutch": "de het een en van is dat niet op te zijn voor met die aan er maar om dan ook als bij ik je we hij ze "
    "naar wat nog wel heeft worden door over uit dit deze was",
    "swedish": "och det att i en är som på de av för den med inte till har jag ett om var så han men vi kan från när "
    "hon ska eller mycket också där denna sig man",
    "danish": "og det at i en er som på de af for den med ikke til har jeg et om var så han men vi kan fra når hun "
    "skal eller meget også der denne sig man",
    "norwegian": "og det at i en er som på de av for den med ikke til har jeg et om var så han men vi kan fra når hun "
    "skal eller mye også der denne seg man",
    "polish": "i w na nie z się do to że jest o jak ale po co tak za od czy być był tylko już dla przez ich są jego "
    "może przy tym",
    "czech": "a je se na v to že s z do o i jako by ale jsem si pro ve tak jsou po od co když už byl jen která který",
    "romanian": "și de la în a cu nu o un pe care mai este din să ce pentru sunt dar au fost prin după ca le se al",
    "turkish": "ve bir bu da de için ile çok ne ben o daha gibi kadar var değil mi ama olan olarak sonra her şey ki",
    "finnish": "ja on ei se että oli hän mutta ovat kun niin myös ole olla tai jos vain mitä ne minä sen tämä joka",
    "hungarian": "a az és hogy nem is egy van meg ez volt mint csak már de ha még ki el vagy azt nagyon",
    "indonesian": "yang dan di ini itu dengan untuk tidak dari dalam akan pada juga saya ke karena ada oleh kami bisa",
}
_BY_SCRIPT: Final = {
    "hangul": "korean",
    "hiragana": "japanese",
    "katakana": "japanese",
    "cjk": "chinese",
    "greek": "greek",
    "hebrew": "hebrew",
    "arabic": "arabic",
    "thai": "thai",
    "devanagari": "hindi",
    "bengali": "bengali",
    "tamil": "tamil",
    "georgian": "georgian",
    "armenian": "armenian",
    "cyrillic": "russian",
}
"""Scripts by which a language is told; of several languages of a script the one of most writers."""
_LANGUAGES_OF: Final[dict[str, tuple[str, ...]]] = {}
for _language, _words in _SMALL_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)


@lru_cache(maxsize=65_536)
def script_of(letter: str) -> str:
    """The script of a letter in small letters, such as latin; empty of what is no letter."""
    return unicodedata.name(letter, "").partition(" ")[0].lower() if letter.isalpha() else ""


def main_script(text: str) -> str | None:
    """The script of most letters; None without any."""
    scripts: Counter[str] = Counter()
    for letter, count in Counter(text).items():
        if script := script_of(letter):
            scripts[script] += count
    if scripts.get("hiragana") or scripts.get("katakana"):
        return "hiragana"
    return scripts.most_common(1)[0][0] if scripts else None


def likely_language(words: Sequence[str], script: str | None) -> str | None:
    """The language by its small words, of other scripts than Latin by the script; None where it is open.

    words: in small letters.
    """
    if script != "latin":
        return _BY_SCRIPT.get(script or "")
    hits: Counter[str] = Counter()
    for word in words:
        languages = _LANGUAGES_OF.get(word, ())
        for language in languages:
            hits[language] += 1
    best = hits.most_common(2)
    if not best or best[0][1] < LEAST_WORDS or best[0][1] < LEAST_SHARE * len(words):
        return None
    return best[0][0]
