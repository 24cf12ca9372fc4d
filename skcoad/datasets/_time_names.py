"""Names of the columns of times, in several languages."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise, product

# All as `normalise` writes them.
_DATES = {"date", "dates", "datum", "fecha", "dato", "tarih"}
_CLOCKS = ("time", "zeit", "uhrzeit", "heure", "hora", "ora", "tijd", "tid", "czas")
_LINKS = ("", "_", "_und_", "_et_", "_y_", "_e_", "_en_", "_och_", "_og_", "_i_")
# Not "data" alone, which is Italian and English.
_DATES_AND_CLOCKS = {*map("".join, product({*_DATES, "data"}, _LINKS, _CLOCKS))}
# Words that are usual for other things as well (hora, temps, tempo, tid) are left to
# the values.
TIME_NAMES = {
    *("timestamp", "timestamps", "time", "time_stamp", *_DATES, *_DATES_AND_CLOCKS),
    *("zeit", "uhrzeit", "zeitpunkt", "zeitstempel", "messzeit", "messzeitpunkt"),
    *("horodatage", "horodateur", "tiempo", "marca_temporal", "marca_de_tiempo"),
    *("orario", "marca_temporale", "tijd", "tijdstip", "tijdstempel", "czas"),
    *("tidpunkt", "tidspunkt"),
}


def is_time_name(name: str) -> bool:
    """Whether a column of this name holds times, whatever its values are.

    Examples
    --------
    >>> from skcoad.datasets._time_names import is_time_name
    >>> is_time_name("Time (s)"), is_time_name("Datum/Uhrzeit"), is_time_name("data")
    (True, True, False)
    """
    return normalise(name) in TIME_NAMES


def is_date_name(name: str) -> bool:
    """Whether one of the words of a name is that for a date."""
    return bool(words(name) & _DATES) or normalise(name) in _DATES_AND_CLOCKS


def words(name: str) -> set[str]:
    """Words of a name, and each two of them that follow each other as one."""
    own = normalise(name).split("_")
    return {*own, *map("".join, pairwise(own))}  # change_point, too


def normalise(name: str) -> str:
    """Write a name in lower case, its words with underscores.

    Units and accents are left out.
    """
    letters = unicodedata.normalize("NFKD", name)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", bare)  # isAnomaly
    bare = re.sub(r"[(\[].*?[)\]]", "", spaced).lower()
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")
